"""What the page of an order shows, read at once before it is drawn."""

from dataclasses import dataclass
from datetime import datetime

from backoffice.orders import late_payment_options, proof_cards, ticket_numbers
from backoffice.orders.late_payment_options import LatePaymentOptions
from backoffice.ui import display
from shared.core import enums
from shared.core.enums import OrderAction, OrderStatus, RaffleStatus
from shared.raffles.models import Order

ORDER_STATUS_STYLES = {
    OrderStatus.DRAFT: "secondary",
    OrderStatus.PENDING_PAYMENT: "warning",
    OrderStatus.PAID: "success",
    OrderStatus.CANCELLED: "dark",
    OrderStatus.EXPIRED: "dark",
}


@dataclass(frozen=True, slots=True)
class OrderSummary:
    """The page of an order; `seen` are the proofs that wait, `late` the ways out if it is late."""

    order: Order
    status: str
    style: str
    total: str
    buyer: str
    numbers: list[ticket_numbers.OrderTicketNumber]
    created: str
    placed: str
    expires: str
    waiting: str
    proofs: list[proof_cards.ProofCard]
    seen: tuple[int, ...]
    late: LatePaymentOptions | None
    ended: bool
    drawn: bool
    paid_by: str
    may_confirm: bool
    may_reject: bool
    may_cancel: bool


def load_order_summary(order: Order, *, now: datetime) -> OrderSummary:
    """Read everything the page of `order` shows; the order comes with raffle and contact."""
    zone = order.raffle.time_zone
    proofs = proof_cards.build_proof_cards(
        list(order.proofs.select_related("fingerprint")), zone=zone
    )
    seen = tuple(shown.proof.pk for shown in proofs if shown.waits)
    numbers = ticket_numbers.load_ticket_numbers(order)
    drawn = order.raffle.status == RaffleStatus.DRAWN
    return OrderSummary(
        order=order,
        status=enums.format_label(OrderStatus(order.status)),
        style=ORDER_STATUS_STYLES[OrderStatus(order.status)],
        total=display.format_order_total(order),
        buyer=display.format_contact(order.contact),
        numbers=numbers,
        created=display.format_time_with_zone(order.created_at, zone=zone),
        placed=display.format_time_with_zone(order.placed_at, zone=zone),
        expires=display.format_time_with_zone(order.expires_at, zone=zone),
        waiting=display.format_time_since(order.under_review_since, now=now)
        if order.under_review_since
        else "",
        proofs=proofs,
        seen=seen,
        late=late_payment_options.build_late_payment_options(order, numbers=numbers, seen=seen),
        ended=order.status in {OrderStatus.CANCELLED, OrderStatus.EXPIRED},
        drawn=drawn,
        paid_by=_describe_confirmation(order),
        may_confirm=not drawn and order.status not in {OrderStatus.DRAFT, OrderStatus.PAID},
        may_reject=order.under_review or order.needs_decision,
        may_cancel=order.status in Order.LIVE,
    )


def _describe_confirmation(order: Order) -> str:
    """Say who confirmed a paid order and when, in one query; empty while it is not paid."""
    if order.status != OrderStatus.PAID:
        return ""
    paid = order.events.filter(action=OrderAction.PAID).order_by("-id").first()
    if paid is None:
        return ""
    who = paid.actor_label or paid.actor_kind.lower()
    return f"{who} on {display.format_time(paid.at, zone=order.raffle.time_zone)}"
