"""Payment proofs as pages draw them: how each is shown, and what came with other orders."""

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
from shared.raffles.predicates import HASHED_PROOFS
from shared.raffles.services import similar_proofs

MAX_IDENTICAL_PROOFS: Final = 200
"""How many other proofs with the same bytes are read at most."""


class ProofDisplay(StrEnum):
    """How a proof appears."""

    PICTURE = "picture"
    PDF = "pdf"
    FILE = "file"
    FETCHING = "fetching"
    FAILED = "failed"


_VERDICT_STYLES: Final = {
    Verdict.PENDING: "primary",
    Verdict.ACCEPTED: "success",
    Verdict.REJECTED: "danger",
    Verdict.DISMISSED: "secondary",
}


@dataclass(frozen=True, slots=True)
class SimilarProofCard:
    """A proof that came with another order; `exact` if its bytes are the same."""

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
    """A payment proof as a page draws it.

    Attributes:
        proof: its row.
        shown: how it appears.
        address: where its file is.
        thumbnail: where a small picture of it is; empty if there is none.
        arrived: when the buyer sent it.
        verdict: what was decided, in words.
        style: Bootstrap's colour for that.
        reviewed: who decided it when and why, in words; empty while it waits.
        waits: nobody has decided about it, so whoever decides must have seen it.
        twins: proofs of other orders with the same bytes.
        alike: proofs of other orders that are nearly the same picture.
        is_new: it arrived while another was looked at.

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
        """The proofs it should be compared with."""
        return self.twins + self.alike


def build_proof_cards(
    proofs: Sequence[PaymentProof],
    *,
    zone: str,
    new: Collection[int] = (),
    warned: bool = True,
) -> list[ProofCard]:
    """Prepare proofs for drawing, with what came with other orders.

    Args:
        proofs: as read.
        zone: IANA name of the time zone their times are shown in.
        new: ids of those that arrived while others were looked at.
        warned: whether it is said what came with other orders; it costs four queries.

    """
    compared = proofs if warned else ()
    twins, alike = find_identical_proofs(compared), load_similar_proofs(compared)
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


def find_identical_proofs(proofs: Sequence[PaymentProof]) -> Mapping[int, list[PaymentProof]]:
    """Find proofs of other orders with the very same bytes, in one query; one an order."""
    hashes = {proof.sha256 for proof in proofs if proof.sha256}
    same = PaymentProof.objects.filter(HASHED_PROOFS, sha256__in=hashes, order__isnull=False)
    found = (
        list(same.select_related("order").order_by("id")[:MAX_IDENTICAL_PROOFS]) if hashes else []
    )
    return {
        proof.pk: _keep_one_per_order(
            other
            for other in found
            if other.sha256 == proof.sha256 and other.order_id != proof.order_id
        )
        for proof in proofs
    }


def load_similar_proofs(proofs: Sequence[PaymentProof]) -> Mapping[int, list[PaymentProof]]:
    """Find proofs of other orders that look nearly the same, other than those of equal bytes."""
    alike = similar_proofs.find_similar_proofs([proof for proof in proofs if proof.sha256])
    return {
        proof.pk: _keep_one_per_order(
            other for other in alike.get(proof.pk, []) if other.sha256 != proof.sha256
        )
        for proof in proofs
    }


def choose_proof_display(proof: PaymentProof) -> ProofDisplay:
    """Say how a proof appears."""
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
    """Whether a decision needs this proof to have been seen."""
    return proof.verdict == Verdict.PENDING and proof.status != ProofStatus.FAILED


def build_proof_file_url(proof: PaymentProof) -> str:
    """Give the address of a proof's file."""
    return reverse("admin:raffles_paymentproof_file", args=[proof.pk])


def build_thumbnail_url(proof: PaymentProof) -> str:
    """Give the address of the small picture of a proof; empty where it is no picture."""
    if choose_proof_display(proof) is not ProofDisplay.PICTURE:
        return ""
    return reverse("admin:raffles_paymentproof_thumbnail", args=[proof.pk])


def get_verdict_style(verdict: str) -> str:
    """Give Bootstrap's colour for a verdict."""
    return _VERDICT_STYLES[Verdict(verdict)]


def describe_verdict(proof: PaymentProof, *, zone: str) -> str:
    """Say who decided about a proof, when and why; empty while nobody has."""
    if proof.verdict == Verdict.PENDING or not proof.reviewer:
        return ""
    said = f"{enums.format_label(Verdict(proof.verdict))} by {proof.reviewer}"
    if proof.reviewed_at is not None:
        said += f" on {display.format_time(proof.reviewed_at, zone=zone)}"
    reason = enums.format_label(RejectReason(proof.reject_reason)) if proof.reject_reason else ""
    why = ": ".join(part for part in (reason, proof.note) if part)
    return f"{said} · {why}" if why else said


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
    assert other.order is not None  # noqa: S101 - only proofs of orders are looked for
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
