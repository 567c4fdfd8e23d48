"""Summary of an order: its facts as text, and the decisions that are possible."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from backoffice.orders import late_payment_options, proof_cards, ticket_numbers
from backoffice.orders.late_payment_options import LatePaymentOptions
from backoffice.ui import display
from shared.core import enums
from shared.core.enums import OrderAction, OrderStatus, RaffleStatus
from shared.raffles.models import Order

ORDER_STATUS_STYLES: Final = {
    OrderStatus.DRAFT: "secondary",
    OrderStatus.PENDING_PAYMENT: "warning",
    OrderStatus.PAID: "success",
    OrderStatus.CANCELLED: "dark",
    OrderStatus.EXPIRED: "dark",
}
"""Bootstrap colours."""


@dataclass(frozen=True, slots=True)
class OrderSummary:
    """The summary of an order.

    Attributes:
        seen: Ids of the pending proofs, which a decision is based on.
        late: The options for a late payment; None if it was not paid too late.
        ended: Whether it is cancelled or expired.
        drawn: Whether its raffle is drawn.
        paid_by: The user who confirmed it, and the time; empty while it is not paid.
        may_confirm, may_reject, may_cancel: Whether the decision is possible.

    """

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
    """Return the summary of an order, which comes with its raffle and contact."""
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
        ended=order.status not in Order.HOLDING,
        drawn=drawn,
        paid_by=_describe_confirmation(order),
        may_confirm=not drawn and order.status not in {OrderStatus.DRAFT, OrderStatus.PAID},
        may_reject=order.under_review or order.needs_decision,
        may_cancel=order.status in Order.LIVE,
    )


def describe_order_status(order: Order) -> tuple[str, str]:
    """Return the status of an order, or the decision it needs, and its Bootstrap colour."""
    if order.needs_decision:
        return "Needs a decision", "danger"
    if order.under_review:
        return "To review" if order.asked_again_at is None else "Asked again", "primary"
    status = OrderStatus(order.status)
    return enums.format_label(status), ORDER_STATUS_STYLES[status]


def _describe_confirmation(order: Order) -> str:
    """Return who confirmed a paid order and when, in one query; empty while it is not paid."""
    if order.status != OrderStatus.PAID:
        return ""
    paid = order.events.filter(action=OrderAction.PAID).order_by("-id").first()
    if paid is None:
        return ""
    who = paid.actor_label or paid.actor_kind.lower()
    return f"{who} on {display.format_time(paid.at, zone=order.raffle.time_zone)}"
