"""Detection of decisions that were made before.

A repeated request is then a success that changes nothing.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from backoffice.api.late_decisions import ACTION_PER_DECISION, LatePaymentDecision
from shared.core.enums import OrderAction, OrderStatus
from shared.raffles import deadlines
from shared.raffles.actor import Actor
from shared.raffles.models import Order
from shared.raffles.services import history

_ACTIONS_ENDING_REJECTION: Final = (
    OrderAction.PROOF_REJECTED,
    OrderAction.PROOF_RECEIVED,
    OrderAction.PROOF_MOVED,
    OrderAction.PROOF_DISMISSED,
    OrderAction.LATE_PAYMENT,
    OrderAction.REFUND_NOTED,
    OrderAction.PAID,
)
"""The rejection itself, and the actions after which it no longer holds."""
_ACTIONS_ENDING_DECISION: Final = (
    *ACTION_PER_DECISION.values(),
    OrderAction.PROOF_REJECTED,
    OrderAction.PROOF_MOVED,
    OrderAction.PROOF_DISMISSED,
    OrderAction.LATE_PAYMENT,
)
"""The decisions themselves, and the actions after which they no longer hold."""


def is_cancelled(order: Order) -> bool:
    """Whether the order was cancelled, no matter by whom, and not paid and refunded since."""
    if order.status != OrderStatus.CANCELLED:
        return False
    latest = history.find_last_event(order, OrderAction.CANCELLED, OrderAction.REFUNDED)
    return latest is not None and latest.action == OrderAction.CANCELLED


def is_rejected(order: Order) -> bool:
    """Whether the order's payment proofs were rejected and no proof or payment came since."""
    latest = history.find_last_event(order, *_ACTIONS_ENDING_REJECTION)
    return latest is not None and latest.action == OrderAction.PROOF_REJECTED


def is_time_given(order: Order, *, now: datetime) -> bool:
    """Whether the order was given more time within the last minute."""
    latest = history.find_last_event(order, OrderAction.TIME_GIVEN)
    return latest is not None and now - latest.at < deadlines.LEAST_TIME_GIVEN


def is_noted(order: Order, *, note: str, by: Actor) -> bool:
    """Whether the latest note about the order is the same one, by the same author."""
    latest = history.find_last_event(order, OrderAction.NOTE_ADDED)
    if latest is None or latest.reason != note:
        return False
    return (latest.actor_kind, latest.actor_id) == (by.kind, by.id)


def is_resolved(
    order: Order, *, decision: LatePaymentDecision, numbers: Collection[int] | None
) -> bool:
    """Whether the same decision about the order's late payment was made and still holds.

    Args:
        order: the order.
        decision: the decision.
        numbers: the ticket numbers that the order was to get; None: any.

    """
    is_paid = order.status == OrderStatus.PAID
    has_ended = order.status not in Order.HOLDING and not order.needs_decision
    if not (has_ended if decision is LatePaymentDecision.REFUND else is_paid):
        return False
    if numbers is not None and set(numbers) != set(order.list_ticket_numbers()):
        return False
    latest = history.find_last_event(order, *_ACTIONS_ENDING_DECISION)
    return latest is not None and latest.action == ACTION_PER_DECISION[decision]
