"""Ends what became of a proof that fits no order: put to one, or dismissed.

Runs inside the caller's transaction, with the proof's sender locked first.
"""

from datetime import datetime

from shared.core.enums import OrderAction, Verdict
from shared.raffles.actor import Actor
from shared.raffles.errors import ProofNotFound, ProofSettled
from shared.raffles.models import PaymentProof
from shared.raffles.services import history


def lock_orphan_proof(proof_id: int) -> PaymentProof:
    """Lock a proof that belongs to no order and has no verdict; its sender is to be locked before.

    Raises:
        ProofNotFound: if there is no such proof.
        ProofSettled: it was put to an order, or dismissed, by somebody who was faster.

    """
    try:
        proof = PaymentProof.objects.select_for_update(no_key=True).get(pk=proof_id)
    except PaymentProof.DoesNotExist:
        raise ProofNotFound(proof_id=proof_id) from None
    if proof.order_id is not None or proof.verdict != Verdict.PENDING:
        raise build_proof_settled(proof)
    return proof


def build_proof_settled(proof: PaymentProof) -> ProofSettled:
    """Say who put a proof to its order or dismissed it, and when."""
    order = proof.order
    told = history.ActionAuthor()
    if order is not None:
        told = history.find_last_author(order, OrderAction.PROOF_RECEIVED)
    return ProofSettled(
        by=told.by or proof.reviewer,
        at=told.at or proof.reviewed_at or proof.arrived_at,
        order_code=None if order is None else str(order),
    )


def dismiss_proof(proof: PaymentProof, *, note: str, by: Actor, now: datetime) -> PaymentProof:
    """Note that a proof pays nothing of ours.

    Args:
        proof: locked by `lock`.
        note: why, in words.
        by: who looked at it.
        now: when.

    """
    proof.verdict = Verdict.DISMISSED
    proof.note = note
    proof.reviewer = by.label or by.kind
    proof.reviewed_at = now
    proof.save(update_fields=["verdict", "note", "reviewer", "reviewed_at"])
    return proof
