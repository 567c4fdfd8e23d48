"""Reads of payment proofs, also for modules that must not write them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db.models import Q, QuerySet

from shared.core.enums import ProofStatus
from shared.raffles.models import Order, PaymentProof
from shared.raffles.predicates import HASHED_PROOFS
from shared.raffles.proof_errors import ProofNotFound


def find_identical_proofs(proof: PaymentProof) -> list[PaymentProof]:
    """Return the proofs of other orders whose files are identical, with their orders.

    The other rows of its own receipt are left out; `find_shared_rows` finds them.
    """
    if not proof.sha256:
        return []
    same = _query_order_proofs({proof.sha256})
    if proof.order_id is not None:
        same = same.exclude(order_id=proof.order_id)
    return [other for other in same if other.receipt_id != proof.receipt_id]


def find_identical_proofs_by_id(
    proofs: Sequence[PaymentProof], *, limit: int
) -> Mapping[int, list[PaymentProof]]:
    """List, for each of several proofs, the identical proofs of other orders, in one query.

    The other rows of its own receipt are left out, as in `find_identical_proofs`.

    Args:
        proofs: the proofs.
        limit: the largest count of identical proofs that are read for all of them together.

    Returns:
        Proofs with their orders, the oldest first, by the id of the given proof.

    """
    hashes = {proof.sha256 for proof in proofs if proof.sha256}
    by_hash: defaultdict[str, list[PaymentProof]] = defaultdict(list)
    for other in _query_order_proofs(hashes)[:limit] if hashes else ():
        by_hash[other.sha256].append(other)
    return {
        proof.pk: [
            other
            for other in by_hash[proof.sha256]
            if other.order_id != proof.order_id and other.receipt_id != proof.receipt_id
        ]
        for proof in proofs
    }


def find_shared_rows(proofs: Sequence[PaymentProof]) -> Mapping[int, list[PaymentProof]]:
    """List, for each of several proofs, the other orders that its receipt was named for.

    Takes one query.

    Returns:
        The other rows of its receipt with their orders, the oldest first, by id of the proof.

    """
    by_receipt: defaultdict[int, list[PaymentProof]] = defaultdict(list)
    receipts = {proof.receipt_id for proof in proofs}
    for row in query_receipt_rows(receipts).select_related("order") if receipts else ():
        by_receipt[row.receipt_id].append(row)
    return {
        proof.pk: [row for row in by_receipt[proof.receipt_id] if row.pk != proof.pk]
        for proof in proofs
    }


def query_receipt_rows(receipts: Collection[int]) -> QuerySet[PaymentProof]:
    """Return all rows of receipts, given the ids of their first rows, the oldest first."""
    return PaymentProof.objects.filter(Q(pk__in=receipts) | Q(shared_from__in=receipts)).order_by(
        "id"
    )


def find_first_proof_time(order: Order) -> datetime | None:
    """Return when the buyer sent the first proof whose file is not lost; None without any.

    Reads the proofs of the order, without a query if they are prefetched.
    """
    proofs = [proof for proof in order.proofs.all() if proof.status != ProofStatus.FAILED]
    return min((proof.arrived_at for proof in proofs), default=None)


def find_sender_id(proof_id: int) -> int | None:
    """Return the contact that sent a proof, to lock it before the proof; None if it is unknown.

    Raises:
        ProofNotFound: there is no such proof.

    """
    try:
        return PaymentProof.objects.values_list("contact_id", flat=True).get(pk=proof_id)
    except PaymentProof.DoesNotExist:
        raise ProofNotFound(proof_id=proof_id) from None


def _query_order_proofs(hashes: set[str]) -> QuerySet[PaymentProof]:
    """Return the proofs of orders whose files have these hashes, the oldest first."""
    same = PaymentProof.objects.filter(HASHED_PROOFS, sha256__in=hashes, order__isnull=False)
    return same.select_related("order").order_by("id")
