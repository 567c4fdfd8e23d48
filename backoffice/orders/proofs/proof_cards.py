"""Cards about payment proofs, with identical and similar proofs of other orders."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.urls import reverse

from backoffice.ui import display
from shared.core import enums
from shared.core.enums import FileFailure, ProofStatus, RejectReason, RenditionStatus, Verdict
from shared.raffles import file_failures
from shared.raffles.models import Order, PaymentProof
from shared.raffles.services.payment_proofs import proof_queries, renditions, similar_proofs
from shared.whatsapp.media_files import PROOF_FILE_EXTENSIONS

MAX_IDENTICAL_PROOFS: Final = 200
"""Maximum count of identical proofs that are loaded."""


class ProofDisplay(StrEnum):
    """The way a page shows a proof."""

    PICTURE = "picture"
    PDF = "pdf"
    FILE = "file"
    FETCHING = "fetching"
    FAILED = "failed"
    ERASED = "erased"


PROOF_DISPLAY_LABELS: Final = {
    ProofDisplay.PICTURE: "Picture",
    ProofDisplay.PDF: "PDF",
    ProofDisplay.FILE: "File",
    ProofDisplay.FETCHING: "Still being fetched",
    ProofDisplay.FAILED: "Could not be had",
    ProofDisplay.ERASED: "Erased",
}

FAILURE_SENTENCES: Final = {
    FileFailure.GONE: "WhatsApp no longer has the file.",
    FileFailure.TOO_LARGE: "The file is larger than 16 MB.",
    FileFailure.EMPTY: "The file is empty.",
    FileFailure.WRONG_TYPE: "The file is neither a picture nor a PDF.",
    FileFailure.PROTECTED: "The PDF needs a password.",
    FileFailure.DAMAGED: "The file is damaged and cannot be opened.",
    FileFailure.UNREACHABLE: "WhatsApp could not be reached.",
}
"""The reason why there is no file of a proof that can be opened, for staff."""

HIDDEN_SENTENCES: Final = {
    RenditionStatus.PENDING: "It is neither a picture nor a PDF; open it with care.",
    RenditionStatus.MADE: "It is neither a picture nor a PDF; open it with care.",
    RenditionStatus.TOO_COMPLEX: "It takes too much time or memory to be shown here.",
    RenditionStatus.PROTECTED: "The PDF needs a password, so it cannot be shown here.",
    RenditionStatus.DAMAGED: "The file is damaged, so it cannot be shown here.",
}
"""The reason why pages do not show the file of a proof."""

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
    picture: str
    arrived: str
    verdict: str
    style: str
    page: str

    @property
    def problem(self) -> str:
        """The reason why it is not shown."""
        return _describe_problem(self.proof)


@dataclass(frozen=True, slots=True)
class ProofCard:
    """A payment proof on a page.

    Attributes:
        proof: The proof.
        shown: The way it is shown.
        address: The address of its file.
        picture: The address of its bounded picture; empty if it cannot be shown.
        thumbnail: The address of its thumbnail; empty if it cannot be shown.
        arrived: The time the buyer sent it.
        verdict: The label of the verdict.
        style: The Bootstrap colour of the verdict.
        reviewed: The reviewer, time and reason of the verdict; empty while it is pending.
        waits: Whether a decision about the order must be based on this proof.
        twins: Proofs of other orders with identical bytes.
        alike: Proofs of other orders with a similar picture.
        shared: The other orders that the same receipt was named for.
        is_new: Whether it arrived after the page was first shown.

    """

    proof: PaymentProof
    shown: ProofDisplay
    address: str
    picture: str
    thumbnail: str
    arrived: str
    verdict: str
    style: str
    reviewed: str
    waits: bool
    twins: tuple[SimilarProofCard, ...] = ()
    alike: tuple[SimilarProofCard, ...] = ()
    shared: tuple[SimilarProofCard, ...] = ()
    is_new: bool = False

    @property
    def others(self) -> tuple[SimilarProofCard, ...]:
        """The proofs of other orders to compare it with."""
        return self.twins + self.alike

    @property
    def must_be_opened(self) -> bool:
        """Whether a decision waits for it and pages cannot show it."""
        return self.waits and self.shown is ProofDisplay.FILE

    @property
    def problem(self) -> str:
        """The reason why it is not shown."""
        return _describe_problem(self.proof)


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
        warned: Whether to search for proofs of other orders, which takes five queries.

    """
    compared = proofs if warned else ()
    twins, alike = load_identical_proofs(compared), load_similar_proofs(compared)
    shared = proof_queries.find_shared_rows(compared)
    return [
        _build_proof_card(
            proof,
            shared=tuple(
                _build_similar_proof_card(row, exact=True, zone=zone)
                for row in shared.get(proof.pk, ())
            ),
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
        case ProofStatus.ERASED:
            return ProofDisplay.ERASED
        case ProofStatus.KEPT:
            if not is_proof_showable(proof):
                return ProofDisplay.FILE
            is_pdf = proof.content_type == "application/pdf"
            return ProofDisplay.PDF if is_pdf else ProofDisplay.PICTURE


def is_proof_showable(proof: PaymentProof) -> bool:
    """Whether pages can show a picture of a proof's file, as far as is known."""
    return (
        proof.status == ProofStatus.KEPT
        and proof.content_type in PROOF_FILE_EXTENSIONS
        and proof.rendition in renditions.SHOWABLE_STATUSES
    )


def is_proof_pending(proof: PaymentProof) -> bool:
    """Whether a decision about the order must be based on this proof."""
    return proof.verdict == Verdict.PENDING and proof.status != ProofStatus.FAILED


def build_proof_file_url(proof: PaymentProof) -> str:
    """Return the address of the file of a proof."""
    return reverse("admin:raffles_paymentproof_file", args=[proof.pk])


def build_picture_url(proof: PaymentProof) -> str:
    """Return the address of the bounded picture of a proof; empty if it cannot be shown."""
    if not is_proof_showable(proof):
        return ""
    return reverse("admin:raffles_paymentproof_picture", args=[proof.pk])


def build_thumbnail_url(proof: PaymentProof) -> str:
    """Return the address of the thumbnail of a proof; empty if it cannot be shown."""
    if not is_proof_showable(proof):
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


def _describe_problem(proof: PaymentProof) -> str:
    if proof.status == ProofStatus.FAILED:
        return FAILURE_SENTENCES[file_failures.parse_failure(proof.fetch_error)]
    return HIDDEN_SENTENCES[RenditionStatus(proof.rendition)]


def _build_proof_card(
    proof: PaymentProof,
    *,
    shared: tuple[SimilarProofCard, ...],
    twins: tuple[SimilarProofCard, ...],
    alike: tuple[SimilarProofCard, ...],
    zone: str,
    is_new: bool,
) -> ProofCard:
    return ProofCard(
        proof=proof,
        shown=choose_proof_display(proof),
        address=build_proof_file_url(proof),
        picture=build_picture_url(proof),
        thumbnail=build_thumbnail_url(proof),
        arrived=display.format_time(proof.arrived_at, zone=zone),
        verdict=enums.format_label(Verdict(proof.verdict)),
        style=get_verdict_style(proof.verdict),
        reviewed=describe_verdict(proof, zone=zone),
        waits=is_proof_pending(proof),
        twins=twins,
        alike=alike,
        shared=shared,
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
        picture=build_picture_url(other),
        arrived=display.format_time(other.arrived_at, zone=zone),
        verdict=enums.format_label(Verdict(other.verdict)),
        style=get_verdict_style(other.verdict),
        page=reverse("admin:desk_review", args=[other.order.pk]),
    )


def _keep_one_per_order(found: Iterable[PaymentProof]) -> list[PaymentProof]:
    return list({other.order_id: other for other in found if other.order is not None}.values())
