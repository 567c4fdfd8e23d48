"""Tests of proofs that a person moves to another order, dismisses, or whose money goes back."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.core.enums import (
    LedgerKind,
    OrderAction,
    OrderStatus,
    ProofStatus,
    RejectReason,
    Verdict,
)
from shared.core.errors import DomainError
from shared.raffles.errors import (
    AmountOutOfBounds,
    NoteMissing,
    OrderAlreadyPaid,
    OrderNotFound,
    OrderNotPaid,
)
from shared.raffles.models import LedgerEntry, Order, PaymentProof, Raffle
from shared.raffles.proof_errors import (
    ProofElsewhere,
    ProofNotFound,
    ProofNotViewable,
    ProofRowExists,
    ProofSettled,
    ProofUnderReview,
    ProofUnseen,
)
from shared.raffles.results import ProofKept, ProofLate, Settled
from shared.raffles.services.proof_placement.proof_moves import ProofMoved
from shared.raffles.services.queries import refund_queries
from shared.use_cases import (
    late_payments,
    order_endings,
    orphan_proofs,
    payments,
    proof_sorting,
    reversals,
)
from shared.whatsapp.models import OutboundMessage, WhatsAppContact
from tests import builders
from tests.builders import DRAW, MINUTE, NOON, build_staff_actor
from tests.integration.conversation import chat
from tests.integration.raffles import order_states

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("check_inventory_after")]

LATER = NOON + timedelta(hours=3)


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle(numbers=20)


@pytest.fixture
def reviewed(raffle: Raffle) -> Order:
    return order_states.create_order_under_review(raffle, numbers=[1, 2])


@pytest.fixture
def waiting(raffle: Raffle) -> Order:
    return order_states.create_placed_order(raffle, numbers=[7])


def list_message_keys(contact: WhatsAppContact | None) -> list[str]:
    messages = OutboundMessage.objects.filter(contact=contact).order_by("pk")
    return list(messages.values_list("key", flat=True))


def move_proof(proof: PaymentProof, *, source: Order, target: Order) -> ProofMoved:
    return proof_sorting.move_proof(
        proof.pk,
        from_order_id=source.pk,
        to_order_id=target.pk,
        by=build_staff_actor(),
        now=LATER,
    )


def move_only_proof(source: Order, target: Order) -> ProofMoved:
    return move_proof(source.proofs.get(), source=source, target=target)


def create_second_receipt(raffle: Raffle) -> tuple[Order, PaymentProof]:
    order = order_states.create_paid_order(raffle, numbers=[1, 2])
    return order, order_states.receive_proof(order).proof


class TestMove:
    def test_puts_the_right_order_under_review_and_starts_the_clock_of_the_wrong_one(
        self, reviewed: Order, waiting: Order
    ) -> None:
        moved = move_only_proof(reviewed, waiting)

        assert (moved.left_review, moved.left_decision) == (True, False)
        source, target = map(order_states.reload_order, (reviewed, waiting))
        assert (source.under_review, source.expires_at) == (False, LATER + 30 * MINUTE)
        assert (target.under_review_since, target.expires_at) == (LATER, None)
        assert not reviewed.proofs.exists()
        assert waiting.proofs.get().verdict == Verdict.PENDING
        assert order_states.list_actions(reviewed)[-2:] == ["PROOF_MOVED", "REVIEW_ENDED"]
        left = reviewed.events.get(action=OrderAction.PROOF_MOVED)
        assert (left.reason, left.actor_label) == (f"to {waiting}", "rita")
        came = waiting.events.get(action=OrderAction.PROOF_RECEIVED)
        assert came.reason == f"moved from {reviewed} by rita"

    def test_the_clock_that_starts_again_ends_with_the_draw(
        self, raffle: Raffle, reviewed: Order, waiting: Order
    ) -> None:
        Raffle.objects.filter(pk=raffle.pk).update(draw_at=LATER + 5 * MINUTE)

        move_only_proof(reviewed, waiting)

        assert order_states.reload_order(reviewed).expires_at == LATER + 5 * MINUTE

    def test_another_proof_keeps_the_review(self, reviewed: Order, waiting: Order) -> None:
        order_states.receive_proof(reviewed)
        first = reviewed.proofs.first()
        assert first is not None

        moved = move_proof(first, source=reviewed, target=waiting)

        assert not moved.left_review
        assert order_states.reload_order(reviewed).under_review
        assert list_message_keys(reviewed.contact) == []
        assert list_message_keys(waiting.contact) == ["proof_attached"]

    def test_a_proof_whose_file_is_lost_does_not_keep_the_review(
        self, reviewed: Order, waiting: Order
    ) -> None:
        lost = order_states.receive_proof(reviewed).proof
        PaymentProof.objects.filter(pk=lost.pk).update(status=ProofStatus.FAILED, fetch_at=None)
        first = reviewed.proofs.first()
        assert first is not None

        assert move_proof(first, source=reviewed, target=waiting).left_review

    def test_tells_two_buyers_what_changes_for_each(self, reviewed: Order, waiting: Order) -> None:
        move_only_proof(reviewed, waiting)

        assert list_message_keys(reviewed.contact) == ["proof_moved"]
        assert list_message_keys(waiting.contact) == ["proof_attached"]
        told = chat.render_body(OutboundMessage.objects.get(key="proof_moved"))
        assert f"order *{reviewed.code}* belongs to another order." in told
        assert str(waiting) not in told
        assert "still waits for its own receipt: $10.00 by" in told

    def test_tells_a_buyer_of_both_orders_once(self, raffle: Raffle, reviewed: Order) -> None:
        other_raffle = builders.create_raffle(numbers=20)
        own = order_states.create_placed_order(other_raffle, numbers=[3], contact=reviewed.contact)

        move_only_proof(reviewed, own)

        assert list_message_keys(reviewed.contact) == ["proof_moved"]
        told = chat.render_body(OutboundMessage.objects.get(contact=reviewed.contact))
        assert f"belongs to order *{own.code}*, which we are checking now." in told

    def test_a_second_receipt_leaves_a_paid_order_as_it_is(
        self, raffle: Raffle, waiting: Order
    ) -> None:
        paid, second = create_second_receipt(raffle)

        move_proof(second, source=paid, target=waiting)

        assert order_states.reload_order(paid).status == OrderStatus.PAID
        assert order_states.reload_order(waiting).under_review
        assert list_message_keys(paid.contact) == []
        assert list_message_keys(waiting.contact) == ["proof_attached"]

    def test_a_late_payment_is_decided_when_its_last_proof_leaves(
        self, raffle: Raffle, waiting: Order
    ) -> None:
        late = order_states.create_late_order(raffle, numbers=[11, 12])

        moved = move_only_proof(late, waiting)

        assert moved.left_decision
        late = order_states.reload_order(late)
        assert (late.status, late.needs_decision) == (OrderStatus.EXPIRED, False)
        assert list_message_keys(late.contact) == ["proof_moved"]
        with pytest.raises(DomainError) as refusal:
            late_payments.note_refund(late.pk, note="x", by=build_staff_actor(), now=LATER)
        assert (refusal.value.code, refusal.value.details["by"]) == ("decision_made", "rita")

    def test_money_that_was_reported_without_a_proof_still_needs_a_decision(
        self, raffle: Raffle, waiting: Order
    ) -> None:
        ended = order_states.create_expired_order(raffle, numbers=[11, 12])
        order_states.create_held_order(raffle, numbers=[11])
        payments.confirm_payment(ended.pk, by=build_staff_actor(), now=LATER - MINUTE)
        proof = order_states.receive_proof(order_states.reload_order(ended)).proof

        moved = move_proof(proof, source=ended, target=waiting)

        assert not moved.left_decision
        assert order_states.reload_order(ended).needs_decision

    def test_an_expired_order_takes_its_free_numbers_back(
        self, raffle: Raffle, reviewed: Order
    ) -> None:
        ended = order_states.create_expired_order(raffle, numbers=[11, 12])

        moved = move_only_proof(reviewed, ended)

        assert isinstance(moved.outcome, ProofLate)
        assert moved.outcome.taken_back
        assert order_states.reload_order(ended).under_review
        assert list_message_keys(ended.contact) == ["late_proof_secured"]

    def test_places_a_hold(self, raffle: Raffle, reviewed: Order) -> None:
        held = order_states.create_held_order(raffle, numbers=[11])

        moved = move_only_proof(reviewed, held)

        assert isinstance(moved.outcome, ProofKept)
        assert order_states.reload_order(held).status == OrderStatus.PENDING_PAYMENT

    def test_after_the_draw_the_order_it_leaves_expires(
        self, raffle: Raffle, reviewed: Order, waiting: Order
    ) -> None:
        after = DRAW + MINUTE
        proof = reviewed.proofs.get()

        proof_sorting.move_proof(
            proof.pk,
            from_order_id=reviewed.pk,
            to_order_id=waiting.pk,
            by=build_staff_actor(),
            now=after,
        )
        order_endings.expire_due_orders(now=after + 3 * MINUTE)

        assert order_states.reload_order(reviewed).status == OrderStatus.EXPIRED
        assert order_states.reload_order(waiting).under_review

    def test_refuses_a_paid_order(self, raffle: Raffle, reviewed: Order) -> None:
        paid = order_states.create_paid_order(raffle, numbers=[5])

        with pytest.raises(OrderAlreadyPaid):
            move_only_proof(reviewed, paid)

        assert reviewed.proofs.count() == 1

    def test_refuses_the_order_it_belongs_to(self, reviewed: Order) -> None:
        with pytest.raises(ProofRowExists):
            move_only_proof(reviewed, reviewed)

    def test_refuses_a_file_that_is_lost(self, reviewed: Order, waiting: Order) -> None:
        reviewed.proofs.update(status=ProofStatus.FAILED)

        with pytest.raises(ProofNotViewable):
            move_only_proof(reviewed, waiting)

    def test_refuses_what_does_not_exist(self, reviewed: Order, waiting: Order) -> None:
        nothing = Order(pk=0)
        proof = reviewed.proofs.get()

        with pytest.raises(OrderNotFound):
            move_proof(proof, source=reviewed, target=nothing)
        with pytest.raises(ProofNotFound):
            move_proof(PaymentProof(pk=0), source=reviewed, target=waiting)

    def test_tells_whoever_comes_second_who_was_faster(
        self, raffle: Raffle, reviewed: Order, waiting: Order
    ) -> None:
        third = order_states.create_placed_order(raffle, numbers=[9])
        proof = reviewed.proofs.get()
        move_proof(proof, source=reviewed, target=waiting)

        with pytest.raises(ProofSettled) as refusal:
            move_proof(proof, source=reviewed, target=third)

        assert refusal.value.details == {
            "by": "rita",
            "at": LATER,
            "order_code": waiting.code,
            "verdict": "PENDING",
        }
        assert not third.proofs.exists()

    def test_refuses_a_proof_with_a_verdict(self, reviewed: Order, waiting: Order) -> None:
        payments.confirm_payment(reviewed.pk, by=build_staff_actor(), now=NOON)

        with pytest.raises(ProofSettled) as refusal:
            move_only_proof(reviewed, waiting)

        assert refusal.value.details["verdict"] == "ACCEPTED"


class TestVerdictAfterMove:
    """A verdict names the proofs it is about; one that has moved is not among them any more."""

    @pytest.mark.parametrize("others", [0, 1])
    def test_no_verdict_counts_a_proof_that_has_moved(
        self, reviewed: Order, waiting: Order, others: int
    ) -> None:
        proof = reviewed.proofs.get()
        for _ in range(others):
            order_states.receive_proof(reviewed)
        seen = list(reviewed.proofs.values_list("pk", flat=True))
        move_proof(proof, source=reviewed, target=waiting)
        decision: dict[str, Any] = {"by": build_staff_actor(), "now": LATER, "seen_proofs": seen}
        verdicts: list[Callable[[], object]] = [
            lambda: payments.confirm_payment(reviewed.pk, reviewed=True, **decision),
            lambda: payments.confirm_payment(reviewed.pk, **decision),
            lambda: payments.reject_payment(
                reviewed.pk, reason=RejectReason.ILLEGIBLE, note="", **decision
            ),
            lambda: payments.ask_for_better_proof(reviewed.pk, note="", **decision),
            lambda: order_endings.cancel_order(reviewed.pk, **decision),
        ]

        for decide in verdicts:
            with pytest.raises(ProofElsewhere) as refusal:
                decide()
            assert refusal.value.details == {"proof_ids": [proof.pk]}

        assert order_states.reload_order(reviewed).status == OrderStatus.PENDING_PAYMENT

    def test_a_verdict_on_the_other_order_must_have_seen_it(
        self, raffle: Raffle, reviewed: Order
    ) -> None:
        target = order_states.create_order_under_review(raffle, numbers=[7])
        seen = list(target.proofs.values_list("pk", flat=True))
        moved = reviewed.proofs.get()
        move_only_proof(reviewed, target)

        with pytest.raises(ProofUnseen) as refusal:
            payments.confirm_payment(target.pk, by=build_staff_actor(), now=LATER, seen_proofs=seen)

        assert refusal.value.details == {"proof_ids": [moved.pk]}


class TestDismissSecondReceipt:
    def test_leaves_the_order_paid_and_says_so_in_its_history(self, raffle: Raffle) -> None:
        paid, second = create_second_receipt(raffle)

        orphan_proofs.dismiss_proof(
            second.pk,
            order_id=paid.pk,
            note="The same transfer",
            tell_buyer=False,
            by=build_staff_actor(),
            now=LATER,
        )

        second.refresh_from_db()
        assert (second.verdict, second.note, second.reviewer) == (
            Verdict.DISMISSED,
            "The same transfer",
            "rita",
        )
        assert order_states.list_actions(paid)[-1] == "PROOF_DISMISSED"
        assert order_states.reload_order(paid).status == OrderStatus.PAID
        assert list_message_keys(paid.contact) == []

    def test_tells_the_buyer_if_that_is_wished(self, raffle: Raffle) -> None:
        paid, second = create_second_receipt(raffle)

        orphan_proofs.dismiss_proof(
            second.pk,
            order_id=paid.pk,
            note="The same transfer",
            tell_buyer=True,
            by=build_staff_actor(),
            now=LATER,
        )

        told = chat.render_body(OutboundMessage.objects.get(contact=paid.contact))
        assert f"order *{paid.code}*: it changes nothing about the order. The same tra" in told

    def test_refuses_a_proof_that_is_reviewed(self, reviewed: Order) -> None:
        with pytest.raises(ProofUnderReview):
            orphan_proofs.dismiss_proof(
                reviewed.proofs.get().pk,
                order_id=reviewed.pk,
                note="no",
                tell_buyer=True,
                by=build_staff_actor(),
                now=LATER,
            )

        assert reviewed.proofs.get().verdict == Verdict.PENDING

    def test_decides_about_a_late_payment_with_its_last_proof(self, raffle: Raffle) -> None:
        late = order_states.create_late_order(raffle, numbers=[11, 12])

        orphan_proofs.dismiss_proof(
            late.proofs.get().pk,
            order_id=late.pk,
            note="A cat",
            tell_buyer=False,
            by=build_staff_actor(),
            now=LATER,
        )

        assert not order_states.reload_order(late).needs_decision


class TestRefundSecondPayment:
    def refund(
        self, proof: PaymentProof, order: Order, *, amount: str | None = None, note: str = "Sent."
    ) -> PaymentProof:
        return proof_sorting.refund_second_payment(
            proof.pk,
            order_id=order.pk,
            amount=None if amount is None else Decimal(amount),
            note=note,
            by=build_staff_actor(),
            now=LATER,
            reference="T-1",
        )

    def test_notes_the_money_that_goes_back_and_keeps_the_order_paid(self, raffle: Raffle) -> None:
        paid, second = create_second_receipt(raffle)

        self.refund(second, paid, amount="12.50")

        entry = LedgerEntry.objects.get(kind=LedgerKind.LATE_REFUNDED)
        assert (entry.amount, entry.currency, entry.quantity, entry.reference) == (
            Decimal("12.50"),
            "USD",
            0,
            "T-1",
        )
        assert entry.confirmation == paid.events.get(action=OrderAction.PAID)
        paid = order_states.reload_order(paid)
        assert paid.status == OrderStatus.PAID
        assert not refund_queries.is_refunded(paid)
        second.refresh_from_db()
        assert second.verdict == Verdict.DISMISSED
        told = chat.render_body(OutboundMessage.objects.get(contact=paid.contact))
        assert "your second payment of $12.50 back. Sent." in told

    def test_is_the_total_unless_another_amount_is_said(self, raffle: Raffle) -> None:
        paid, second = create_second_receipt(raffle)

        self.refund(second, paid)

        assert LedgerEntry.objects.get(kind=LedgerKind.LATE_REFUNDED).amount == paid.total

    def test_never_makes_an_order_look_refunded_that_ends_later(self, raffle: Raffle) -> None:
        paid, second = create_second_receipt(raffle)
        self.refund(second, paid)
        confirmed = paid.events.get(action=OrderAction.PAID)
        reversals.undo_confirmation(
            paid.pk,
            confirmation_id=confirmed.pk,
            reason="too early",
            by=build_staff_actor(),
            now=LATER,
        )
        order_endings.cancel_order(paid.pk, by=build_staff_actor(), now=LATER)

        ended = order_states.reload_order(paid)

        assert ended.status == OrderStatus.CANCELLED
        assert not refund_queries.is_refunded(ended)
        condition = refund_queries.build_refunded_condition()
        assert not Order.objects.filter(condition, pk=paid.pk).exists()
        settled = payments.confirm_payment(paid.pk, by=build_staff_actor(), now=LATER)
        assert isinstance(settled, Settled)

    @pytest.mark.parametrize("amount", ["0", "-5", "1000000000000"])
    def test_refuses_an_amount_that_cannot_be(self, raffle: Raffle, amount: str) -> None:
        paid, second = create_second_receipt(raffle)

        with pytest.raises(AmountOutOfBounds):
            self.refund(second, paid, amount=amount)

    def test_needs_a_note_and_a_paid_order(self, raffle: Raffle, reviewed: Order) -> None:
        paid = order_states.create_paid_order(raffle, numbers=[5])
        second = order_states.receive_proof(paid).proof

        with pytest.raises(NoteMissing):
            self.refund(second, paid, note=" ")
        with pytest.raises(OrderNotPaid):
            self.refund(reviewed.proofs.get(), reviewed)
