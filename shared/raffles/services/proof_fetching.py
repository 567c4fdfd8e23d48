"""Files of payment proofs: which are to be fetched, and what became of each.

These functions change one proof and no order, and lock nothing else.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.core.files.base import ContentFile
from django.db.models import F

from shared.core.enums import ProofStatus
from shared.raffles import signals
from shared.raffles.models import PaymentProof
from shared.raffles.predicates import PROOFS_TO_FETCH
from shared.raffles.services import similar_proofs


@dataclass(frozen=True, slots=True)
class ProofFetchJob:
    """A file to be fetched; `sha256` as announced, in hex or empty, `attempts` made so far."""

    proof_id: int
    phone_number_id: str
    media_id: str
    sha256: str
    attempts: int


def list_proofs_to_fetch(*, now: datetime, limit: int) -> list[ProofFetchJob]:
    """List the files to be fetched now, longest due first."""
    due = PaymentProof.objects.filter(PROOFS_TO_FETCH, fetch_at__lte=now).order_by("fetch_at", "id")
    columns = ("id", "phone_number_id", "media_id", "media_sha256", "fetch_attempts")
    return [ProofFetchJob(*row) for row in due.values_list(*columns)[:limit]]


def claim_proof_fetch(proof_id: int, *, now: datetime, retry_at: datetime) -> bool:
    """Take one file to fetch, unless somebody else did; it is due again at `retry_at`."""
    due = PaymentProof.objects.filter(PROOFS_TO_FETCH, pk=proof_id, fetch_at__lte=now)
    return bool(due.update(fetch_at=retry_at, fetch_attempts=F("fetch_attempts") + 1))


def store_proof_file(
    proof_id: int,
    *,
    content: bytes,
    content_type: str,
    extension: str,
    now: datetime,
    fingerprint: str = "",
) -> PaymentProof:
    """Store a proof's file; a file that was kept before stays.

    Args:
        proof_id: whose file it is.
        content: its bytes.
        content_type: by its content, e.g. image/jpeg.
        extension: to name it with, e.g. jpg.
        now: when.
        fingerprint: what its picture looks like, by `fingerprints.of_picture`.

    """
    proof = _lock_proof(proof_id)
    if proof.status == ProofStatus.KEPT:
        return proof
    proof.sha256 = hashlib.sha256(content).hexdigest()
    proof.size = len(content)
    proof.content_type = content_type
    proof.status = ProofStatus.KEPT
    proof.fetch_at = None
    proof.fetch_error = ""
    name = f"{now:%Y%m%d}-{proof.pk}-{proof.sha256[:16]}.{extension.lstrip('.')}"
    proof.file.save(name, ContentFile(content), save=False)
    proof.save(
        update_fields=[
            "file",
            "sha256",
            "size",
            "content_type",
            "status",
            "fetch_at",
            "fetch_error",
        ]
    )
    similar_proofs.store_fingerprint(proof.pk, fingerprint)
    signal_if_kept(proof, now=now)
    return proof


def record_fetch_failure(
    proof_id: int, *, error: str, retry_at: datetime | None, now: datetime
) -> PaymentProof:
    """Note why a file could not be had; it is tried again at `retry_at`, or never if that is None.

    A file that was kept meanwhile stays.
    """
    proof = _lock_proof(proof_id)
    if proof.status == ProofStatus.KEPT:
        return proof
    proof.status = ProofStatus.FAILED if retry_at is None else ProofStatus.FETCHING
    proof.fetch_at = None if retry_at is None else max(retry_at, now)
    proof.fetch_error = error[:200]
    proof.save(update_fields=["status", "fetch_at", "fetch_error"])
    return proof


def _lock_proof(proof_id: int) -> PaymentProof:
    return PaymentProof.objects.select_for_update(no_key=True).get(pk=proof_id)


def signal_if_kept(proof: PaymentProof, *, now: datetime) -> None:
    """Let others know of a proof once there are both a file to look at and an order it pays."""
    if proof.status == ProofStatus.KEPT and proof.order is not None:
        signals.proof_kept.send(sender=PaymentProof, proof=proof, order=proof.order, now=now)
