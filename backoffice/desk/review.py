"""What the page of an order shows, read at once before it is drawn."""

from dataclasses import dataclass
from datetime import datetime

from backoffice import words
from backoffice.desk import evidence, held, late_choice
from backoffice.desk.late_choice import LateChoice
from shared.core import enums
from shared.core.enums import OrderAction, OrderStatus, RaffleStatus
from shared.raffles.models import Order, OrderEvent

STATUS_STYLES = {
    OrderStatus.DRAFT: "secondary",
    OrderStatus.PENDING_PAYMENT: "warning",
    OrderStatus.PAID: "success",
    OrderStatus.CANCELLED: "dark",
    OrderStatus.EXPIRED: "dark",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the history."""

    action: str
    actor: str
    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class Review:
    """The page of an order; `seen` are the proofs that wait, `late` the ways out if it is late."""

    order: Order
    status: str
    style: str
    total: str
    buyer: str
    numbers: list[held.ShownNumber]
    created: str
    placed: str
    expires: str
    waiting: str
    proofs: list[evidence.ShownProof]
    seen: tuple[int, ...]
    late: LateChoice | None
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
    proofs = evidence.of(list(order.proofs.all()), zone=zone)
    seen = tuple(shown.proof.pk for shown in proofs if shown.waits)
    numbers = held.shown(order)
    drawn = order.raffle.status == RaffleStatus.DRAWN
    return Review(
        order=order,
        status=enums.label(OrderStatus(order.status)),
        style=STATUS_STYLES[OrderStatus(order.status)],
        total=words.money(order),
        buyer=words.buyer(order.contact),
        numbers=numbers,
        created=words.when(order.created_at, zone=zone),
        placed=words.when(order.placed_at, zone=zone),
        expires=words.when(order.expires_at, zone=zone),
        waiting=words.ago(order.under_review_since, now=now) if order.under_review_since else "",
        proofs=proofs,
        seen=seen,
        late=late_choice.of(order, numbers=numbers, seen=seen),
        history=[_line(event, zone=zone) for event in events],
        ended=order.status in {OrderStatus.CANCELLED, OrderStatus.EXPIRED},
        drawn=drawn,
        paid_by=_paid_by(events, zone=zone),
        may_confirm=not drawn and order.status not in {OrderStatus.DRAFT, OrderStatus.PAID},
        may_reject=order.under_review or order.needs_decision,
        may_cancel=order.status in Order.LIVE,
    )


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
