"""Reads of payment proofs, also for modules that must not write them."""

from shared.raffles.errors import ProofNotFound
from shared.raffles.models import PaymentProof
from shared.raffles.predicates import HASHED_PROOFS


def find_identical_proofs(proof: PaymentProof) -> list[PaymentProof]:
    """Return the proofs of other orders whose files are identical, with their orders."""
    if not proof.sha256:
        return []
    same = PaymentProof.objects.filter(HASHED_PROOFS, sha256=proof.sha256, order__isnull=False)
    if proof.order_id is not None:
        same = same.exclude(order_id=proof.order_id)
    return list(same.exclude(pk=proof.pk).select_related("order"))


def find_sender_id(proof_id: int) -> int | None:
    """Return the contact that sent a proof, to lock it before the proof; None if it is unknown.

    Raises:
        ProofNotFound: there is no such proof.

    """
    try:
        return PaymentProof.objects.values_list("contact_id", flat=True).get(pk=proof_id)
    except PaymentProof.DoesNotExist:
        raise ProofNotFound(proof_id=proof_id) from None
