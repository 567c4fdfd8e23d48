"""Tests of notes about an order, and of more time for its buyer."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from shared.core.enums import OrderAction
from shared.raffles.models import Order
from shared.whatsapp.models import OutboundMessage, WhatsAppContact
from tests.builders import MINUTE
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.pages import build_url, join_messages, log_in_reviewer

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]


@pytest.fixture
def reviewer(db: None) -> Client:
    return log_in_reviewer()


def post(browser: Client, order: Order, name: str, **form: Any) -> Any:
    return browser.post(reverse(f"admin:raffles_order_{name}", args=[order.pk]), form)


def create_order_that_ends_soon() -> Order:
    """Place an order that has five minutes left."""
    order = sample_data.place_order()
    order.raffle.draw_at = None
    order.raffle.save()
    order.expires_at = timezone.now() + 5 * MINUTE
    order.save()
    return order


class TestBotState:
    def test_says_that_the_buyer_waits_for_a_person(self, owner: Client) -> None:
        order = sample_data.place_order()
        address = build_url(Order, "change", order.pk)
        before = owner.get(address).content.decode()
        WhatsAppContact.objects.update(wants_person_at=timezone.now() - 12 * MINUTE)

        text = owner.get(address).content.decode()

        assert "for a person" not in before
        assert "They have waited for a person for 12 min." in text


class TestNotes:
    def test_stand_in_the_history_and_on_the_review_page(self, reviewer: Client) -> None:
        order = sample_data.place_order()
        sample_data.receive_kept_proof(order)

        answer = post(reviewer, order, "note", note="Called them.\r\nPays <b>Friday</b>")

        page = build_url(Order, "change", order.pk)
        assert answer["Location"] == page
        assert "The note is in the history" in join_messages(answer)
        note = order.events.get(action=OrderAction.NOTE_ADDED)
        assert (note.reason, note.actor_label) == ("Called them.\nPays <b>Friday</b>", "rita")
        review = reverse("admin:desk_review", args=[order.pk])
        for address in (page, review):
            text = reviewer.get(address).content.decode()
            assert "Pays &lt;b&gt;Friday&lt;/b&gt;" in text
            assert "Add a note" in text

    def test_return_to_the_review_page_they_were_written_on(self, reviewer: Client) -> None:
        order = sample_data.place_order()

        answer = post(reviewer, order, "note", note="Called them.", then="queue")

        assert answer["Location"] == reverse("admin:desk_review", args=[order.pk])

    @pytest.mark.parametrize(
        ("note", "told"), [(" ", "The note is empty"), ("x" * 501, "The note is too long")]
    )
    def test_are_refused_if_empty_or_too_long(self, reviewer: Client, note: str, told: str) -> None:
        order = sample_data.place_order()

        assert told in join_messages(post(reviewer, order, "note", note=note))
        assert not order.events.filter(action=OrderAction.NOTE_ADDED).exists()


class TestMoreTime:
    def test_is_given_with_one_tap_and_told(self, reviewer: Client) -> None:
        order = create_order_that_ends_soon()
        before = order.expires_at
        page = build_url(Order, "change", order.pk)
        assert "Give more time" in reviewer.get(page).content.decode()

        answer = post(reviewer, order, "more_time")

        assert answer["Location"] == page
        assert f"{order} has time until" in join_messages(answer)
        order.refresh_from_db()
        assert before is not None
        assert order.expires_at is not None
        assert order.expires_at > before + 24 * MINUTE
        assert OutboundMessage.objects.filter(key="more_time", contact=order.contact).count() == 1
        assert "More time given" in reviewer.get(page).content.decode()

    def test_is_not_offered_and_refused_while_no_clock_runs(self, reviewer: Client) -> None:
        order = create_order_that_ends_soon()
        sample_data.receive_kept_proof(order)

        page = reviewer.get(build_url(Order, "change", order.pk)).content.decode()
        answer = post(reviewer, order, "more_time")

        assert "Give more time" not in page
        assert "under review, so its time does not run out" in join_messages(answer)

    def test_is_given_to_many_orders_each_by_itself(self, reviewer: Client) -> None:
        ends_soon = create_order_that_ends_soon()
        reviewed = sample_data.place_order(ends_soon.raffle, numbers=[8])
        sample_data.receive_kept_proof(reviewed)
        chosen = {"action": "give_more_time", "_selected_action": [ends_soon.pk, reviewed.pk]}

        shown = reviewer.post(build_url(Order, "changelist"), chosen).content.decode()
        many = reverse("admin:raffles_order_more_time_many")
        done = reviewer.post(many, {"order": [ends_soon.pk, reviewed.pk]}, follow=True)

        assert "Give the ticked orders more time" in shown
        assert "does not run out" in shown
        text = done.content.decode()
        assert "has time until" in text
        assert "could not: The order is under review" in text


def test_whoever_only_looks_gets_403_and_no_form(client: Client) -> None:
    order = create_order_that_ends_soon()
    client.force_login(sample_data.create_user("looker", "view_order"))

    page = client.get(build_url(Order, "change", order.pk)).content.decode()

    assert "Add a note" not in page
    assert "Give more time" not in page
    for name in ("note", "more_time", "more_time_many"):
        arguments = [] if name.endswith("many") else [order.pk]
        address = reverse(f"admin:raffles_order_{name}", args=arguments)
        assert client.post(address, {"note": "x"}).status_code == 403
        assert client.get(address).status_code == 405
