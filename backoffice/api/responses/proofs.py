"""What the API answers about payment proofs."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from pydantic import ConfigDict, Field

from backoffice.api.pagination import PageResponse
from shared.core.enums import ProofStatus
from shared.publishing import representations, signed_links
from shared.publishing.representations import Moment, Representation
from shared.raffles.models import PaymentProof
from shared.raffles.predicates import HASHED_PROOFS

MAX_DUPLICATES_READ: Final = 1_000
"""How many proofs with the same bytes are looked at for one page."""


class OrderReferenceResponse(Representation):
    """The order a payment proof belongs to."""

    model_config = ConfigDict(title="OrderName")

    id: int
    code: str | None = Field(examples=["R-7K3F9"])


class ProofDetailResponse(representations.Proof):
    """A payment proof, whose it is, and what was decided about it."""

    model_config = ConfigDict(title="ProofInFull")

    order: OrderReferenceResponse | None = Field(description="null: it fits no order yet.")
    buyer: representations.Buyer | None = Field(description="Who sent it.")
    caption: str = Field(examples=["paid!"], description="What they wrote below it.")
    size: int = Field(examples=[48213], description="Of the file, in bytes.")
    url: str | None = Field(
        examples=["https://raffles.example/api/proofs/12/file?signature=12.1796385600.b7Jk"],
        description="The file itself; until `expires_at` whoever has the link can read it. "
        "null: there is no file (yet).",
    )
    expires_at: Moment | None
    duplicate_of: str | None = Field(
        examples=["R-4M8TQ"],
        description="The code of another order that has a proof with the very same bytes.",
    )
    reject_reason: str | None = Field(examples=["ILLEGIBLE"])
    note: str = Field(description="The reviewer's words; may be empty.")
    reviewer: str | None = Field(examples=["rita"])
    reviewed_at: Moment | None


class ProofPageResponse(PageResponse[ProofDetailResponse]):
    """A page of payment proofs."""


def build_proof_responses(
    found: Sequence[PaymentProof], *, public_url: str, now: datetime
) -> list[ProofDetailResponse]:
    """Describe payment proofs read with their order and contact, in one query at most.

    Args:
        found: the proofs.
        public_url: where the back office is reached, without a slash at its end.
        now: links to files are good for a week from here.

    """
    duplicates = _find_duplicates(found)
    return [
        _build_proof_response(
            each, duplicate_of=duplicates.get(each.pk), public_url=public_url, now=now
        )
        for each in found
    ]


def _build_proof_response(
    found: PaymentProof, *, duplicate_of: str | None, public_url: str, now: datetime
) -> ProofDetailResponse:
    kept = found.status == ProofStatus.KEPT
    order, contact = found.order, found.contact
    return ProofDetailResponse(
        **dict(representations.represent_proof(found)),
        order=OrderReferenceResponse(id=order.pk, code=order.code) if order else None,
        buyer=representations.represent_contact(contact) if contact else None,
        caption=found.caption,
        size=found.size,
        url=signed_links.build_proof_url(found.pk, public_url=public_url, now=now)
        if kept
        else None,
        expires_at=signed_links.compute_link_expiry(now=now) if kept else None,
        duplicate_of=duplicate_of,
        reject_reason=found.reject_reason or None,
        note=found.note,
        reviewer=found.reviewer or None,
        reviewed_at=found.reviewed_at,
    )


def _find_duplicates(found: Iterable[PaymentProof]) -> Mapping[int, str]:
    """Name, by proof, the oldest proof's order among the other orders with the same bytes."""
    wanted = [proof for proof in found if proof.sha256]
    if not wanted:
        return {}
    same = PaymentProof.objects.filter(
        HASHED_PROOFS, sha256__in={proof.sha256 for proof in wanted}, order__isnull=False
    ).select_related("order")
    twins = list(same.order_by("id")[:MAX_DUPLICATES_READ])
    others = {
        proof.pk: next(
            (
                twin
                for twin in twins
                if twin.sha256 == proof.sha256 and twin.order_id != proof.order_id
            ),
            None,
        )
        for proof in wanted
    }
    return {key: str(twin.order) for key, twin in others.items() if twin is not None}
