"""Payment proofs that a person sorts: locked, dismissed, or their money sent back.

The functions run inside the caller's transaction, with the contacts locked first, then the order if
there is one, and the proof last, by `lock_pending_proof`.
"""

from datetime import datetime
from decimal import Decimal
from typing import Final

from shared.core.enums import LedgerKind, OrderAction, OrderStatus, Verdict
from shared.raffles.actor import Actor
from shared.raffles.errors import AmountOutOfBounds, OrderNotPaid
from shared.raffles.models import Order, PaymentProof
from shared.raffles.notes import MAX_REFERENCE_LENGTH, clean_note
from shared.raffles.proof_errors import ProofNotFound, ProofSettled, ProofUnderReview
from shared.raffles.services import history, ledger_entries
from shared.raffles.services.payment_proofs import late_flags

MAX_REFUND: Final = Decimal("999999999999.99")
"""The largest amount that fits into the ledger."""


def lock_pending_proof(proof_id: int, *, order_id: int | None) -> PaymentProof:
    """Lock a proof without a verdict that belongs to an order, or to none.

    Args:
        proof_id: primary key of the proof.
        order_id: the order that it is said to belong to, locked by the caller; None: none.

    Raises:
        ProofNotFound: there is no such proof.
        ProofSettled: it has a verdict, or belongs to another order by now.

    """
    try:
        proof = PaymentProof.objects.select_for_update(no_key=True).get(pk=proof_id)
    except PaymentProof.DoesNotExist:
        raise ProofNotFound(proof_id=proof_id) from None
    if proof.order_id != order_id or proof.verdict != Verdict.PENDING:
        raise build_proof_settled(proof)
    return proof


def build_proof_settled(proof: PaymentProof) -> ProofSettled:
    """Return the refusal with the author and time of the decision about a proof."""
    order, author = proof.order, history.ActionAuthor()
    if proof.verdict == Verdict.PENDING and order is not None:
        author = history.find_last_author(order, OrderAction.PROOF_RECEIVED)
    return ProofSettled(
        by=author.by or proof.reviewer,
        at=author.at or proof.reviewed_at or proof.arrived_at,
        order_code=None if order is None else str(order),
        verdict=proof.verdict,
    )


def dismiss_proof(
    proof: PaymentProof, *, order: Order | None, note: str, by: Actor, now: datetime
) -> PaymentProof:
    """Set the verdict `DISMISSED` on a proof that pays nothing.

    Of an order that has ended the decision about a late payment is made with its last proof.

    Args:
        proof: locked by `lock_pending_proof`.
        order: its order, locked by `locks.lock_order`; None if it fits none.
        note: the reason as text.
        by: the reviewer.
        now: time of the decision.

    Raises:
        NoteTooLong: the note is too long.
        ProofUnderReview: its order waits for a verdict, which is a confirmation or a rejection.

    """
    note = clean_note(note)
    if order is not None and order.status in Order.LIVE:
        raise ProofUnderReview(order_id=order.pk, order_code=order.code)
    _set_dismissed(proof, note=note, by=by, now=now)
    if order is not None:
        history.record_order_event(
            order,
            action=OrderAction.PROOF_DISMISSED,
            by=by,
            now=now,
            reason=note,
            changes=late_flags.build_changes_without_proofs(order),
        )
    return proof


def refund_second_payment(
    proof: PaymentProof,
    *,
    order: Order,
    amount: Decimal | None,
    note: str,
    by: Actor,
    now: datetime,
    reference: str = "",
) -> PaymentProof:
    """Record that the money of a further payment of a paid order went back; the order stays paid.

    The entry of the ledger is in no sum, because the payment was never counted.

    Args:
        proof: the proof of that payment, locked by `lock_pending_proof`.
        order: its order, locked by `locks.lock_order`.
        amount: what goes back, in the order's currency; None: the order's total.
        note: why and how the money goes back, which the buyer reads.
        by: the author of the decision.
        now: time of the decision.
        reference: e.g. of the bank transfer, for the books; may be empty.

    Raises:
        NoteMissing, NoteTooLong: the note is empty or too long, or the reference is too long.
        OrderNotPaid: the order is not paid.
        AmountOutOfBounds: nothing or less would go back.

    """
    note = clean_note(note, required=True)
    reference = clean_note(reference, maximum=MAX_REFERENCE_LENGTH)
    if order.status != OrderStatus.PAID:
        raise OrderNotPaid(status=order.status)
    wanted = order.total if amount is None else amount
    if not 0 < wanted <= MAX_REFUND:
        raise AmountOutOfBounds(maximum=MAX_REFUND)
    _set_dismissed(proof, note=note, by=by, now=now)
    ledger_entries.record_ledger_entry(
        order,
        kind=LedgerKind.LATE_REFUNDED,
        confirmation=ledger_entries.load_confirmation(order),
        by=by,
        now=now,
        reference=reference,
        amount=wanted,
        quantity=0,
    )
    history.record_order_event(order, action=OrderAction.REFUND_NOTED, by=by, now=now, reason=note)
    return proof


def _set_dismissed(proof: PaymentProof, *, note: str, by: Actor, now: datetime) -> None:
    proof.note = note
    proof.verdict = Verdict.DISMISSED
    proof.reviewer = by.label or by.kind
    proof.reviewed_at = now
    proof.save(update_fields=["verdict", "note", "reviewer", "reviewed_at"])
