"""What staff decide about an order in the admin: who may, what is done, and what they are told."""

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import transaction
from django.test import Client
from django.urls import reverse

from shared.core.enums import OrderAction, OrderStatus, RaffleStatus, TicketStatus, Verdict
from shared.raffles.models import Order, Raffle
from shared.raffles.services import orders
from shared.whatsapp.models import OutboundMessage
from tests import builders
from tests.builders import MINUTE, NOON
from tests.integration.backoffice import shop

pytestmark = pytest.mark.django_db

DECISIONS = ["confirm", "reject", "cancel"]


@pytest.fixture
def reviewer(client: Client) -> Client:
    client.force_login(shop.a_user("rita", *shop.REVIEWER, "view_paymentproof"))
    return client


def decide(browser: Client, order: Order, decision: str, **form: Any) -> Any:
    return browser.post(reverse(f"admin:raffles_order_{decision}", args=[order.pk]), form)


def said(answer: Any) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def status_of(order: Order) -> str:
    order.refresh_from_db()
    return order.status


def expire(order: Order) -> None:
    with transaction.atomic():
        assert orders.expire(orders.lock(order.pk), now=NOON + 60 * MINUTE)


class TestWhoMayDecide:
    @pytest.mark.parametrize("decision", DECISIONS)
    def test_staff_without_the_permission_get_403(self, client: Client, decision: str) -> None:
        client.force_login(shop.a_user("looker", "view_order"))
        order = shop.an_order()

        answer = decide(client, order, decision, sure="yes")

        assert answer.status_code == 403
        assert status_of(order) == OrderStatus.PENDING_PAYMENT

    @pytest.mark.parametrize("decision", DECISIONS)
    def test_nobody_decides_by_following_a_link(self, reviewer: Client, decision: str) -> None:
        order = shop.an_order()

        answer = reviewer.get(reverse(f"admin:raffles_order_{decision}", args=[order.pk]))

        assert answer.status_code == 405
        assert status_of(order) == OrderStatus.PENDING_PAYMENT

    @pytest.mark.parametrize("decision", DECISIONS)
    def test_a_form_of_another_site_is_turned_down(self, decision: str) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(shop.a_user("rita", *shop.REVIEWER))
        order = shop.an_order()

        answer = decide(strict, order, decision, sure="yes")

        assert answer.status_code == 403
        assert status_of(order) == OrderStatus.PENDING_PAYMENT

    @pytest.mark.parametrize("decision", DECISIONS)
    def test_a_stranger_is_sent_to_the_login(self, client: Client, decision: str) -> None:
        order = shop.an_order()

        answer = decide(client, order, decision, sure="yes")

        assert answer.status_code == 302
        assert "/admin/login/" in answer["Location"]
        assert status_of(order) == OrderStatus.PENDING_PAYMENT

    @pytest.mark.parametrize("decision", DECISIONS)
    def test_an_order_that_does_not_exist_is_404(self, reviewer: Client, decision: str) -> None:
        for key in (999, 10**20):
            answer = reviewer.post(reverse(f"admin:raffles_order_{decision}", args=[key]))

            assert answer.status_code == 404

    def test_the_page_of_who_may_only_look_has_no_buttons(self, client: Client) -> None:
        client.force_login(shop.a_user("looker", "view_order"))
        order = shop.an_order()

        page = client.get(reverse("admin:raffles_order_change", args=[order.pk]))

        assert page.status_code == 200
        assert b"/confirm/" not in page.content


