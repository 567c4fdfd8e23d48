"""Confirmations of payments: whether one is possible, and whether it can be undone or refunded."""

from dataclasses import dataclass
from datetime import datetime

from backoffice.ui import display
from shared.core.enums import LedgerKind, OrderAction, OrderStatus
from shared.raffles import sale_rules
from shared.raffles.models import Order, OrderEvent
from shared.raffles.services.payment_proofs import proof_queries
from shared.raffles.services.queries import refund_queries


@dataclass(frozen=True, slots=True)
class OrderConfirmation:
    """The confirmation of a paid order.

    Attributes:
        event: The history entry, whose id an undo or a refund names.
        by: The user who confirmed it, and the time.
        refunded: Whether its money went back; a refund after the sealing leaves the order paid.
        may_undo: Whether it can be undone.

    """

    event: OrderEvent
    by: str
    refunded: bool
    may_undo: bool


def load_confirmation(order: Order, *, now: datetime) -> OrderConfirmation | None:
    """Return the confirmation of an order; None while it is not paid.

    Takes two queries, or none if history and ledger of the order are prefetched.

    Args:
        order: The order, with its raffle.
        now: The current time.

    """
    if order.status != OrderStatus.PAID:
        return None
    paid = [event for event in order.events.all() if event.action == OrderAction.PAID]
    if not paid:
        return None
    who = paid[-1].actor_label or paid[-1].actor_kind.lower()
    refunded = refund_queries.is_refunded(order)
    return OrderConfirmation(
        event=paid[-1],
        by=f"{who} on {display.format_time(paid[-1].at, zone=order.raffle.time_zone)}",
        refunded=refunded,
        may_undo=not refunded and may_undo_confirmation(order, now=now),
    )


def may_undo_confirmation(order: Order, *, now: datetime) -> bool:
    """Whether a confirmation of an order can be undone: not of a cash sale, nor after the draw."""
    return order.contact_id is not None and sale_rules.may_still_settle(order.raffle, now=now)


def describe_confirmation_refusal(order: Order, *, now: datetime) -> str:
    """Return why an order that is not paid cannot be confirmed any more; empty while it can.

    Takes a query for the ledger of an ended order, or for the proofs of an order under review after
    the time of the draw, unless they are prefetched.

    Args:
        order: The order, with its raffle.
        now: The current time.

    """
    refusal = sale_rules.find_settling_refusal(order.raffle, now=now)
    if order.status not in Order.HOLDING:
        refunded = describe_refund(order)
        return refunded or (refusal.message() if refusal is not None else "")
    if refusal is not None:
        first = proof_queries.find_first_proof_time(order)
        refusal = sale_rules.find_review_refusal(order.raffle, first_proof_at=first, now=now)
    return refusal.message() if refusal is not None else ""


def describe_refund(order: Order) -> str:
    """Return that the money of an order went back; empty if it did not.

    Takes a query, or none if the ledger of the order is prefetched.
    """
    if not refund_queries.is_refunded(order):
        return ""
    refunds = [entry for entry in order.ledger.all() if entry.kind in refund_queries.REFUND_KINDS]
    who = refunds[-1].actor_label or refunds[-1].actor_kind.lower()
    at = display.format_time(refunds[-1].at, zone=order.raffle.time_zone)
    return f"Refunded by {who} on {at}."


def was_refunded(order: Order) -> bool:
    """Whether an order was paid and refunded, so that it can never be confirmed again."""
    return any(entry.kind == LedgerKind.REFUNDED for entry in order.ledger.all())
