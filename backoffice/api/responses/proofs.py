"""Response models of payment proofs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import ConfigDict, Field

from backoffice.api.responses.base import PageResponse
from shared.core.enums import ProofStatus
from shared.publishing import representations, signed_links
from shared.publishing.representations import Moment, Representation
from shared.raffles.models import PaymentProof
from shared.raffles.services.payment_proofs import proof_queries

MAX_DUPLICATES_READ: Final = 1_000
"""Identical proofs that are read for one page, at most."""


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
    shared_with: list[str] = Field(
        examples=[["R-8N3WD"]],
        description="Codes of the other orders that this receipt was named for; each order has a "
        "proof of its own, with the same file.",
    )
    reject_reason: str | None = Field(examples=["ILLEGIBLE"])
    note: str = Field(description="The reviewer's words; may be empty.")
    reviewer: str | None = Field(examples=["rita"])
    reviewed_at: Moment | None


class ProofMoveResponse(ProofDetailResponse):
    """A payment proof that was put to an order."""

    model_config = ConfigDict(title="ProofMoved")

    already_moved: bool = Field(description="Whether it stood with that order before.")
    needs_decision: bool = Field(
        description="Whether that order had ended and its numbers are gone: a person decides."
    )


class ProofPageResponse(PageResponse[ProofDetailResponse]):
    """A page of payment proofs."""


def build_proof_responses(
    proofs: Sequence[PaymentProof], *, public_url: str, now: datetime
) -> list[ProofDetailResponse]:
    """Return the responses for payment proofs, with two queries at most.

    Args:
        proofs: the proofs, loaded with their order and contact.
        public_url: the base URL of the back office, without a trailing slash.
        now: the current time; links to files are valid for a week from it.

    """
    identical = proof_queries.find_identical_proofs_by_id(proofs, limit=MAX_DUPLICATES_READ)
    shared = proof_queries.find_shared_rows(proofs)
    return [
        ProofDetailResponse(
            **_build_proof_fields(
                proof,
                identical=identical[proof.pk],
                shared=shared[proof.pk],
                public_url=public_url,
                now=now,
            )
        )
        for proof in proofs
    ]


def build_move_response(
    proof: PaymentProof, *, already: bool, public_url: str, now: datetime
) -> ProofMoveResponse:
    """Return the response for a proof that was put to an order.

    Args:
        proof: the proof, loaded with its order and contact.
        already: whether it stood with that order before the request.
        public_url: the base URL of the back office, without a trailing slash.
        now: the current time.

    """
    [detail] = build_proof_responses([proof], public_url=public_url, now=now)
    return ProofMoveResponse(
        **dict(detail),
        already_moved=already,
        needs_decision=proof.order is not None and proof.order.needs_decision,
    )


def _build_proof_fields(
    proof: PaymentProof,
    *,
    identical: Sequence[PaymentProof],
    shared: Sequence[PaymentProof],
    public_url: str,
    now: datetime,
) -> dict[str, Any]:
    has_file = proof.status == ProofStatus.KEPT
    order, contact = proof.order, proof.contact
    return dict(
        representations.represent_proof(proof),
        order=OrderReferenceResponse(id=order.pk, code=order.code) if order else None,
        buyer=representations.represent_contact(contact) if contact else None,
        caption=proof.caption,
        size=proof.size,
        url=signed_links.build_proof_url(proof.pk, public_url=public_url, now=now)
        if has_file
        else None,
        expires_at=signed_links.compute_link_expiry(now=now) if has_file else None,
        duplicate_of=str(identical[0].order) if identical else None,
        shared_with=[str(row.order) for row in shared if row.order is not None],
        reject_reason=proof.reject_reason or None,
        note=proof.note,
        reviewer=proof.reviewer or None,
        reviewed_at=proof.reviewed_at,
    )
