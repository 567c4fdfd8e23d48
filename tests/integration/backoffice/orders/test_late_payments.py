"""Tests of the pages of late payments: the list and the decisions."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from shared.core.enums import OrderAction, OrderStatus, RaffleStatus, Verdict
from shared.raffles.models import Order, Raffle
from shared.whatsapp.models import OutboundMessage
from tests import builders
from tests.builders import MINUTE, NOON
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.pages import join_messages, log_in_reviewer, refresh_status
from tests.integration.backoffice.sample_data import expire_order

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]


@pytest.fixture
def reviewer(db: None) -> Client:
    return log_in_reviewer()


def create_late_payment(
    raffle: Raffle | None = None, *, numbers: tuple[int, int] = (7, 13)
) -> Order:
    """Create a paid order of two numbers, the first of which somebody else holds by now."""
    raffle = raffle or builders.create_raffle()
    late = sample_data.place_order(raffle, numbers=list(numbers))
    expire_order(late)
    other = sample_data.place_order(raffle, numbers=[numbers[0]])
    sample_data.receive_kept_proof(late, at=NOON + 90 * MINUTE)
    late.refresh_from_db()
    assert late.needs_decision
    assert other.status == OrderStatus.PENDING_PAYMENT
    OutboundMessage.objects.all().delete()
    return late


def post_decision(browser: Client, order: Order, way: str, **form: Any) -> Any:
    address = reverse(f"admin:desk_late_{way}", args=[order.pk])
    return browser.post(address, {"seen": order.proofs.get().pk, "then": "late", **form})


def load_ticket_numbers(order: Order) -> list[int]:
    return Order.objects.get(pk=order.pk).list_ticket_numbers()


class TestTheList:
    def test_tells_what_is_taken_and_what_is_free(self, reviewer: Client) -> None:
        order = create_late_payment()

        page = reviewer.get(reverse("admin:desk_late")).content.decode()

        assert f'href="/admin/queue/{order.pk}/">{order}</a>' in page
        assert '<s class="number gone" title="Somebody else has it">007</s>' in page
        assert '<span class="number">013</span>' in page
        assert "1 of 2 gone: replace or refund." in page

    def test_takes_as_many_queries_for_many_as_for_few(
        self, reviewer: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        raffle = builders.create_raffle()
        for number in range(1, 11, 2):
            create_late_payment(raffle, numbers=(number, number + 1))

        with django_assert_max_num_queries(12):
            reviewer.get(reverse("admin:desk_late"))
        with django_assert_max_num_queries(16):
            reviewer.get(reverse("admin:desk_review", args=[Order.objects.last().pk]))  # type: ignore[union-attr]

    def test_is_not_for_those_who_may_not_see_orders(self, client: Client) -> None:
        client.force_login(sample_data.create_user("other", "view_raffle"))

        assert client.get(reverse("admin:desk_late")).status_code == 403


class TestTheWaysOut:
    def test_are_on_the_review_page(self, reviewer: Client) -> None:
        order = create_late_payment()

        page = reviewer.get(reverse("admin:desk_review", args=[order.pk])).content.decode()

        assert "somebody else has" in page
        assert "Keep <span" in page
        assert reverse("admin:desk_late_replace", args=[order.pk]) in page
        assert reverse("admin:desk_late_refund", args=[order.pk]) in page
        assert reverse("admin:raffles_order_reject", args=[order.pk]) in page
        assert reverse("admin:raffles_order_confirm", args=[order.pk]) not in page

    def test_begin_with_taking_back_where_all_numbers_are_free_again(
        self, reviewer: Client
    ) -> None:
        order = create_late_payment()
        other = Order.objects.exclude(pk=order.pk).get()
        expire_order(other)
        address = reverse("admin:raffles_order_confirm", args=[order.pk])
        page = reviewer.get(reverse("admin:desk_review", args=[order.pk])).content.decode()
        assert f'action="{address}"' in page

        answer = reviewer.post(address, {"seen": order.proofs.get().pk, "then": "late"})

        assert refresh_status(order) == OrderStatus.PAID
        assert "taken back" in join_messages(answer)
        assert answer["Location"] == reverse("admin:desk_late")

    def test_after_the_draw_there_is_a_refund_only(self, reviewer: Client) -> None:
        order = create_late_payment()
        Raffle.objects.update(status=RaffleStatus.DRAWN)

        page = reviewer.get(reverse("admin:desk_review", args=[order.pk])).content.decode()

        assert reverse("admin:desk_late_refund", args=[order.pk]) in page
        assert reverse("admin:desk_late_replace", args=[order.pk]) not in page

    def test_free_numbers_are_offered(self, reviewer: Client) -> None:
        order = create_late_payment()

        answer = reviewer.get(reverse("admin:desk_late_free", args=[order.pk])).json()

        assert len(answer["free"]) == 10
        assert "007" not in answer["free"]

    def test_are_closed_to_staff_without_the_permission(self, client: Client) -> None:
        client.force_login(sample_data.create_user("looker", "view_order"))
        order = create_late_payment()

        for way in ("replace", "refund"):
            assert post_decision(client, order, way, note="sent back").status_code == 403
        assert refresh_status(order) == OrderStatus.EXPIRED
        assert order.needs_decision


class TestReplacing:
    def test_keeps_what_is_free_and_takes_random_ones_for_the_rest(self, reviewer: Client) -> None:
        order = create_late_payment()

        answer = post_decision(reviewer, order, "replace", how="random")

        assert refresh_status(order) == OrderStatus.PAID
        assert 13 in load_ticket_numbers(order)
        assert 7 not in load_ticket_numbers(order)
        assert f"{order} is paid with" in join_messages(answer)
        assert order.events.filter(action=OrderAction.NUMBERS_REPLACED).count() == 1
        assert OutboundMessage.objects.count() == 1

    def test_takes_the_numbers_as_they_were_typed(self, reviewer: Client) -> None:
        order = create_late_payment()

        post_decision(reviewer, order, "replace", how="typed", numbers="21 and #0022")

        assert load_ticket_numbers(order) == [21, 22]

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ("7, 21", "Somebody else has 007"),
            ("21", "It must be 2 numbers"),
            ("21, 500", "There is no 500"),
            ("some", "Write the numbers as"),
        ],
    )
    def test_says_what_is_wrong_with_them(self, reviewer: Client, typed: str, words: str) -> None:
        order = create_late_payment()

        answer = post_decision(reviewer, order, "replace", how="typed", numbers=typed)

        assert words in join_messages(answer)
        assert answer["Location"] == reverse("admin:desk_review", args=[order.pk])
        assert refresh_status(order) == OrderStatus.EXPIRED


class TestNotingARefund:
    def test_ends_it_with_the_note(self, reviewer: Client) -> None:
        order = create_late_payment()

        post_decision(reviewer, order, "refund", note="sent back today")

        order.refresh_from_db()
        assert order.needs_decision is False
        proof = order.proofs.get()
        assert (proof.verdict, proof.note) == (Verdict.DISMISSED, "sent back today")
        assert OutboundMessage.objects.count() == 1

    def test_needs_a_note(self, reviewer: Client) -> None:
        order = create_late_payment()

        assert "Please write why" in join_messages(post_decision(reviewer, order, "refund"))
        order.refresh_from_db()
        assert order.needs_decision

    def test_the_second_reviewer_hears_who_decided(self, reviewer: Client) -> None:
        order = create_late_payment()
        post_decision(reviewer, order, "refund", note="sent back")
        sam = log_in_reviewer("sam")

        for way, form in (("refund", {"note": "me too"}), ("replace", {"how": "random"})):
            answer = post_decision(sam, order, way, **form)
            assert "rita noted a refund at" in join_messages(answer)
        assert refresh_status(order) == OrderStatus.EXPIRED
        assert OutboundMessage.objects.count() == 1
