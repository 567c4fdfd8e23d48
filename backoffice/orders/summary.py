"""Summary of an order: its facts as text, and the decisions that are possible."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from backoffice.orders import confirmations, late_payment_options, ticket_numbers
from backoffice.orders.confirmations import OrderConfirmation
from backoffice.orders.late_payment_options import LatePaymentOptions
from backoffice.orders.proofs import proof_cards
from backoffice.ui import display
from shared.core import enums
from shared.core.enums import OrderStatus, RaffleStatus
from shared.core.errors import DomainError
from shared.raffles import deadlines, sale_rules
from shared.raffles.models import Order
from shared.raffles.services.payment_proofs import proof_verdicts
from shared.raffles.services.queries import refund_queries

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
        to_open: Those of them that pages cannot show: they count as seen once they were opened.
        late: The options for a late payment; None if it was not paid too late.
        ended: Whether it is cancelled or expired.
        refunded: Whether its money went back.
        refusal: The reason why it cannot be confirmed any more; empty if it can, or if it is paid.
        confirmation: Its confirmation; None while it is not paid.
        keeps_time: Whether a rejection leaves time to pay; after the draw it ends the order.
        may_confirm, may_reject, may_cancel: Whether the decision is possible.
        hidden: Whether nobody can look at what would be confirmed, as on the review page.
        more_time: The deadline if it is given more time now; empty if that is not possible.
        may_flag: Whether a payment can only be put on the list of refunds.

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
    to_open: tuple[int, ...]
    late: LatePaymentOptions | None
    ended: bool
    refunded: bool
    refusal: str
    confirmation: OrderConfirmation | None
    keeps_time: bool
    may_confirm: bool
    may_reject: bool
    may_cancel: bool
    hidden: bool
    more_time: str
    may_flag: bool


def load_order_summary(order: Order, *, now: datetime) -> OrderSummary:
    """Return the summary of an order, which comes with its raffle and contact."""
    zone = order.raffle.time_zone
    proofs = proof_cards.build_proof_cards(
        list(order.proofs.select_related("fingerprint")), zone=zone
    )
    seen = tuple(shown.proof.pk for shown in proofs if shown.waits)
    to_open = tuple(shown.proof.pk for shown in proofs if shown.must_be_opened)
    numbers = ticket_numbers.load_ticket_numbers(order)
    paid, ended = order.status == OrderStatus.PAID, order.status not in Order.HOLDING
    refusal = "" if paid else confirmations.describe_confirmation_refusal(order, now=now)
    refunded = (paid or ended) and refund_queries.is_refunded(order)
    final = sale_rules.find_sealing_refusal(order.raffle) is not None
    payable = ended or order.status == OrderStatus.PENDING_PAYMENT
    return OrderSummary(
        order=order,
        status="Refunded" if refunded else enums.format_label(OrderStatus(order.status)),
        style="dark" if refunded else ORDER_STATUS_STYLES[OrderStatus(order.status)],
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
        to_open=to_open,
        late=late_payment_options.build_late_payment_options(
            order, numbers=numbers, seen=seen, to_open=to_open, now=now
        ),
        ended=ended,
        refunded=refunded,
        refusal=refusal,
        confirmation=confirmations.load_confirmation(order, now=now),
        keeps_time=sale_rules.may_still_settle(order.raffle, now=now),
        may_confirm=payable and not refusal,
        may_reject=order.needs_decision or (order.under_review and not final),
        may_cancel=order.status in Order.LIVE and not final,
        hidden=not proof_verdicts.can_be_judged(shown.proof for shown in proofs),
        more_time=_format_later_deadline(order, now=now),
        may_flag=bool(refusal)
        and not refunded
        and not order.needs_decision
        and (ended or _is_unproven_after_draw(order)),
    )


def _format_later_deadline(order: Order, *, now: datetime) -> str:
    if order.status not in Order.LIVE:
        return ""
    try:
        deadline = deadlines.compute_later_deadline(order, now=now)
    except DomainError:
        return ""
    return display.format_time(deadline, zone=order.raffle.time_zone)


def _is_unproven_after_draw(order: Order) -> bool:
    """Whether an order under review, which cannot be confirmed, can be put on the refund list."""
    closed_for_good = {RaffleStatus.SEALED, RaffleStatus.DRAWN, RaffleStatus.CANCELLED}
    return order.under_review and order.raffle.status not in closed_for_good


def describe_order_status(order: Order) -> tuple[str, str]:
    """Return the status of an order, or the decision it needs, and its Bootstrap colour.

    Reads the ledger of the order, without a query if it is prefetched.
    """
    if order.needs_decision:
        return "Needs a decision", "danger"
    if order.under_review:
        return "To review" if order.asked_again_at is None else "Asked again", "primary"
    status = OrderStatus(order.status)
    if status not in Order.LIVE and refund_queries.is_refunded(order):
        return "Refunded", "dark"
    return enums.format_label(status), ORDER_STATUS_STYLES[status]
