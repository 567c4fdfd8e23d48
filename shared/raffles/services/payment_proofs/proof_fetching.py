"""Files of payment proofs: queue of those to fetch, storage and failures.

The functions change one proof and no order, and lock nothing else.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.core.files.base import ContentFile
from django.db.models import F

from shared.core.enums import ProofStatus, RenditionStatus
from shared.raffles import signals
from shared.raffles.models import PaymentProof
from shared.raffles.predicates import PROOFS_TO_FETCH
from shared.raffles.rendering.outcome import Rendering
from shared.raffles.services.payment_proofs import shared_files, similar_proofs

_FINAL_STATUSES: Final = (ProofStatus.KEPT, ProofStatus.ERASED)
"""Statuses in which a file that arrives is not stored any more."""


@dataclass(frozen=True, slots=True)
class ProofFetchJob:
    """A file to fetch.

    Attributes:
        proof_id: id of the proof.
        phone_number_id: Meta's id of the business number it was sent to.
        media_id: Meta's id of the file.
        sha256: SHA-256 of the file as Meta announced it, in hex; may be empty.
        attempts: attempts made so far.
        arrived_at: when the buyer sent it.

    """

    proof_id: int
    phone_number_id: str
    media_id: str
    sha256: str
    attempts: int
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class UnreadableFile:
    """A file that was fetched and cannot be opened.

    Attributes:
        content: its bytes.
        content_type: its type, detected by its content.
        extension: the extension for its name, without a dot.
        rendition: why there is no picture of it.

    """

    content: bytes
    content_type: str
    extension: str
    rendition: RenditionStatus


def list_proofs_to_fetch(*, now: datetime, limit: int) -> list[ProofFetchJob]:
    """Return up to `limit` files that are due to be fetched, longest due first."""
    due = PaymentProof.objects.filter(PROOFS_TO_FETCH, fetch_at__lte=now).order_by("fetch_at", "id")
    columns = ("id", "phone_number_id", "media_id", "media_sha256", "fetch_attempts", "arrived_at")
    return [ProofFetchJob(*row) for row in due.values_list(*columns)[:limit]]


def claim_proof_fetch(proof_id: int, *, now: datetime, retry_at: datetime) -> bool:
    """Claim a file to fetch and count the attempt; it is due again at `retry_at`.

    Returns:
        Whether it was claimed; not if another process has claimed it.

    """
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
    rendering: Rendering | None = None,
) -> PaymentProof:
    """Store a proof's file; one that was stored before stays, and one that was erased stays so.

    Args:
        proof_id: id of the proof.
        content: bytes of the file.
        content_type: media type determined from the content, e.g. image/jpeg.
        extension: extension of the file name, e.g. jpg.
        now: time of storage.
        fingerprint: fingerprint of the picture, by `fingerprints.compute_fingerprint`.
        rendering: outcome of rendering it for pages; None: it is rendered when it is looked at.

    Raises:
        PaymentProof.DoesNotExist: there is no such proof.

    """
    proof = _lock_proof(proof_id)
    if proof.status in _FINAL_STATUSES:
        return proof
    proof.sha256 = hashlib.sha256(content).hexdigest()
    proof.size = len(content)
    proof.content_type = content_type
    proof.status = ProofStatus.KEPT
    proof.fetch_at = None
    proof.fetch_error = ""
    if rendering is not None:
        proof.rendition, proof.page_count = rendering.status, rendering.page_count
    _save_file(proof, content, sha256=proof.sha256, extension=extension, now=now)
    proof.save(
        update_fields=[
            "file",
            "sha256",
            "size",
            "content_type",
            "status",
            "fetch_at",
            "fetch_error",
            "rendition",
            "page_count",
        ]
    )
    similar_proofs.store_fingerprint(proof.pk, fingerprint)
    signal_if_kept(proof, now=now)
    for share in shared_files.copy_file_to_shares(proof, fingerprint=fingerprint):
        signal_if_kept(share, now=now)
    return proof


def record_fetch_failure(
    proof_id: int,
    *,
    error: str,
    retry_at: datetime | None,
    now: datetime,
    unreadable: UnreadableFile | None = None,
    counts: bool = True,
) -> PaymentProof:
    """Record why a file could not be fetched or opened; one that was stored meanwhile stays.

    Args:
        proof_id: id of the proof.
        error: what went wrong, of which 200 characters are kept.
        retry_at: time of the next attempt; None: there is none.
        now: time of the failure.
        unreadable: the file that cannot be opened, which is stored for staff to look at.
        counts: False takes back the count of this attempt, which said nothing about the file.

    Raises:
        PaymentProof.DoesNotExist: there is no such proof.

    """
    proof = _lock_proof(proof_id)
    if proof.status in _FINAL_STATUSES:
        return proof
    proof.status = ProofStatus.FAILED if retry_at is None else ProofStatus.FETCHING
    proof.fetch_at = None if retry_at is None else max(retry_at, now)
    proof.fetch_error = error[:200]
    changed = ["status", "fetch_at", "fetch_error", "fetch_attempts"]
    if not counts:
        proof.fetch_attempts = max(0, proof.fetch_attempts - 1)
    if unreadable is not None:
        proof.size, proof.content_type = len(unreadable.content), unreadable.content_type
        proof.rendition = unreadable.rendition
        digest = hashlib.sha256(unreadable.content).hexdigest()
        _save_file(
            proof, unreadable.content, sha256=digest, extension=unreadable.extension, now=now
        )
        changed += ["file", "size", "content_type", "rendition"]
    proof.save(update_fields=changed)
    shared_files.copy_file_to_shares(proof)
    return proof


def _save_file(
    proof: PaymentProof, content: bytes, *, sha256: str, extension: str, now: datetime
) -> None:
    """Store a file under a name that only this proof has, which the caller has locked."""
    name = f"{now:%Y%m%d}-{proof.pk}-{sha256[:16]}.{extension.lstrip('.')}"
    storage = proof.file.storage
    place = storage.get_available_name(proof.file.field.generate_filename(proof, name))
    try:
        proof.file = storage.save(place, ContentFile(content))
    except OSError:
        storage.delete(place)  # or each try would leave a part of it on a full disk
        raise


def _lock_proof(proof_id: int) -> PaymentProof:
    return PaymentProof.objects.select_for_update(no_key=True).get(pk=proof_id)


def signal_if_kept(proof: PaymentProof, *, now: datetime) -> None:
    """Send the signal `proof_kept` if a proof has both its file and an order."""
    if proof.status == ProofStatus.KEPT and proof.order is not None:
        signals.proof_kept.send(sender=PaymentProof, proof=proof, order=proof.order, now=now)
