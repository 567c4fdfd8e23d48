"""Receipts that pay several orders: one file, and a row with a verdict of its own for each order.

The functions run inside the caller's transaction, with the contacts locked first and then the
orders in ascending order of their ids.
"""

from datetime import datetime

from shared.core.enums import ProofStatus
from shared.raffles.actor import Actor
from shared.raffles.models import Order, PaymentProof, PictureFingerprint
from shared.raffles.proof_errors import ProofNotViewable, ProofRowExists
from shared.raffles.results import ProofKept, ProofLate
from shared.raffles.services.payment_proofs import proof_queries, similar_proofs
from shared.raffles.services.payment_proofs.shared_files import FILE_FIELDS
from shared.raffles.services.proof_placement import proofs

_MESSAGE_FIELDS = (
    "contact_id",
    "phone_number_id",
    "wa_message_id",
    "media_id",
    "media_sha256",
    "caption",
    "arrived_at",
)
"""Fields about the message that a receipt came with, which its rows have in common."""


def share_proof(
    proof: PaymentProof, *, order: Order, by: Actor, now: datetime, reason: str = ""
) -> ProofKept | ProofLate:
    """Name a receipt as paying another order too, as if it had been sent for that order alone.

    Args:
        proof: any row of the receipt that has an order.
        order: the other order, locked by `locks.lock_order`.
        by: the author of the decision, or the sender.
        now: time of the decision.
        reason: the reason as text, for the history; may be empty.

    Returns:
        The new row, and what it changed for its order.

    Raises:
        ProofRowExists: the receipt belongs to that order already.
        ProofNotViewable: it was erased.

    """
    original = _lock_original(proof)
    if original.status == ProofStatus.ERASED:
        raise ProofNotViewable(proof_ids=[original.pk])
    refuse_if_row_exists(original, order=order)
    share = PaymentProof.objects.create(
        order=order,
        shared_from=original,
        **{name: getattr(original, name) for name in (*_MESSAGE_FIELDS, *FILE_FIELDS)},
    )
    if original.status == ProofStatus.KEPT:
        seen = PictureFingerprint.objects.filter(pk=original.pk).first()
        similar_proofs.store_fingerprint(share.pk, bytes(seen.bits).hex() if seen else "")
    return proofs.assign_proofs([share], order=order, by=by, now=now, reason=reason)


def refuse_if_row_exists(proof: PaymentProof, *, order: Order) -> None:
    """Check that no row of a receipt belongs to an order.

    Raises:
        ProofRowExists: one does.

    """
    if proof_queries.query_receipt_rows({proof.receipt_id}).filter(order=order).exists():
        raise ProofRowExists(order_id=order.pk, order_code=order.code)


def _lock_original(proof: PaymentProof) -> PaymentProof:
    """Lock the first row of a receipt, so that its file is not stored meanwhile."""
    return PaymentProof.objects.select_for_update(no_key=True).get(pk=proof.receipt_id)
