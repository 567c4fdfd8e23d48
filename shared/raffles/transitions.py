"""Allowed status changes of raffles, orders and ticket numbers."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from shared.core.enums import OrderStatus, RaffleStatus, TicketStatus
from shared.raffles.errors import TransitionNotAllowed

RAFFLE_TRANSITIONS: Final[Mapping[RaffleStatus, frozenset[RaffleStatus]]] = {
    RaffleStatus.DRAFT: frozenset({RaffleStatus.OPEN, RaffleStatus.CANCELLED}),
    RaffleStatus.OPEN: frozenset(
        {RaffleStatus.PAUSED, RaffleStatus.CLOSED, RaffleStatus.CANCELLED}
    ),
    RaffleStatus.PAUSED: frozenset(
        {RaffleStatus.OPEN, RaffleStatus.CLOSED, RaffleStatus.CANCELLED}
    ),
    RaffleStatus.CLOSED: frozenset({RaffleStatus.SEALED, RaffleStatus.CANCELLED}),
    RaffleStatus.SEALED: frozenset({RaffleStatus.DRAWN}),
    RaffleStatus.DRAWN: frozenset(),
    RaffleStatus.CANCELLED: frozenset(),
}
"""Raffle statuses by the status they may follow."""

STATUSES_AFTER_LATE_PAYMENT: Final = frozenset({OrderStatus.PENDING_PAYMENT, OrderStatus.PAID})
"""A late proof or confirmation takes the ticket numbers back if all are still free."""

ORDER_TRANSITIONS: Final[Mapping[OrderStatus, frozenset[OrderStatus]]] = {
    OrderStatus.DRAFT: frozenset(
        {OrderStatus.PENDING_PAYMENT, OrderStatus.CANCELLED, OrderStatus.EXPIRED}
    ),
    OrderStatus.PENDING_PAYMENT: frozenset(
        {OrderStatus.PAID, OrderStatus.CANCELLED, OrderStatus.EXPIRED}
    ),
    OrderStatus.PAID: frozenset(
        {OrderStatus.PENDING_PAYMENT, OrderStatus.CANCELLED}  # undone or refunded
    ),
    OrderStatus.CANCELLED: STATUSES_AFTER_LATE_PAYMENT,
    OrderStatus.EXPIRED: STATUSES_AFTER_LATE_PAYMENT,
}
"""Order statuses by the status they may follow."""

TICKET_TRANSITIONS: Final[Mapping[TicketStatus, frozenset[TicketStatus]]] = {
    TicketStatus.AVAILABLE: frozenset({TicketStatus.RESERVED}),
    TicketStatus.RESERVED: frozenset({TicketStatus.AVAILABLE, TicketStatus.SOLD}),
    TicketStatus.SOLD: frozenset(
        {TicketStatus.RESERVED, TicketStatus.AVAILABLE}  # undone or refunded
    ),
}
"""Ticket statuses by the status they may follow."""


def check_transition[S: StrEnum](table: Mapping[S, frozenset[S]], *, current: S, wanted: S) -> None:
    """Check that the table lets `wanted` follow `current`.

    Args:
        table: the statuses that may follow each status.
        current: the present status.
        wanted: the next status.

    Raises:
        TransitionNotAllowed: it does not; both statuses are in the details.

    """
    if wanted not in table[current]:
        raise TransitionNotAllowed(current=current.value, wanted=wanted.value)
