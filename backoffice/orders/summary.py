"""What the page of an order shows, read at once before it is drawn."""

from dataclasses import dataclass
from datetime import datetime

from backoffice.orders import late_payment_options, proof_cards, ticket_numbers
from backoffice.orders.late_payment_options import LateChoice
from backoffice.ui import display
from shared.core import enums
from shared.core.enums import OrderAction, OrderStatus, RaffleStatus
from shared.raffles.models import Order

STATUS_STYLES = {
    OrderStatus.DRAFT: "secondary",
    OrderStatus.PENDING_PAYMENT: "warning",
    OrderStatus.PAID: "success",
    OrderStatus.CANCELLED: "dark",
    OrderStatus.EXPIRED: "dark",
}


@dataclass(frozen=True, slots=True)
class Review:
    """The page of an order; `seen` are the proofs that wait, `late` the ways out if it is late."""

    order: Order
    status: str
    style: str
    total: str
    buyer: str
    numbers: list[ticket_numbers.ShownNumber]
    created: str
    placed: str
    expires: str
    waiting: str
    proofs: list[proof_cards.ShownProof]
    seen: tuple[int, ...]
    late: LateChoice | None
    ended: bool
    drawn: bool
    paid_by: str
    may_confirm: bool
    may_reject: bool
    may_cancel: bool


def of(order: Order, *, now: datetime) -> Review:
    """Read everything the page of `order` shows; the order comes with raffle and contact."""
    zone = order.raffle.time_zone
    proofs = proof_cards.of(list(order.proofs.select_related("fingerprint")), zone=zone)
    seen = tuple(shown.proof.pk for shown in proofs if shown.waits)
    numbers = ticket_numbers.shown(order)
    drawn = order.raffle.status == RaffleStatus.DRAWN
    return Review(
        order=order,
        status=enums.format_label(OrderStatus(order.status)),
        style=STATUS_STYLES[OrderStatus(order.status)],
        total=display.money(order),
        buyer=display.buyer(order.contact),
        numbers=numbers,
        created=display.when(order.created_at, zone=zone),
        placed=display.when(order.placed_at, zone=zone),
        expires=display.when(order.expires_at, zone=zone),
        waiting=display.ago(order.under_review_since, now=now) if order.under_review_since else "",
        proofs=proofs,
        seen=seen,
        late=late_payment_options.of(order, numbers=numbers, seen=seen),
        ended=order.status in {OrderStatus.CANCELLED, OrderStatus.EXPIRED},
        drawn=drawn,
        paid_by=_paid_by(order),
        may_confirm=not drawn and order.status not in {OrderStatus.DRAFT, OrderStatus.PAID},
        may_reject=order.under_review or order.needs_decision,
        may_cancel=order.status in Order.LIVE,
    )


def _paid_by(order: Order) -> str:
    """Say who confirmed a paid order and when, in one query; empty while it is not paid."""
    if order.status != OrderStatus.PAID:
        return ""
    paid = order.events.filter(action=OrderAction.PAID).order_by("-id").first()
    if paid is None:
        return ""
    who = paid.actor_label or paid.actor_kind.lower()
    return f"{who} on {display.clock(paid.at, zone=order.raffle.time_zone)}"
