"""Tests of more time and notes over the API, first and repeated."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shared.core.enums import OrderAction, Scope
from shared.raffles.models import Order
from tests.builders import MINUTE
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.api_client import ApiProgram, list_message_keys, parse_refusal

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]

N8N = {"kind": "token", "label": "n8n"}


@pytest.fixture
def api(db: None) -> ApiProgram:
    return ApiProgram()


@pytest.fixture
def order(db: None) -> Order:
    """Create an order that has five minutes left, in a raffle without a draw date."""
    order = sample_data.place_order(numbers=[7, 13])
    order.raffle.draw_at = None
    order.raffle.save()
    order.expires_at = timezone.now() + 5 * MINUTE
    order.save()
    return order


class TestMoreTime:
    def test_is_given_once_a_minute_and_told(self, api: ApiProgram, order: Order) -> None:
        before = order.expires_at
        assert before is not None

        answers: list[Any] = [api.decide(order, "more-time") for _ in range(2)]

        first, again = (answer.json() for answer in answers)
        assert [answer.status_code for answer in answers] == [200, 200]
        order.refresh_from_db()
        assert order.expires_at is not None
        assert order.expires_at > before + timedelta(minutes=24)
        assert (
            first.items()
            >= {
                "id": order.pk,
                "status": "PENDING_PAYMENT",
                "already_given": False,
                "expires_at": order.expires_at.isoformat(),
                "given_by": N8N,
                "buyer_notified": "queued",
            }.items()
        )
        assert again == first | {"already_given": True}
        assert list_message_keys(order).count("more_time") == 1

    def test_is_refused_with_the_reason(self, api: ApiProgram, order: Order) -> None:
        order.expires_at = timezone.now() + 60 * MINUTE
        order.save()
        enough = api.decide(order, "more-time")
        sample_data.receive_proof(order)
        reviewed = api.decide(order, "more-time")

        assert parse_refusal(enough) == (409, "enough_time_left")
        assert parse_refusal(reviewed) == (409, "order_under_review")


class TestNote:
    def test_stands_in_the_history_once(self, api: ApiProgram, order: Order) -> None:
        notes = ("Called", "Called", "Called again", "Called")

        answers = [api.decide(order, "note", note=note).json() for note in notes]

        assert [answer["already_noted"] for answer in answers] == [False, True, False, False]
        assert answers[0]["noted_by"] == N8N
        written = order.events.filter(action=OrderAction.NOTE_ADDED)
        assert [event.reason for event in written] == ["Called", "Called again", "Called"]
        lines = api.get(f"/api/orders/{order.pk}").json()["history"]
        assert (lines[-1]["action"], lines[-1]["reason"]) == ("NOTE_ADDED", "Called")

    @pytest.mark.parametrize("note", ["", " ", None, "x" * 501])
    def test_needs_words_and_is_bounded(
        self, api: ApiProgram, order: Order, note: str | None
    ) -> None:
        assert parse_refusal(api.decide(order, "note", note=note)) == (400, "malformed")


def test_a_token_that_only_reads_may_do_neither(order: Order) -> None:
    reader = ApiProgram(sample_data.create_api_token("reader", scope=Scope.READ))

    for step in ("more-time", "note"):
        assert parse_refusal(reader.decide(order, step, note="x"))[1] == "scope_missing"
