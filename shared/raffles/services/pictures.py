"""Finds payment proofs whose pictures are nearly equal, among a hundred thousand."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from django.db import connection, transaction

from shared.core.enums import ProofStatus
from shared.raffles import fingerprints
from shared.raffles.models import FingerprintBand, PaymentProof, PictureFingerprint

ASKED: Final = 24
"""Proofs that one call looks at; no page shows more of them at a time."""
NEWEST: Final = 200
"""Pictures of one band that are compared, so that a band which thousands share costs no more."""
COMPARED: Final = 40
"""Pictures that are compared with one proof, those with most bands in common."""

_SHARING = f"""
WITH asked (proof_id, band) AS (VALUES {{asked}})
SELECT asked.proof_id, other.proof_id, count(*) AS bands
FROM asked JOIN raffles_fingerprintband other ON other.band = asked.band
    AND other.proof_id > coalesce((
        SELECT older.proof_id FROM raffles_fingerprintband older
        WHERE older.band = asked.band ORDER BY older.proof_id DESC LIMIT 1 OFFSET {NEWEST}
    ), 0)
WHERE other.proof_id <> asked.proof_id
GROUP BY asked.proof_id, other.proof_id
ORDER BY bands DESC, other.proof_id DESC
LIMIT {ASKED * COMPARED}
"""  # noqa: S608 - names and numbers of our own


def remember(proof_id: int, fingerprint: str) -> None:
    """Keep what a proof's picture looks like; inside the caller's transaction.

    Args:
        proof_id: whose picture it is; nothing was remembered of it before.
        fingerprint: by `fingerprints.of_picture`.

    """
    PictureFingerprint.objects.create(proof_id=proof_id, bits=bytes.fromhex(fingerprint))
    FingerprintBand.objects.bulk_create(
        FingerprintBand(band=band, proof_id=proof_id)
        for band in sorted(fingerprints.bands(fingerprint))
    )


def remember_missing(*, batch: int = 50) -> Iterator[int]:
    """Take the fingerprints of kept pictures that have none, each batch in a transaction.

    A file that the storage has not got counts as one that cannot be compared.

    Args:
        batch: how many pictures one transaction remembers.

    Yields:
        How many pictures a batch had.

    """
    last = 0
    while found := _never_seen(after=last, limit=batch):
        last = found[-1].pk
        seen = [(proof.pk, _fingerprint_of(proof)) for proof in found]
        with transaction.atomic():
            for proof_id, fingerprint in seen:
                _remember_once(proof_id, fingerprint)
        yield len(found)


def look_alikes(proofs: Sequence[PaymentProof]) -> dict[int, list[PaymentProof]]:
    """List the nearly equal pictures that came with another order, newest first.

    Three queries, whatever the number of proofs; of more than `ASKED` the first ones are looked at.
    Files that are the same byte for byte are left to `same_bytes`.

    Args:
        proofs: of one page; those without an order are compared with all that have one.

    Returns:
        For each proof that has look-alikes its id and theirs, with their orders.

    """
    asked = {proof.pk: proof for proof in proofs[:ASKED]}
    known = _written(PictureFingerprint.objects.filter(proof__in=asked))
    candidates = _sharing_bands(known)
    wanted = {other for others in candidates.values() for other in others}
    if not wanted:
        return {}
    others = PaymentProof.objects.filter(pk__in=wanted, order__isnull=False)
    found = {other.pk: other for other in others.select_related("order", "fingerprint")}
    alike = {
        pk: [
            found[other]
            for other in sorted(candidates[pk], reverse=True)
            if other in found and _came_alike(asked[pk], found[other], known[pk])
        ]
        for pk in asked
        if pk in known
    }
    return {pk: others for pk, others in alike.items() if others}


def _never_seen(*, after: int, limit: int) -> list[PaymentProof]:
    kept = PaymentProof.objects.filter(status=ProofStatus.KEPT, fingerprint=None, pk__gt=after)
    return list(kept.order_by("pk")[:limit])


def _fingerprint_of(proof: PaymentProof) -> str:
    try:
        with proof.file.open("rb") as file:
            return fingerprints.of_picture(file.read())
    except (OSError, ValueError):
        return ""


def _remember_once(proof_id: int, fingerprint: str) -> None:
    """Remember unless another process that looks at the same pictures did so meanwhile."""
    PaymentProof.objects.select_for_update(no_key=True).get(pk=proof_id)
    if not PictureFingerprint.objects.filter(pk=proof_id).exists():
        remember(proof_id, fingerprint)


def _came_alike(proof: PaymentProof, other: PaymentProof, fingerprint: str) -> bool:
    return (
        other.order_id != proof.order_id
        and other.sha256 != proof.sha256
        and fingerprints.alike(fingerprint, bytes(other.fingerprint.bits).hex())
    )


def _written(rows: Iterable[PictureFingerprint]) -> dict[int, str]:
    written = {row.proof_id: bytes(row.bits).hex() for row in rows}
    return {proof_id: fingerprint for proof_id, fingerprint in written.items() if fingerprint}


def _sharing_bands(known: dict[int, str]) -> dict[int, list[int]]:
    """Give for each proof the proofs that have bands in common with it."""
    rows = [(pk, band) for pk, written in known.items() for band in fingerprints.bands(written)]
    sharing: dict[int, list[int]] = defaultdict(list)
    if not rows:
        return sharing
    statement = _SHARING.format(asked=", ".join(["(%s, %s)"] * len(rows)))
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for row in rows for value in row])
        for asker, other, _ in cursor.fetchall():
            if len(sharing[asker]) < COMPARED:
                sharing[asker].append(other)
    return sharing
