"""Tests of confirmations that are undone, and of paid orders that are refunded."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from shared.core.enums import (
    LedgerKind,
    OrderAction,
    OrderStatus,
    RaffleStatus,
    RejectReason,
    TicketStatus,
    Verdict,
)
from shared.core.errors import DomainError
from shared.raffles.actor import Actor
from shared.raffles.errors import (
    CashSaleNotUndone,
    ConfirmationReplaced,
    ConfirmationUndone,
    DecisionMade,
    DrawTimeReached,
    NoteMissing,
    NoteTooLong,
    OrderNotPaid,
    OrderRefunded,
    RaffleCalledOff,
    RaffleDrawn,
    RaffleSealed,
)
from shared.raffles.models import LedgerEntry, Order, Raffle
from shared.raffles.results import AlreadySettled, NeedsDecision, ProofLate, Reversed, Settled
from shared.raffles.services import ledger_entries
from shared.use_cases import cash_sales, late_payments, order_endings, payments, reversals
from shared.whatsapp.models import OutboundMessage
from tests import builders
from tests.builders import MINUTE, NOON, build_staff_actor, build_token_actor
from tests.integration.raffles import order_states

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("check_inventory_after")]

LATER = NOON + 5 * MINUTE


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle(numbers=12)


@pytest.fixture
def paid(raffle: Raffle) -> Order:
    """Create an order of 1, 2 and 3 that was confirmed with its proof."""
    return order_states.create_paid_order(raffle)


def find_confirmation(order: Order) -> int:
    return ledger_entries.load_confirmation(order).pk


def undo(order: Order, *, confirmation: int | None = None, reason: str = "Wrong row.") -> Reversed:
    return reversals.undo_confirmation(
        order.pk,
        confirmation_id=confirmation or find_confirmation(order),
        reason=reason,
        by=build_staff_actor(),
        now=LATER,
    )


def refund(
    order: Order, *, confirmation: int | None = None, note: str = "By bank.", reference: str = ""
) -> Reversed:
    return reversals.refund_order(
        order.pk,
        confirmation_id=confirmation or find_confirmation(order),
        note=note,
        reference=reference,
        by=build_staff_actor(),
        now=LATER,
    )


def confirm(order: Order, *, by: Actor | None = None) -> Settled | AlreadySettled | NeedsDecision:
    return payments.confirm_payment(order.pk, by=by or build_staff_actor(), now=LATER)


def sell_for_cash(raffle: Raffle) -> Order:
    sale = cash_sales.sell_for_cash(
        raffle.pk,
        numbers=[1, 2, 3],
        quantity=3,
        buyer_name="Cara",
        buyer_phone="",
        request_key=UUID(int=1),
        pivot=1,
        by=build_staff_actor(),
        now=NOON,
    )
    return sale.order


def set_status(raffle: Raffle, status: RaffleStatus) -> None:
    Raffle.objects.filter(pk=raffle.pk).update(status=status)


def list_message_keys(order: Order) -> list[str]:
    messages = OutboundMessage.objects.filter(about=order.code).order_by("pk")
    return list(messages.values_list("key", flat=True))


def list_ledger_kinds(order: Order) -> list[str]:
    return list(LedgerEntry.objects.filter(order=order).values_list("kind", flat=True))


class TestUndo:
    def test_holds_the_numbers_again_and_waits_for_a_verdict_on_the_same_proofs(
        self, raffle: Raffle, paid: Order
    ) -> None:
        outcome = undo(paid)

        order = order_states.reload_order(paid)
        assert not outcome.repeated
        assert (order.status, order.under_review_since, order.expires_at, order.closed_at) == (
            OrderStatus.PENDING_PAYMENT,
            LATER,
            None,
            None,
        )
        assert set(order_states.list_ticket_statuses(raffle, 1, 2, 3)) == {TicketStatus.RESERVED}
        proof = order.proofs.get()
        assert (proof.verdict, proof.reviewer, proof.reviewed_at) == (Verdict.PENDING, "", None)
        assert order_states.list_actions(order)[-1] == OrderAction.UNCONFIRMED
        assert list_ledger_kinds(order) == [LedgerKind.CONFIRMED, LedgerKind.UNDONE]
        assert list_message_keys(order)[-1] == "unconfirmed"

    def test_leaves_an_earlier_rejected_proof_rejected(self, raffle: Raffle) -> None:
        order = order_states.create_order_under_review(raffle)
        order_states.reject_proofs(order)
        order_states.receive_proof(order)
        confirm(order)

        undo(order)

        verdicts = order.proofs.order_by("pk").values_list("verdict", flat=True)
        assert list(verdicts) == [Verdict.REJECTED, Verdict.PENDING]

    def test_reviews_an_order_that_was_confirmed_without_a_proof(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)
        confirm(order)

        undo(order)

        assert order_states.reload_order(order).under_review
        assert isinstance(confirm(order), Settled)

    def test_lets_an_order_without_a_proof_be_rejected(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)
        confirm(order)
        undo(order)

        payments.reject_payment(
            order.pk,
            reason=RejectReason.NOT_CREDITED,
            note="",
            by=build_staff_actor(),
            now=LATER,
        )

        assert order_states.reload_order(order).expires_at == LATER + 30 * MINUTE

    def test_without_a_proof_leads_to_a_refund_once_the_draw_has_come(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)
        confirm(order)
        undo(order)
        Raffle.objects.filter(pk=raffle.pk).update(draw_at=LATER)

        outcome = confirm(order)

        order = order_states.reload_order(order)
        assert isinstance(outcome, NeedsDecision)
        assert (order.status, order.needs_decision) == (OrderStatus.EXPIRED, True)
        assert list_message_keys(order)[-1] == "late_payment"

    def test_does_not_undo_a_sale_for_cash(self, raffle: Raffle) -> None:
        sold = sell_for_cash(raffle)

        with pytest.raises(CashSaleNotUndone):
            undo(sold)

    def test_repeats_without_a_second_message(self, paid: Order) -> None:
        confirmation = find_confirmation(paid)
        undo(paid, confirmation=confirmation)

        again = undo(paid, confirmation=confirmation)

        assert (again.repeated, again.by, again.at) == (True, "rita", LATER)
        assert list_message_keys(paid).count("unconfirmed") == 1

    def test_repeated_after_the_next_confirmation_leaves_that_one(self, paid: Order) -> None:
        first = find_confirmation(paid)
        undo(paid)
        confirm(paid)

        again = undo(paid, confirmation=first)

        assert again.repeated
        assert order_states.reload_order(paid).status == OrderStatus.PAID

    def test_names_the_confirmation_that_replaced_the_one_meant(
        self, raffle: Raffle, paid: Order
    ) -> None:
        other = order_states.create_paid_order(raffle, numbers=[5])

        with pytest.raises(ConfirmationReplaced) as refusal:
            undo(paid, confirmation=find_confirmation(other))

        assert refusal.value.details == {"confirmation_id": find_confirmation(paid)}

    @pytest.mark.parametrize(
        ("reason", "error"),
        [("", NoteMissing), (" \n", NoteMissing), ("x" * 100_000, NoteTooLong)],
    )
    def test_needs_a_reason_that_is_not_too_long(
        self, paid: Order, reason: str, error: type[DomainError]
    ) -> None:
        with pytest.raises(error):
            undo(paid, reason=reason)

    @pytest.mark.parametrize(
        "status", [OrderStatus.DRAFT, OrderStatus.PENDING_PAYMENT, OrderStatus.CANCELLED]
    )
    def test_needs_a_paid_order(self, raffle: Raffle, status: OrderStatus) -> None:
        order = order_states.create_order_in_status(raffle, status)

        with pytest.raises(OrderNotPaid):
            undo(order, confirmation=1)

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (RaffleStatus.SEALED, RaffleSealed),
            (RaffleStatus.DRAWN, RaffleDrawn),
            (RaffleStatus.CANCELLED, RaffleCalledOff),
        ],
    )
    def test_ends_with_the_sealing_or_the_call_off(
        self, raffle: Raffle, paid: Order, status: RaffleStatus, error: type[DomainError]
    ) -> None:
        set_status(raffle, status)

        with pytest.raises(error):
            undo(paid)

    def test_ends_with_the_time_of_the_draw(self, raffle: Raffle, paid: Order) -> None:
        Raffle.objects.filter(pk=raffle.pk).update(draw_at=LATER)

        with pytest.raises(DrawTimeReached):
            undo(paid)


class TestTokenAfterAnUndo:
    def test_does_not_confirm_again_until_a_person_decides(self, paid: Order) -> None:
        undo(paid)

        with pytest.raises(ConfirmationUndone) as refusal:
            confirm(paid, by=build_token_actor())

        assert refusal.value.details == {"by": "rita", "at": LATER}
        assert isinstance(confirm(paid), Settled)

    def test_confirms_the_next_proof_after_a_person_rejected_the_last(self, paid: Order) -> None:
        undo(paid)
        payments.reject_payment(
            paid.pk, reason=RejectReason.REPEATED, note="", by=build_staff_actor(), now=LATER
        )
        order_states.receive_proof(order_states.reload_order(paid))

        assert isinstance(confirm(paid, by=build_token_actor()), Settled)

    def test_does_not_decide_by_its_own_rejection(self, paid: Order) -> None:
        undo(paid)
        payments.reject_payment(
            paid.pk, reason=RejectReason.REPEATED, note="", by=build_token_actor(), now=LATER
        )

        with pytest.raises(ConfirmationUndone):
            confirm(paid, by=build_token_actor())

    def test_does_not_confirm_an_order_that_expired_meanwhile(self, paid: Order) -> None:
        undo(paid)
        payments.reject_payment(
            paid.pk, reason=RejectReason.REPEATED, note="", by=build_token_actor(), now=LATER
        )
        order_endings.expire_due_orders(now=LATER + 60 * MINUTE)

        with pytest.raises(ConfirmationUndone):
            confirm(paid, by=build_token_actor())

        assert order_states.reload_order(paid).status == OrderStatus.EXPIRED


class TestRefund:
    @pytest.mark.parametrize("status", [RaffleStatus.OPEN, RaffleStatus.CANCELLED])
    def test_cancels_the_order_and_frees_its_numbers_before_the_sealing(
        self, raffle: Raffle, paid: Order, status: RaffleStatus
    ) -> None:
        set_status(raffle, status)

        refund(paid, reference="TX-1")

        order = order_states.reload_order(paid)
        entry = LedgerEntry.objects.get(order=order, kind=LedgerKind.REFUNDED)
        assert (order.status, order.closed_at) == (OrderStatus.CANCELLED, LATER)
        assert set(order_states.list_ticket_statuses(raffle, 1, 2, 3)) == {TicketStatus.AVAILABLE}
        assert (entry.amount, entry.currency, entry.reference, entry.actor_label) == (
            Decimal("15.00"),
            "USD",
            "TX-1",
            "rita",
        )
        assert list_message_keys(order)[-1] == "refunded"

    @pytest.mark.parametrize("status", [RaffleStatus.SEALED, RaffleStatus.DRAWN])
    def test_is_a_note_only_after_the_sealing(
        self, raffle: Raffle, paid: Order, status: RaffleStatus
    ) -> None:
        set_status(raffle, status)
        before = order_states.reload_order(paid)

        refund(paid)

        after = order_states.reload_order(paid)
        assert (after.status, after.closed_at) == (OrderStatus.PAID, before.closed_at)
        assert set(order_states.list_ticket_statuses(raffle, 1, 2, 3)) == {TicketStatus.SOLD}
        assert order_states.list_actions(after)[-1] == OrderAction.REFUNDED

    @pytest.mark.parametrize("status", [RaffleStatus.OPEN, RaffleStatus.SEALED])
    def test_repeats_without_a_second_row(
        self, raffle: Raffle, paid: Order, status: RaffleStatus
    ) -> None:
        set_status(raffle, status)
        confirmation = find_confirmation(paid)
        refund(paid, confirmation=confirmation)

        again = refund(paid, confirmation=confirmation)

        assert again.repeated
        assert list_ledger_kinds(paid) == [LedgerKind.CONFIRMED, LedgerKind.REFUNDED]
        assert list_message_keys(paid).count("refunded") == 1

    def test_refunds_a_sale_for_cash(self, raffle: Raffle) -> None:
        sold = sell_for_cash(raffle)

        refund(sold)

        assert order_states.reload_order(sold).status == OrderStatus.CANCELLED

    @pytest.mark.parametrize(
        ("note", "reference", "error"),
        [
            ("", "", NoteMissing),
            ("x" * 100_000, "", NoteTooLong),
            ("By bank.", "x" * 101, NoteTooLong),
        ],
    )
    def test_needs_a_note_and_takes_none_that_is_too_long(
        self, paid: Order, note: str, reference: str, error: type[DomainError]
    ) -> None:
        with pytest.raises(error):
            refund(paid, note=note, reference=reference)

        assert order_states.reload_order(paid).status == OrderStatus.PAID

    @pytest.mark.parametrize("by", [build_staff_actor(), build_token_actor()])
    def test_is_never_confirmed_again(self, paid: Order, by: Actor) -> None:
        refund(paid)

        with pytest.raises(OrderRefunded):
            confirm(paid, by=by)

    def test_is_never_undone_after_the_sealing(self, raffle: Raffle, paid: Order) -> None:
        set_status(raffle, RaffleStatus.SEALED)
        refund(paid)

        with pytest.raises(OrderRefunded):
            undo(paid)

    def test_a_proof_after_it_is_flagged_and_can_only_be_refunded(self, paid: Order) -> None:
        refund(paid)

        outcome = order_states.receive_proof(order_states.reload_order(paid), arrived_at=LATER)

        assert isinstance(outcome, ProofLate)
        order = order_states.reload_order(paid)
        assert (order.status, order.needs_decision) == (OrderStatus.CANCELLED, True)
        terms: dict[str, Any] = {"by": build_staff_actor(), "now": LATER}
        with pytest.raises(OrderRefunded):
            late_payments.take_back_numbers(paid.pk, **terms)
        with pytest.raises(OrderRefunded):
            late_payments.replace_numbers(paid.pk, numbers=None, pivot=1, **terms)
        late_payments.note_refund(paid.pk, note="Twice paid.", **terms)
        assert list_ledger_kinds(paid)[-1] == LedgerKind.LATE_REFUNDED

    def test_of_an_undone_confirmation_is_refused(self, paid: Order) -> None:
        confirmation = find_confirmation(paid)
        undo(paid)

        with pytest.raises(OrderNotPaid):
            refund(paid, confirmation=confirmation)
        confirm(paid)
        with pytest.raises(ConfirmationReplaced):
            refund(paid, confirmation=confirmation)


class TestLateRefund:
    def test_of_an_order_is_decided_once(self, raffle: Raffle) -> None:
        late = order_states.create_late_order(raffle)
        terms: dict[str, Any] = {"note": "Sent back.", "by": build_staff_actor(), "now": LATER}
        late_payments.note_refund(late.pk, **terms)

        with pytest.raises(DecisionMade):
            late_payments.note_refund(late.pk, **terms)

        assert list_ledger_kinds(late) == [LedgerKind.LATE_REFUNDED]
