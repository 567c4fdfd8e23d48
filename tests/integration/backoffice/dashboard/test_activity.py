"""Tests of "Who did what" and of the history pages of orders and raffles."""

from uuid import uuid4

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from shared.core.enums import ActorKind, RejectReason
from shared.raffles.actor import Actor
from shared.raffles.models import Order, Raffle
from shared.raffles.services import ledger_entries, lifecycle
from shared.use_cases import cash_sales, payments, reversals
from tests import builders
from tests.builders import MINUTE, NOON
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.pages import MAX_QUERIES, build_url

pytestmark = pytest.mark.django_db

LOG = "/admin/admin/logentry/"


def decide_everything() -> Order:
    """Confirm, undo, reject, confirm by a token and refund an order, and sell one for cash."""
    by, token = builders.build_staff_actor(), Actor(ActorKind.TOKEN, "1", "n8n")
    order = sample_data.place_order(numbers=[1])
    sample_data.receive_proof(order)
    payments.confirm_payment(order.pk, by=by, now=NOON + MINUTE)
    entry = ledger_entries.load_confirmation(order)
    reversals.undo_confirmation(
        order.pk, confirmation_id=entry.pk, reason="wrong one", by=by, now=NOON + 2 * MINUTE
    )
    payments.reject_payment(
        order.pk, reason=RejectReason.ILLEGIBLE, note="", by=by, now=NOON + 3 * MINUTE
    )
    sample_data.receive_proof(order)
    payments.confirm_payment(order.pk, by=token, now=NOON + 4 * MINUTE)
    confirmation = ledger_entries.load_confirmation(order)
    reversals.refund_order(
        order.pk,
        confirmation_id=confirmation.pk,
        note="asked for it",
        reference="TR-1",
        by=by,
        now=NOON + 5 * MINUTE,
    )
    cash_sales.sell_for_cash(
        order.raffle_id,
        numbers=[9],
        quantity=1,
        buyer_name="Walter",
        buyer_phone="",
        request_key=uuid4(),
        pivot=1,
        by=by,
        now=NOON + 6 * MINUTE,
    )
    return order


class TestWhoDidWhat:
    def test_has_every_decision_about_orders_beside_the_admin_log(
        self, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        order = decide_everything()

        with django_assert_max_num_queries(MAX_QUERIES):
            page = owner.get(LOG).content.decode()

        places = [
            page.index(words)
            for words in (
                "Sold for cash",
                "Refunded: ",
                "by the API",
                "Proof rejected",
                "Confirmation undone, under review again: wrong one",
            )
        ]
        assert places == sorted(places)
        assert page.count("Payment confirmed") == 2
        assert reverse("admin:raffles_order_change", args=[order.pk]) in page

    @pytest.mark.same_everywhere
    def test_is_searched_by_person_and_by_order(self, owner: Client) -> None:
        order = decide_everything()
        other = sample_data.place_order(numbers=[5], raffle=order.raffle)
        payments.confirm_payment(other.pk, by=Actor(ActorKind.STAFF, "9", "ida"), now=NOON)

        person = owner.get(LOG, {"q": "IDA"}).content.decode()
        found = owner.get(LOG, {"q": str(order).lower()}).content.decode()

        assert other.code
        assert order.code
        assert (other.code in person, order.code in person) == (True, False)
        assert (other.code in found, order.code in found) == (False, True)

    def test_pages_show_each_entry_once_also_those_of_one_moment(self, owner: Client) -> None:
        user = User.objects.get(username="olga")
        rows = [
            LogEntry(user=user, action_flag=CHANGE, object_repr=f"row {n:03}", action_time=NOON)
            for n in range(120)
        ]
        LogEntry.objects.bulk_create(rows)
        shown: list[str] = []
        query = ""
        for _ in range(3):
            activity = owner.get(f"{LOG}?{query}").context["activity"]
            shown += [entry.subject for entry in activity.entries]
            query = activity.following

        assert query == ""
        assert shown == [f"row {n:03}" for n in reversed(range(120))]

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize("cursor", ["before=x&shown=1", "before=" + "9" * 30, "shown=-1"])
    def test_bears_an_odd_cursor(self, owner: Client, cursor: str) -> None:
        assert owner.get(f"{LOG}?{cursor}").status_code == 200


@pytest.mark.same_everywhere
class TestHistoryPage:
    def test_of_an_order_has_its_own_history(self, owner: Client) -> None:
        order = decide_everything()

        page = owner.get(build_url(Order, "history", order.pk)).content.decode()

        assert "Nobody has changed" not in page
        assert "Confirmation undone, under review again" in page
        assert "n8n, API" in page

    def test_of_a_raffle_has_its_own_history(self, owner: Client) -> None:
        raffle = builders.create_raffle()
        lifecycle.pause(raffle.pk, by=Actor(ActorKind.TOKEN, "1", "n8n"), now=NOON)

        page = owner.get(build_url(Raffle, "history", raffle.pk)).content.decode()

        assert "n8n, by the API</bdi></strong> Paused" in page
