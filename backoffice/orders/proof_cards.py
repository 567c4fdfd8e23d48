"""Cards about payment proofs, with identical and similar proofs of other orders."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.urls import reverse

from backoffice.ui import display
from backoffice.ui.file_responses import PICTURE_CONTENT_TYPES
from shared.core import enums
from shared.core.enums import ProofStatus, RejectReason, Verdict
from shared.raffles.models import Order, PaymentProof
from shared.raffles.services.payment_proofs import proof_queries, similar_proofs

MAX_IDENTICAL_PROOFS: Final = 200
"""Maximum count of identical proofs that are loaded."""


class ProofDisplay(StrEnum):
    """The way a page shows a proof."""

    PICTURE = "picture"
    PDF = "pdf"
    FILE = "file"
    FETCHING = "fetching"
    FAILED = "failed"


PROOF_DISPLAY_LABELS: Final = {
    ProofDisplay.PICTURE: "Picture",
    ProofDisplay.PDF: "PDF",
    ProofDisplay.FILE: "File",
    ProofDisplay.FETCHING: "Still being fetched",
    ProofDisplay.FAILED: "Could not be had",
}

_VERDICT_STYLES: Final = {
    Verdict.PENDING: "primary",
    Verdict.ACCEPTED: "success",
    Verdict.REJECTED: "danger",
    Verdict.DISMISSED: "secondary",
}


@dataclass(frozen=True, slots=True)
class SimilarProofCard:
    """An identical or similar proof of another order; `exact` if the bytes are identical."""

    proof: PaymentProof
    order: Order
    exact: bool
    shown: ProofDisplay
    address: str
    arrived: str
    verdict: str
    style: str
    page: str


@dataclass(frozen=True, slots=True)
class ProofCard:
    """A payment proof on a page.

    Attributes:
        proof: The proof.
        shown: The way it is shown.
        address: The address of its file.
        thumbnail: The address of its thumbnail; empty if it is not a picture.
        arrived: The time the buyer sent it.
        verdict: The label of the verdict.
        style: The Bootstrap colour of the verdict.
        reviewed: The reviewer, time and reason of the verdict; empty while it is pending.
        waits: Whether a decision about the order must be based on this proof.
        twins: Proofs of other orders with identical bytes.
        alike: Proofs of other orders with a similar picture.
        is_new: Whether it arrived after the page was first shown.

    """

    proof: PaymentProof
    shown: ProofDisplay
    address: str
    thumbnail: str
    arrived: str
    verdict: str
    style: str
    reviewed: str
    waits: bool
    twins: tuple[SimilarProofCard, ...] = ()
    alike: tuple[SimilarProofCard, ...] = ()
    is_new: bool = False

    @property
    def others(self) -> tuple[SimilarProofCard, ...]:
        """The proofs of other orders to compare it with."""
        return self.twins + self.alike


def build_proof_cards(
    proofs: Sequence[PaymentProof],
    *,
    zone: str,
    new: Collection[int] = (),
    warned: bool = True,
) -> list[ProofCard]:
    """Return cards about proofs, with identical and similar proofs of other orders.

    Args:
        proofs: The proofs.
        zone: IANA name of the time zone of their times.
        new: Ids of the proofs that arrived after the page was first shown.
        warned: Whether to search for proofs of other orders, which takes four queries.

    """
    compared = proofs if warned else ()
    twins, alike = load_identical_proofs(compared), load_similar_proofs(compared)
    return [
        _build_proof_card(
            proof,
            twins=tuple(
                _build_similar_proof_card(other, exact=True, zone=zone)
                for other in twins.get(proof.pk, ())
            ),
            alike=tuple(
                _build_similar_proof_card(other, exact=False, zone=zone)
                for other in alike.get(proof.pk, ())
            ),
            zone=zone,
            is_new=proof.pk in new,
        )
        for proof in proofs
    ]


def load_identical_proofs(proofs: Sequence[PaymentProof]) -> Mapping[int, list[PaymentProof]]:
    """Return proofs of other orders with identical bytes by proof id, in one query.

    Of each other order only one proof is returned.
    """
    identical = proof_queries.find_identical_proofs_by_id(proofs, limit=MAX_IDENTICAL_PROOFS)
    return {key: _keep_one_per_order(others) for key, others in identical.items()}


def load_similar_proofs(proofs: Sequence[PaymentProof]) -> Mapping[int, list[PaymentProof]]:
    """Return proofs of other orders with a similar picture but other bytes, by proof id."""
    similar = similar_proofs.find_similar_proofs([proof for proof in proofs if proof.sha256])
    return {
        proof.pk: _keep_one_per_order(
            other for other in similar.get(proof.pk, []) if other.sha256 != proof.sha256
        )
        for proof in proofs
    }


def choose_proof_display(proof: PaymentProof) -> ProofDisplay:
    """Return the way to show a proof."""
    match ProofStatus(proof.status):
        case ProofStatus.FETCHING:
            return ProofDisplay.FETCHING
        case ProofStatus.FAILED:
            return ProofDisplay.FAILED
        case ProofStatus.KEPT:
            if proof.content_type == "application/pdf":
                return ProofDisplay.PDF
            return (
                ProofDisplay.PICTURE
                if proof.content_type in PICTURE_CONTENT_TYPES
                else ProofDisplay.FILE
            )


def is_proof_pending(proof: PaymentProof) -> bool:
    """Whether a decision about the order must be based on this proof."""
    return proof.verdict == Verdict.PENDING and proof.status != ProofStatus.FAILED


def build_proof_file_url(proof: PaymentProof) -> str:
    """Return the address of the file of a proof."""
    return reverse("admin:raffles_paymentproof_file", args=[proof.pk])


def build_thumbnail_url(proof: PaymentProof) -> str:
    """Return the address of the thumbnail of a proof; empty if it is not a picture."""
    if choose_proof_display(proof) is not ProofDisplay.PICTURE:
        return ""
    return reverse("admin:raffles_paymentproof_thumbnail", args=[proof.pk])


def get_verdict_style(verdict: str) -> str:
    """Return the Bootstrap colour of a verdict."""
    return _VERDICT_STYLES[Verdict(verdict)]


def describe_verdict(proof: PaymentProof, *, zone: str) -> str:
    """Return the verdict on a proof with reviewer, time and reason; empty while it is pending.

    Args:
        proof: The proof.
        zone: IANA name of the time zone of the time.

    """
    if proof.verdict == Verdict.PENDING or not proof.reviewer:
        return ""
    verdict = f"{enums.format_label(Verdict(proof.verdict))} by {proof.reviewer}"
    if proof.reviewed_at is not None:
        verdict += f" on {display.format_time(proof.reviewed_at, zone=zone)}"
    reason = enums.format_label(RejectReason(proof.reject_reason)) if proof.reject_reason else ""
    explanation = ": ".join(part for part in (reason, proof.note) if part)
    return f"{verdict} · {explanation}" if explanation else verdict


def _build_proof_card(
    proof: PaymentProof,
    *,
    twins: tuple[SimilarProofCard, ...],
    alike: tuple[SimilarProofCard, ...],
    zone: str,
    is_new: bool,
) -> ProofCard:
    return ProofCard(
        proof=proof,
        shown=choose_proof_display(proof),
        address=build_proof_file_url(proof),
        thumbnail=build_thumbnail_url(proof),
        arrived=display.format_time(proof.arrived_at, zone=zone),
        verdict=enums.format_label(Verdict(proof.verdict)),
        style=get_verdict_style(proof.verdict),
        reviewed=describe_verdict(proof, zone=zone),
        waits=is_proof_pending(proof),
        twins=twins,
        alike=alike,
        is_new=is_new,
    )


def _build_similar_proof_card(other: PaymentProof, *, exact: bool, zone: str) -> SimilarProofCard:
    assert other.order is not None  # noqa: S101 - only proofs with an order are searched
    return SimilarProofCard(
        proof=other,
        order=other.order,
        exact=exact,
        shown=choose_proof_display(other),
        address=build_proof_file_url(other),
        arrived=display.format_time(other.arrived_at, zone=zone),
        verdict=enums.format_label(Verdict(other.verdict)),
        style=get_verdict_style(other.verdict),
        page=reverse("admin:desk_review", args=[other.order.pk]),
    )


def _keep_one_per_order(found: Iterable[PaymentProof]) -> list[PaymentProof]:
    return list({other.order_id: other for other in found if other.order is not None}.values())
