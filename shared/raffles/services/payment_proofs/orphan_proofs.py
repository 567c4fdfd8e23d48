"""Payment proofs that fit no order: locked and dismissed.

The functions run inside the caller's transaction, with the sender of the proof locked first.
"""

from datetime import datetime

from shared.core.enums import OrderAction, Verdict
from shared.raffles.actor import Actor
from shared.raffles.errors import ProofNotFound, ProofSettled
from shared.raffles.models import PaymentProof
from shared.raffles.notes import clean_note
from shared.raffles.services import history


def lock_orphan_proof(proof_id: int) -> PaymentProof:
    """Lock a proof without an order or verdict; the caller has locked its sender before.

    Raises:
        ProofNotFound: there is no such proof.
        ProofSettled: it was assigned to an order or dismissed before.

    """
    try:
        proof = PaymentProof.objects.select_for_update(no_key=True).get(pk=proof_id)
    except PaymentProof.DoesNotExist:
        raise ProofNotFound(proof_id=proof_id) from None
    if proof.order_id is not None or proof.verdict != Verdict.PENDING:
        raise build_proof_settled(proof)
    return proof


def build_proof_settled(proof: PaymentProof) -> ProofSettled:
    """Return the refusal with the author and time of the decision about a proof."""
    order = proof.order
    author = history.ActionAuthor()
    if order is not None:
        author = history.find_last_author(order, OrderAction.PROOF_RECEIVED)
    return ProofSettled(
        by=author.by or proof.reviewer,
        at=author.at or proof.reviewed_at or proof.arrived_at,
        order_code=None if order is None else str(order),
    )


def dismiss_proof(proof: PaymentProof, *, note: str, by: Actor, now: datetime) -> PaymentProof:
    """Set the verdict `DISMISSED` on a proof that pays no order.

    Args:
        proof: locked by `lock_orphan_proof`.
        note: the reason as text.
        by: the reviewer.
        now: time of the decision.

    Raises:
        NoteTooLong: the note is too long.

    """
    proof.note = clean_note(note)
    proof.verdict = Verdict.DISMISSED
    proof.reviewer = by.label or by.kind
    proof.reviewed_at = now
    proof.save(update_fields=["verdict", "note", "reviewer", "reviewed_at"])
    return proof
