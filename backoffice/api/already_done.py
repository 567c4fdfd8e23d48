"""Tells whether what somebody asks for has been done before, so that a repeat is no mistake."""

from collections.abc import Collection, Mapping
from typing import Final

from shared.core.enums import OrderAction, OrderStatus
from shared.raffles.models import Order
from shared.raffles.services import history

ACTION_PER_DECISION: Final[Mapping[str, OrderAction]] = {
    "take_back": OrderAction.NUMBERS_TAKEN_BACK,
    "replace": OrderAction.NUMBERS_REPLACED,
    "refund": OrderAction.REFUND_NOTED,
}
"""What the history says of each decision about a late payment."""

_ACTIONS_ENDING_REJECTION: Final = (
    OrderAction.PROOF_REJECTED,
    OrderAction.PROOF_RECEIVED,
    OrderAction.LATE_PAYMENT,
    OrderAction.REFUND_NOTED,
    OrderAction.PAID,
)
_ACTIONS_ENDING_DECISION: Final = (
    *ACTION_PER_DECISION.values(),
    OrderAction.PROOF_REJECTED,
    OrderAction.LATE_PAYMENT,
)


def is_cancelled(order: Order) -> bool:
    """Whether the order is cancelled, by whomever."""
    return order.status == OrderStatus.CANCELLED


def is_rejected(order: Order) -> bool:
    """Whether its payment proofs were turned down, and neither proof nor payment came since."""
    latest = history.find_last_event(order, *_ACTIONS_ENDING_REJECTION)
    return latest is not None and latest.action == OrderAction.PROOF_REJECTED


def is_resolved(order: Order, *, decision: str, numbers: Collection[int] | None) -> bool:
    """Whether its late payment was decided about in this very way, and that still stands.

    Args:
        order: which order.
        decision: a key of `RESOLVED`.
        numbers: the numbers it was to get; None: whichever.

    """
    paid = order.status == OrderStatus.PAID
    ended = order.status not in Order.HOLDING and not order.needs_decision
    if not (ended if decision == "refund" else paid):
        return False
    if numbers is not None and set(numbers) != set(order.list_ticket_numbers()):
        return False
    latest = history.find_last_event(order, *_ACTIONS_ENDING_DECISION)
    return latest is not None and latest.action == ACTION_PER_DECISION[decision]
