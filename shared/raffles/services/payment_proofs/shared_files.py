"""The file of a receipt that several orders share.

Each row of a receipt repeats what the first row knows of its file, so that whatever reads a proof
reads a shared one alike. Only the first row is fetched; the others follow it.
"""

from typing import Final

from shared.core.enums import ProofStatus
from shared.raffles.models import PaymentProof
from shared.raffles.services.payment_proofs import similar_proofs

FILE_FIELDS: Final = (
    "status",
    "file",
    "content_type",
    "size",
    "sha256",
    "rendition",
    "page_count",
    "fetch_error",
)
"""Fields that the rows of one receipt have in common and that change when it is fetched."""


def copy_file_to_shares(proof: PaymentProof, *, fingerprint: str = "") -> list[PaymentProof]:
    """Copy what is known of a receipt's file to its other rows.

    Args:
        proof: the first row, locked and saved.
        fingerprint: fingerprint of the picture; may be empty.

    Returns:
        The other rows with their orders, in ascending order of their ids.

    """
    shares = list(proof.shares.select_related("order__raffle").order_by("id"))
    for share in shares:
        for name in FILE_FIELDS:
            setattr(share, name, getattr(proof, name))
        share.save(update_fields=FILE_FIELDS)
        if proof.status == ProofStatus.KEPT:
            similar_proofs.store_fingerprint(share.pk, fingerprint)
    return shares
