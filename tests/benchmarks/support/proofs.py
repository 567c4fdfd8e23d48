"""The payment proofs of a busy month: few files, but a different fingerprint per row."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tests.benchmarks.support.rows import format_moment, insert_rows
from tests.builders import PHONE_NUMBER_ID

if TYPE_CHECKING:
    from tests.benchmarks.support.busy_month import Month

MINUTE: Final = timedelta(minutes=1)
DISMISSED: Final = 300
HALVINGS: Final = 6
"""Six halvings flip one bit in 64.

Two receipts of a bank then differ in about 140 of 4,608 bits, as measured in
`shared.raffles.fingerprints`.
"""

type Proof = tuple[int, int | None, int | None, datetime, str, bool]
"""Id, order, contact, arrival, verdict, and whether it was late."""


def write_proofs(month: "Month") -> None:
    """Store the files, then write the rows of proofs and fingerprints."""
    from shared.raffles.models import FingerprintBand, PaymentProof, PictureFingerprint

    files = _store_files()
    proofs = list(_build_proofs(month))
    insert_rows(
        PaymentProof,
        "id order_id contact_id status phone_number_id wa_message_id media_id caption file "
        "content_type size sha256 arrived_at late verdict reviewer reviewed_at",
        (_build_row(proof, files=files) for proof in proofs),
    )
    banks = list(files.values())
    looks = {proof[0]: _build_fingerprint(proof[0], banks=banks) for proof in proofs}
    names = "proof_id bits"
    insert_rows(
        PictureFingerprint, names, ((key, bytes.fromhex(look)) for key, look in looks.items())
    )
    insert_rows(FingerprintBand, "band proof_id", sorted(_build_bands(proofs, looks, banks=banks)))


def _store_files() -> dict[str, str]:
    """Store some receipts and return their fingerprints by file name."""
    from django.core.files.base import ContentFile

    from shared.raffles import fingerprints
    from shared.raffles.models import PaymentProof
    from tests.benchmarks.support.busy_month import PICTURES, draw_receipt

    pictures = {f"busy-month/receipt-{nth}.jpg": draw_receipt(str(nth)) for nth in range(PICTURES)}
    storage = PaymentProof._meta.get_field("file").storage
    for name, content in pictures.items():
        if not storage.exists(name):
            storage.save(name, ContentFile(content))
    return {name: fingerprints.compute_fingerprint(content) for name, content in pictures.items()}


def _build_proofs(month: "Month") -> Iterator[Proof]:
    from tests.benchmarks.support.busy_month import BUYERS, LATE, ORPHANS

    key, lates = 0, [deal.key for deal in month.deals if deal.late][-LATE:]
    for deal in month.deals:
        if deal.has_proof:
            verdict = "ACCEPTED" if deal.status == "PAID" else "PENDING"
            for nth in range(2 if deal.key % 10 == 0 else 1):
                key += 1
                at = deal.at + (4 + nth) * MINUTE
                yield (key, deal.key, deal.buyer, at, verdict, deal.key in lates)
    for nth in range(DISMISSED + ORPHANS):
        key += 1
        verdict = "DISMISSED" if nth < DISMISSED else "PENDING"
        at = month.now - (DISMISSED + ORPHANS - nth) * 5 * MINUTE
        yield (key, None, month.dice.randint(1, BUYERS), at, verdict, False)


def _build_row(proof: Proof, *, files: dict[str, str]) -> tuple[Any, ...]:
    from tests.benchmarks.support.busy_month import derive_token

    key, order, contact, at, verdict, late = proof
    decided = verdict != "PENDING"
    name = list(files)[key % len(files)]
    same = key - key % 2 if key % 400 < 2 else key  # sometimes the same file was sent twice
    return (
        key,
        order,
        contact,
        "KEPT",
        PHONE_NUMBER_ID,
        f"wamid.proof{key}",
        f"media{key}",
        "paid!" if key % 3 else "",
        name,
        "image/jpeg",
        18_000,
        derive_token(f"file {same}"),
        format_moment(at),
        late,
        verdict,
        "sofia" if decided else "",
        format_moment(at + 25 * MINUTE) if decided else None,
    )


def _build_fingerprint(key: int, *, banks: list[str]) -> str:
    """Return a fingerprint that differs from its bank's receipt as another receipt would."""
    bank, dice = banks[key % len(banks)], random.Random(key)
    flipped = (1 << len(bank) * 4) - 1
    for _ in range(HALVINGS):
        flipped &= dice.getrandbits(len(bank) * 4)
    return f"{int(bank, 16) ^ flipped:0{len(bank)}x}"


def _build_bands(
    proofs: list[Proof], looks: dict[int, str], *, banks: list[str]
) -> Iterator[tuple[int, int]]:
    """Yield the real bands of waiting proofs, and random ones for decided proofs.

    Computing all bands would be slow. One in eleven decided proofs shares a band with the original
    receipt of its bank.
    """
    from shared.raffles import fingerprints

    common = [sorted(fingerprints.compute_bands(bank)) for bank in banks]
    for key, *_, verdict, _ in proofs:
        if verdict == "PENDING":
            yield from ((band, key) for band in fingerprints.compute_bands(looks[key]))
        else:
            dice = random.Random(-key)
            made_up = {dice.randrange(-(2**31), 2**31) for _ in range(23)}
            if key % 11 == 0:
                made_up.add(common[key % len(banks)][key % 24])
            yield from ((band, key) for band in made_up)
