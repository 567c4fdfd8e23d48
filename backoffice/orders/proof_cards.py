"""Payment proofs as pages draw them: how each is shown, and what came with other orders."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.urls import reverse

from backoffice.ui import display
from backoffice.ui.file_responses import PICTURE_TYPES
from shared.core import enums
from shared.core.enums import ProofStatus, RejectReason, Verdict
from shared.raffles.models import Order, PaymentProof
from shared.raffles.predicates import HASHED_PROOFS
from shared.raffles.services import similar_proofs

MANY: Final = 200
"""How many other proofs with the same bytes are read at most."""


class Shown(StrEnum):
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
class Other:
    """A proof that came with another order; `exact` if its bytes are the same."""

    proof: PaymentProof
    order: Order
    exact: bool
    shown: Shown
    address: str
    arrived: str
    verdict: str
    style: str
    page: str


@dataclass(frozen=True, slots=True)
class ShownProof:
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
    shown: Shown
    address: str
    thumbnail: str
    arrived: str
    verdict: str
    style: str
    reviewed: str
    waits: bool
    twins: tuple[Other, ...] = ()
    alike: tuple[Other, ...] = ()
    is_new: bool = False

    @property
    def others(self) -> tuple[Other, ...]:
        """The proofs it should be compared with."""
        return self.twins + self.alike


def of(
    proofs: Sequence[PaymentProof],
    *,
    zone: str,
    new: Collection[int] = (),
    warned: bool = True,
) -> list[ShownProof]:
    """Prepare proofs for drawing, with what came with other orders.

    Args:
        proofs: as read.
        zone: IANA name of the time zone their times are shown in.
        new: ids of those that arrived while others were looked at.
        warned: whether it is said what came with other orders; it costs four queries.

    """
    compared = proofs if warned else ()
    twins, alike = same_bytes(compared), nearly_equal(compared)
    return [
        _shown(
            proof,
            twins=tuple(_other(other, exact=True, zone=zone) for other in twins.get(proof.pk, ())),
            alike=tuple(_other(other, exact=False, zone=zone) for other in alike.get(proof.pk, ())),
            zone=zone,
            is_new=proof.pk in new,
        )
        for proof in proofs
    ]


def same_bytes(proofs: Sequence[PaymentProof]) -> Mapping[int, list[PaymentProof]]:
    """Find proofs of other orders with the very same bytes, in one query; one an order."""
    hashes = {proof.sha256 for proof in proofs if proof.sha256}
    same = PaymentProof.objects.filter(HASHED_PROOFS, sha256__in=hashes, order__isnull=False)
    found = list(same.select_related("order").order_by("id")[:MANY]) if hashes else []
    return {
        proof.pk: _one_an_order(
            other
            for other in found
            if other.sha256 == proof.sha256 and other.order_id != proof.order_id
        )
        for proof in proofs
    }


def nearly_equal(proofs: Sequence[PaymentProof]) -> Mapping[int, list[PaymentProof]]:
    """Find proofs of other orders that look nearly the same, other than those of equal bytes."""
    alike = similar_proofs.find_similar_proofs([proof for proof in proofs if proof.sha256])
    return {
        proof.pk: _one_an_order(
            other for other in alike.get(proof.pk, []) if other.sha256 != proof.sha256
        )
        for proof in proofs
    }


def how(proof: PaymentProof) -> Shown:
    """Say how a proof appears."""
    match ProofStatus(proof.status):
        case ProofStatus.FETCHING:
            return Shown.FETCHING
        case ProofStatus.FAILED:
            return Shown.FAILED
        case ProofStatus.KEPT:
            if proof.content_type == "application/pdf":
                return Shown.PDF
            return Shown.PICTURE if proof.content_type in PICTURE_TYPES else Shown.FILE


def waits(proof: PaymentProof) -> bool:
    """Whether a decision needs this proof to have been seen."""
    return proof.verdict == Verdict.PENDING and proof.status != ProofStatus.FAILED


def file_of(proof: PaymentProof) -> str:
    """Give the address of a proof's file."""
    return reverse("admin:raffles_paymentproof_file", args=[proof.pk])


def thumbnail_of(proof: PaymentProof) -> str:
    """Give the address of the small picture of a proof; empty where it is no picture."""
    if how(proof) is not Shown.PICTURE:
        return ""
    return reverse("admin:raffles_paymentproof_thumbnail", args=[proof.pk])


def verdict_style(verdict: str) -> str:
    """Give Bootstrap's colour for a verdict."""
    return _VERDICT_STYLES[Verdict(verdict)]


def judged(proof: PaymentProof, *, zone: str) -> str:
    """Say who decided about a proof, when and why; empty while nobody has."""
    if proof.verdict == Verdict.PENDING or not proof.reviewer:
        return ""
    said = f"{enums.format_label(Verdict(proof.verdict))} by {proof.reviewer}"
    if proof.reviewed_at is not None:
        said += f" on {display.clock(proof.reviewed_at, zone=zone)}"
    reason = enums.format_label(RejectReason(proof.reject_reason)) if proof.reject_reason else ""
    why = ": ".join(part for part in (reason, proof.note) if part)
    return f"{said} · {why}" if why else said


def _shown(
    proof: PaymentProof,
    *,
    twins: tuple[Other, ...],
    alike: tuple[Other, ...],
    zone: str,
    is_new: bool,
) -> ShownProof:
    return ShownProof(
        proof=proof,
        shown=how(proof),
        address=file_of(proof),
        thumbnail=thumbnail_of(proof),
        arrived=display.clock(proof.arrived_at, zone=zone),
        verdict=enums.format_label(Verdict(proof.verdict)),
        style=verdict_style(proof.verdict),
        reviewed=judged(proof, zone=zone),
        waits=waits(proof),
        twins=twins,
        alike=alike,
        is_new=is_new,
    )


def _other(other: PaymentProof, *, exact: bool, zone: str) -> Other:
    assert other.order is not None  # noqa: S101 - only proofs of orders are looked for
    return Other(
        proof=other,
        order=other.order,
        exact=exact,
        shown=how(other),
        address=file_of(other),
        arrived=display.clock(other.arrived_at, zone=zone),
        verdict=enums.format_label(Verdict(other.verdict)),
        style=verdict_style(other.verdict),
        page=reverse("admin:desk_review", args=[other.order.pk]),
    )


def _one_an_order(found: Iterable[PaymentProof]) -> list[PaymentProof]:
    return list({other.order_id: other for other in found if other.order is not None}.values())
