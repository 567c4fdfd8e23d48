"""What the page of an order shows, read at once before it is drawn."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.urls import reverse

from backoffice import words
from backoffice.files import PICTURE_TYPES
from backoffice.reading import numbers_of
from shared.core import enums
from shared.core.enums import (
    OrderAction,
    OrderStatus,
    ProofStatus,
    RaffleStatus,
    TicketStatus,
    Verdict,
)
from shared.raffles.models import Order, OrderEvent, PaymentProof

STATUS_STYLES = {
    OrderStatus.DRAFT: "secondary",
    OrderStatus.PENDING_PAYMENT: "warning",
    OrderStatus.PAID: "success",
    OrderStatus.CANCELLED: "dark",
    OrderStatus.EXPIRED: "dark",
}


class Shown(StrEnum):
    """How a proof appears."""

    PICTURE = "picture"
    PDF = "pdf"
    FILE = "file"
    FETCHING = "fetching"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ShownProof:
    """A payment proof as the page draws it; `twins` are orders that came with the same bytes."""

    proof: PaymentProof
    shown: Shown
    address: str
    arrived: str
    verdict: str
    reviewed: str
    twins: list[Order]


@dataclass(frozen=True, slots=True)
class ShownNumber:
    """A number with its zeros, and whether somebody else has it by now."""

    written: str
    gone: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the history."""

    action: str
    actor: str
    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class Review:
    """The page of an order."""

    order: Order
    status: str
    style: str
    total: str
    buyer: str
    numbers: list[ShownNumber]
    created: str
    placed: str
    expires: str
    waiting: str
    proofs: list[ShownProof]
    history: list[Line]
    ended: bool
    drawn: bool
    paid_by: str
    may_confirm: bool
    may_reject: bool
    may_cancel: bool


def of(order: Order, *, now: datetime) -> Review:
    """Read everything the page of `order` shows; the order comes with raffle and contact."""
    zone = order.raffle.time_zone
    events = list(order.events.all())
    drawn = order.raffle.status == RaffleStatus.DRAWN
    ended = order.status in {OrderStatus.CANCELLED, OrderStatus.EXPIRED}
    return Review(
        order=order,
        status=enums.label(OrderStatus(order.status)),
        style=STATUS_STYLES[OrderStatus(order.status)],
        total=words.money(order),
        buyer=words.buyer(order.contact),
        numbers=_numbers(order, ended=ended),
        created=words.when(order.created_at, zone=zone),
        placed=words.when(order.placed_at, zone=zone),
        expires=words.when(order.expires_at, zone=zone),
        waiting=words.ago(order.under_review_since, now=now) if order.under_review_since else "",
        proofs=shown_proofs(list(order.proofs.all()), zone=zone),
        history=[_line(event, zone=zone) for event in events],
        ended=ended,
        drawn=drawn,
        paid_by=_paid_by(events, zone=zone),
        may_confirm=not drawn and order.status not in {OrderStatus.DRAFT, OrderStatus.PAID},
        may_reject=order.under_review or order.needs_decision,
        may_cancel=order.status in Order.LIVE,
    )


def shown_proofs(proofs: list[PaymentProof], *, zone: str) -> list[ShownProof]:
    """Prepare proofs for drawing, with one query for the same bytes elsewhere."""
    hashes = {proof.sha256 for proof in proofs if proof.sha256}
    others = list(
        PaymentProof.objects.filter(sha256__in=hashes, order__isnull=False).select_related("order")
    )
    return [_shown(proof, others=others, zone=zone) for proof in proofs]


def _shown(proof: PaymentProof, *, others: list[PaymentProof], zone: str) -> ShownProof:
    twins = {
        other.order
        for other in others
        if other.sha256 == proof.sha256 and other.order and other.order_id != proof.order_id
    }
    return ShownProof(
        proof=proof,
        shown=_how(proof),
        address=reverse("admin:raffles_paymentproof_file", args=[proof.pk]),
        arrived=words.clock(proof.arrived_at, zone=zone),
        verdict=enums.label(Verdict(proof.verdict)),
        reviewed=words.clock(proof.reviewed_at, zone=zone) if proof.reviewed_at else "",
        twins=sorted(twins, key=lambda order: order.pk),
    )


def _how(proof: PaymentProof) -> Shown:
    if proof.status != ProofStatus.KEPT:
        return Shown.FAILED if proof.status == ProofStatus.FAILED else Shown.FETCHING
    if proof.content_type in PICTURE_TYPES:
        return Shown.PICTURE
    return Shown.PDF if proof.content_type == "application/pdf" else Shown.FILE


def _numbers(order: Order, *, ended: bool) -> list[ShownNumber]:
    free = {
        link.ticket.number
        for link in order.order_tickets.all()
        if link.ticket.status == TicketStatus.AVAILABLE
    }
    return [
        ShownNumber(order.raffle.written(number), gone=ended and number not in free)
        for number in numbers_of(order)
    ]


def _line(event: OrderEvent, *, zone: str) -> Line:
    return Line(
        action=enums.label(OrderAction(event.action)),
        actor=event.actor_label or event.actor_kind.lower(),
        at=words.clock(event.at, zone=zone),
        reason=event.reason,
    )


def _paid_by(events: list[OrderEvent], *, zone: str) -> str:
    paid = [event for event in events if event.action == OrderAction.PAID]
    if not paid:
        return ""
    line = _line(paid[-1], zone=zone)
    return f"{line.actor} on {line.at}"