class TestConfirm:
    def test_sells_tells_and_returns_to_the_order(self, reviewer: Client) -> None:
        order = shop.an_order(numbers=[7, 13])
        proof = shop.with_file(shop.a_proof(order))

        answer = decide(reviewer, order, "confirm", seen=[proof.pk])

        assert answer.status_code == 302
        assert answer["Location"] == reverse("admin:raffles_order_change", args=[order.pk])
        assert status_of(order) == OrderStatus.PAID
        assert "007, 013 are sold" in said(answer)
        assert OutboundMessage.objects.filter(key="paid", contact=order.contact).count() == 1
        event = order.events.get(action=OrderAction.PAID)
        assert (event.actor_kind, event.actor_label) == ("STAFF", "rita")
        assert order.proofs.get().verdict == Verdict.ACCEPTED

    def test_a_second_time_changes_nothing_and_says_who_was_first(self, reviewer: Client) -> None:
        order = shop.an_order()
        decide(reviewer, order, "confirm")

        answer = decide(reviewer, order, "confirm")

        assert "already confirmed by rita on" in said(answer)
        assert OutboundMessage.objects.filter(key="paid").count() == 1

    def test_a_proof_that_came_after_the_page_was_drawn_stops_it(self, reviewer: Client) -> None:
        order = shop.an_order()
        seen = shop.a_proof(order)
        shop.a_proof(order)

        answer = decide(reviewer, order, "confirm", seen=[seen.pk])

        assert "was not looked at" in said(answer)
        assert status_of(order) == OrderStatus.PENDING_PAYMENT

    def test_the_page_names_the_proofs_it_shows(self, reviewer: Client) -> None:
        order = shop.an_order()
        shown = [shop.a_proof(order).pk, shop.a_proof(order).pk]

        page = reviewer.get(reverse("admin:raffles_order_change", args=[order.pk])).content.decode()

        form = page.split("/confirm/")[1].split("</form>")[0]
        assert [f'name="seen" value="{key}"' in form for key in shown] == [True, True]

    def test_late_numbers_are_taken_back_when_free(self, reviewer: Client) -> None:
        order = shop.an_order()
        expire(order)

        answer = decide(reviewer, order, "confirm")

        assert status_of(order) == OrderStatus.PAID
        assert "taken back" in said(answer)

    def test_gone_numbers_are_named_and_nothing_is_sold(self, reviewer: Client) -> None:
        raffle = builders.raffle()
        late = shop.an_order(raffle, numbers=[7, 13])
        expire(late)
        shop.an_order(raffle, numbers=[7])

        answer = decide(reviewer, late, "confirm")

        assert "somebody else has 007; still free: 013" in said(answer)
        assert status_of(late) == OrderStatus.EXPIRED
        assert late.needs_decision
        page = reviewer.get(answer["Location"]).content.decode()
        assert '<s class="number gone" title="Somebody else has it">007</s>' in page
        assert '<span class="number">013</span>' in page

    def test_a_refusal_becomes_a_message(self, reviewer: Client) -> None:
        hold = shop.a_hold(builders.raffle(), numbers=[7])

        answer = decide(reviewer, hold, "confirm")

        assert answer.status_code == 302
        assert "has not confirmed this order yet" in said(answer)

    def test_after_the_draw_nothing_is_sold(self, reviewer: Client) -> None:
        order = shop.an_order()
        Raffle.objects.update(status=RaffleStatus.DRAWN)

        answer = decide(reviewer, order, "confirm")

        assert "The raffle is drawn" in said(answer)
        assert status_of(order) == OrderStatus.PENDING_PAYMENT


class TestReject:
    def test_turns_the_proof_down_with_its_reason(self, reviewer: Client) -> None:
        order = shop.an_order()
        proof = shop.a_proof(order)

        answer = decide(
            reviewer, order, "reject", reason="WRONG_AMOUNT", note="5 missing", seen=[proof.pk]
        )

        assert answer.status_code == 302
        order.refresh_from_db()
        assert order.under_review_since is None
        assert order.expires_at is not None
        proof.refresh_from_db()
        assert (proof.verdict, proof.reject_reason) == (Verdict.REJECTED, "WRONG_AMOUNT")
        assert OutboundMessage.objects.filter(key="rejected").count() == 1

    def test_settles_a_late_payment_whose_numbers_are_gone(self, reviewer: Client) -> None:
        raffle = builders.raffle()
        late = shop.an_order(raffle, numbers=[7])
        expire(late)
        shop.an_order(raffle, numbers=[7])
        proof = shop.a_proof(late)
        page = reviewer.get(reverse("admin:raffles_order_change", args=[late.pk]))
        assert b"Reject the proof" in page.content

        decide(reviewer, late, "reject", reason="OTHER", seen=[proof.pk])

        assert status_of(late) == OrderStatus.EXPIRED
        assert late.needs_decision is False

    @pytest.mark.parametrize("reason", ["", "NO_SUCH_REASON"])
    def test_wants_one_of_the_listed_reasons(self, reviewer: Client, reason: str) -> None:
        order = shop.an_order()
        proof = shop.a_proof(order)

        answer = decide(reviewer, order, "reject", reason=reason, seen=[proof.pk])

        assert "Choose why" in said(answer)
        proof.refresh_from_db()
        assert proof.verdict == Verdict.PENDING

    def test_without_a_proof_there_is_nothing_to_reject(self, reviewer: Client) -> None:
        order = shop.an_order()

        answer = decide(reviewer, order, "reject", reason="OTHER")

        assert "no payment proof" in said(answer)


class TestCancel:
    def test_asks_once_more_before_it_does(self, reviewer: Client) -> None:
        order = shop.an_order()
        shop.a_proof(order)

        asked = decide(reviewer, order, "cancel")

        assert asked.status_code == 200
        assert b"Yes, cancel the order" in asked.content
        assert b"may have paid already" in asked.content
        assert status_of(order) == OrderStatus.PENDING_PAYMENT

    def test_frees_the_numbers(self, reviewer: Client) -> None:
        order = shop.an_order()

        answer = decide(reviewer, order, "cancel", sure="yes", reason="the buyer asked")

        assert status_of(order) == OrderStatus.CANCELLED
        assert order.raffle.numbers.filter(status=TicketStatus.RESERVED).count() == 0
        assert "is cancelled" in said(answer)
        assert order.events.get(action=OrderAction.CANCELLED).reason == "the buyer asked"

    def test_a_paid_order_stays_paid(self, reviewer: Client) -> None:
        order = shop.an_order()
        decide(reviewer, order, "confirm")

        answer = decide(reviewer, order, "cancel", sure="yes")

        assert "The order is paid" in said(answer)
        assert status_of(order) == OrderStatus.PAID
