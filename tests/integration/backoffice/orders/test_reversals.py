"""Tests of undoing a confirmation and of refunding an order: pages, effects and messages."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from shared.core.enums import (
    LedgerKind,
    OrderAction,
    OrderStatus,
    ProofStatus,
    RaffleStatus,
    Verdict,
)
from shared.raffles.models import LedgerEntry, Order, PaymentProof, Raffle
from shared.use_cases import cash_sales, payments
from shared.whatsapp.models import OutboundMessage
from tests import builders
from tests.builders import MINUTE, NOON
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.pages import join_messages, log_in_reviewer, refresh_status

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]


LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def reviewer(db: None) -> Client:
    return log_in_reviewer()


@pytest.fixture
def seller(db: None) -> Client:
    browser = Client()
    browser.force_login(
        sample_data.create_user("sofia", *sample_data.REVIEWER_PERMISSIONS, "refund_order")
    )
    return browser


def create_paid_order(*, with_proof: bool = True, numbers: tuple[int, ...] = (7, 13)) -> Order:
    order = sample_data.place_order(numbers=list(numbers))
    if with_proof:
        sample_data.receive_kept_proof(order)
    payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=NOON + 2 * MINUTE)
    order.refresh_from_db()
    OutboundMessage.objects.all().delete()
    return order


def sell_for_cash() -> Order:
    return cash_sales.sell_for_cash(
        builders.create_raffle().pk,
        numbers=[7],
        quantity=1,
        buyer_name="Walter",
        buyer_phone="+1 555 0109",
        request_key=uuid4(),
        pivot=1,
        by=builders.build_staff_actor(),
        now=NOON,
    ).order


def get_confirmation_id(order: Order) -> int:
    return order.events.filter(action=OrderAction.PAID).latest("id").pk


def undo(browser: Client, order: Order, **form: Any) -> Any:
    address = reverse("admin:raffles_order_undo", args=[order.pk])
    usual = {"confirmation": get_confirmation_id(order), "reason": "wrong account"}
    return browser.post(address, {**usual, **form})


def refund(browser: Client, order: Order, **form: Any) -> Any:
    address = reverse("admin:raffles_order_refund", args=[order.pk])
    usual = {"confirmation": get_confirmation_id(order), "note": "sent back today"}
    return browser.post(address, {**usual, **form})


def load_order_page(browser: Client, order: Order) -> str:
    return browser.get(reverse("admin:raffles_order_change", args=[order.pk])).content.decode()


def load_review_page(browser: Client, order: Order, query: str = "") -> str:
    return browser.get(reverse("admin:desk_review", args=[order.pk]) + query).content.decode()


class TestUndo:
    def test_puts_the_order_under_review_again(self, reviewer: Client) -> None:
        order = create_paid_order()

        answer = undo(reviewer, order)

        assert refresh_status(order) == OrderStatus.PENDING_PAYMENT
        assert order.under_review
        assert "is undone: it is under review again" in join_messages(answer)
        assert answer["Location"] == reverse("admin:raffles_order_change", args=[order.pk])
        assert order.proofs.get().verdict == Verdict.PENDING
        assert order.events.latest("id").reason == "wrong account"
        assert OutboundMessage.objects.get().key == "unconfirmed"

    def test_follows_a_confirmation_on_the_review_page(self, reviewer: Client) -> None:
        order = sample_data.place_order()
        proof = sample_data.receive_kept_proof(order)
        confirmed = reviewer.post(
            reverse("admin:raffles_order_confirm", args=[order.pk]),
            {"seen": proof.pk, "then": "queue", "waited": "yes"},
        )
        page = f"{reverse('admin:desk_review', args=[order.pk])}?undo=yes"
        assert f'href="{page}">Undo</a>' in join_messages(confirmed)
        assert '<details class="undo" open>' in load_review_page(reviewer, order, "?undo=yes")

        answer = undo(reviewer, order, then="queue")

        assert answer["Location"] == reverse("admin:desk_review", args=[order.pk])
        shown = load_review_page(reviewer, order)
        assert "Rita undid its confirmation at" in shown
        assert "wrong account" in shown
        assert reverse("admin:raffles_order_confirm", args=[order.pk]) in shown

    def test_needs_a_reason(self, reviewer: Client) -> None:
        order = create_paid_order()

        answer = undo(reviewer, order, reason="  ")

        assert "Please write why" in join_messages(answer)
        assert refresh_status(order) == OrderStatus.PAID

    def test_that_is_repeated_says_so_and_changes_nothing(self, reviewer: Client) -> None:
        order = create_paid_order()
        undo(reviewer, order)

        answer = undo(log_in_reviewer("sam"), order)

        assert "rita undid this confirmation" in join_messages(answer)
        assert LedgerEntry.objects.filter(kind=LedgerKind.UNDONE).count() == 1

    def test_never_undoes_a_later_confirmation(self, reviewer: Client) -> None:
        order = create_paid_order()
        first = get_confirmation_id(order)
        undo(reviewer, order)
        payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=NOON + 9 * MINUTE)

        undo(reviewer, order, confirmation=first)

        assert refresh_status(order) == OrderStatus.PAID

    @pytest.mark.parametrize("confirmation", ["", "x", "9" * 5_000])
    def test_without_a_confirmation_changes_nothing(
        self, reviewer: Client, confirmation: str
    ) -> None:
        order = create_paid_order()

        answer = undo(reviewer, order, confirmation=confirmation)

        assert "Load the page again" in join_messages(answer)
        assert refresh_status(order) == OrderStatus.PAID

    def test_of_an_order_without_a_proof_is_reviewed_as_such(self, reviewer: Client) -> None:
        order = create_paid_order(with_proof=False)
        undo(reviewer, order)

        queue = reviewer.get(reverse("admin:desk_queue")).content.decode()
        page = load_review_page(reviewer, order)

        assert f">{order}</a>" in queue
        assert "No proof</span>" in queue
        assert "confirm only if you have seen the money" in page
        answer = reviewer.post(
            reverse("admin:raffles_order_reject", args=[order.pk]),
            {"reason": "NOT_CREDITED", "then": "queue"},
        )
        assert answer.status_code == 302
        order.refresh_from_db()
        assert not order.under_review

    @pytest.mark.parametrize(
        "changes",
        [
            {"status": RaffleStatus.SEALED},
            {"status": RaffleStatus.CANCELLED},
            {"draw_at": LONG_AGO},
        ],
    )
    def test_is_not_offered_when_it_is_too_late(
        self, reviewer: Client, changes: dict[str, Any]
    ) -> None:
        order = create_paid_order()
        Raffle.objects.update(**changes)

        for page in (load_order_page(reviewer, order), load_review_page(reviewer, order)):
            assert reverse("admin:raffles_order_undo", args=[order.pk]) not in page
        assert "Nothing was changed" in join_messages(undo(reviewer, order))
        assert refresh_status(order) == OrderStatus.PAID

    def test_is_not_offered_for_a_cash_sale(self, reviewer: Client) -> None:
        order = sell_for_cash()

        page = load_order_page(reviewer, order)

        assert reverse("admin:raffles_order_undo", args=[order.pk]) not in page
        assert "refund it" in join_messages(undo(reviewer, order))

    def test_is_not_for_those_who_may_only_look(self, client: Client) -> None:
        client.force_login(sample_data.create_user("looker", "view_order"))
        order = create_paid_order()

        assert reverse("admin:raffles_order_undo", args=[order.pk]) not in load_order_page(
            client, order
        )
        assert undo(client, order).status_code == 403


class TestRefund:
    def test_is_a_form_with_the_whole_amount(self, seller: Client) -> None:
        order = create_paid_order()
        address = reverse("admin:raffles_order_refund", args=[order.pk])
        assert address in load_order_page(seller, order)

        page = seller.get(address).content.decode()

        assert "Yes, refund $10.00" in page
        assert f'value="{get_confirmation_id(order)}"' in page
        assert "its numbers become free for others at once" in page

    def test_cancels_the_order_and_is_in_its_ledger(self, seller: Client) -> None:
        order = create_paid_order()

        answer = refund(seller, order, reference="TR-7")

        assert refresh_status(order) == OrderStatus.CANCELLED
        assert "is refunded ($10.00) and cancelled" in join_messages(answer)
        assert answer["Location"] == reverse("admin:raffles_order_change", args=[order.pk])
        entry = order.ledger.get(kind=LedgerKind.REFUNDED)
        assert (entry.reference, entry.actor_label) == ("TR-7", "sofia")
        page = load_order_page(seller, order)
        assert "−$10.00" in page
        assert "TR-7" in page
        assert "Refunded by sofia" in page
        assert reverse("admin:raffles_order_confirm", args=[order.pk]) not in page

    def test_after_the_sealing_is_only_noted(self, seller: Client) -> None:
        order = create_paid_order()
        Raffle.objects.update(status=RaffleStatus.SEALED)
        address = reverse("admin:raffles_order_refund", args=[order.pk])
        assert "The refund is only noted" in seller.get(address).content.decode()

        answer = refund(seller, order)

        assert refresh_status(order) == OrderStatus.PAID
        assert "its numbers stay as they are" in join_messages(answer)
        page = load_order_page(seller, order)
        assert "Its money went back" in page
        assert address not in page

    def test_of_a_cash_sale_asks_to_tell_the_buyer(self, seller: Client) -> None:
        order = sell_for_cash()

        answer = refund(seller, order)

        assert refresh_status(order) == OrderStatus.CANCELLED
        assert "tell the buyer" in join_messages(answer)

    @pytest.mark.parametrize(
        ("form", "words"),
        [
            ({"note": " "}, "This field is required"),
            ({"note": "x" * 501}, "at most 500 characters"),
            ({"reference": "x" * 101}, "at most 100 characters"),
            ({"confirmation": "x"}, "Load the page again"),
        ],
    )
    def test_says_what_is_wrong_and_keeps_what_was_typed(
        self, seller: Client, form: dict[str, str], words: str
    ) -> None:
        order = create_paid_order()

        answer = refund(seller, order, **{"reference": "TR-7", **form})

        assert answer.status_code == 200
        page = answer.content.decode()
        assert words in page
        assert form.get("reference", "TR-7") in page
        assert refresh_status(order) == OrderStatus.PAID

    def test_that_is_repeated_says_so(self, seller: Client) -> None:
        order = create_paid_order()
        refund(seller, order)

        assert "sofia refunded" in join_messages(refund(seller, order))
        assert order.ledger.filter(kind=LedgerKind.REFUNDED).count() == 1
        answer = seller.get(reverse("admin:raffles_order_refund", args=[order.pk]))
        assert "cannot be refunded. Refunded by sofia" in join_messages(answer)

    def test_of_an_undone_order_is_refused(self, seller: Client) -> None:
        order = create_paid_order()
        undo(seller, order)

        assert "is not paid" in join_messages(refund(seller, order))
        answer = seller.get(reverse("admin:raffles_order_refund", args=[order.pk]))
        assert "It is not paid" in join_messages(answer)

    def test_needs_its_permission(self, reviewer: Client) -> None:
        order = create_paid_order()
        address = reverse("admin:raffles_order_refund", args=[order.pk])

        assert address not in load_order_page(reviewer, order)
        assert reviewer.get(address).status_code == 403
        assert refund(reviewer, order).status_code == 403
        assert refresh_status(order) == OrderStatus.PAID

    def test_shows_in_the_lists_and_on_the_page_of_the_buyer(
        self, client: Client, seller: Client
    ) -> None:
        order = create_paid_order()
        refund(seller, order)
        client.force_login(User.objects.create_superuser("olga"))

        for address in (
            reverse("admin:raffles_order_changelist"),
            reverse("admin:desk_review", args=[order.pk]),
            reverse("admin:whatsapp_whatsappcontact_change", args=[order.contact_id]),
        ):
            assert ">Refunded</span>" in client.get(address).content.decode()


def let_the_draw_come() -> None:
    """Move the draw to the past, to just after all proofs; pages compare it with the real time."""
    Raffle.objects.update(draw_at=LONG_AGO)
    PaymentProof.objects.update(arrived_at=LONG_AGO - MINUTE)


class TestAfterTheDraw:
    def test_only_an_order_whose_first_proof_was_in_time_is_confirmed(
        self, reviewer: Client
    ) -> None:
        raffle = builders.create_raffle()
        in_time, never = (sample_data.place_order(raffle, numbers=[n]) for n in (7, 13))
        seen = sample_data.receive_kept_proof(in_time).pk
        let_the_draw_come()
        address = reverse("admin:raffles_order_confirm", args=[in_time.pk])

        assert address in load_review_page(reviewer, in_time)
        assert reverse("admin:raffles_order_confirm", args=[never.pk]) not in load_order_page(
            reviewer, never
        )

        reviewer.post(address, {"seen": seen, "waited": "yes"})
        assert refresh_status(in_time) == OrderStatus.PAID

    def test_a_rejection_says_that_it_ends_the_order(self, reviewer: Client) -> None:
        order = sample_data.place_order()
        sample_data.receive_kept_proof(order)
        let_the_draw_come()

        for page in (load_order_page(reviewer, order), load_review_page(reviewer, order)):
            assert "There is no time left to pay, so the order ends." in page

    def test_nothing_is_offered_once_the_raffle_is_sealed(self, reviewer: Client) -> None:
        order = sample_data.place_order()
        sample_data.receive_kept_proof(order)
        Raffle.objects.update(status=RaffleStatus.SEALED)

        order_page, review_page = (
            load_order_page(reviewer, order),
            load_review_page(reviewer, order),
        )

        for page in (order_page, review_page):
            assert "The raffle is sealed for its draw" in page
            for step in ("confirm", "reject", "cancel"):
                assert reverse(f"admin:raffles_order_{step}", args=[order.pk]) not in page

    def test_money_without_a_proof_in_time_is_put_on_the_list_of_refunds(
        self, reviewer: Client
    ) -> None:
        order = sample_data.place_order()
        sample_data.receive_kept_proof(order)
        PaymentProof.objects.update(status=ProofStatus.FAILED)
        let_the_draw_come()
        assert "puts it on the list of refunds" in load_review_page(reviewer, order)
        assert "put it on the list of refunds" in load_order_page(reviewer, order)

        reviewer.post(reverse("admin:raffles_order_confirm", args=[order.pk]))

        order.refresh_from_db()
        assert (order.status, order.needs_decision) == (OrderStatus.EXPIRED, True)

    def test_money_for_an_ended_order_is_put_on_the_list_of_refunds(self, reviewer: Client) -> None:
        order = sample_data.place_order()
        sample_data.expire_order(order)
        Raffle.objects.update(status=RaffleStatus.DRAWN)
        assert "put it on the list of refunds" in load_order_page(reviewer, order)

        answer = reviewer.post(reverse("admin:raffles_order_confirm", args=[order.pk]))

        assert "is on the list of refunds" in join_messages(answer)
        order.refresh_from_db()
        assert order.needs_decision
