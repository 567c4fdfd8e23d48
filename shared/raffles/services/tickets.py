"""Random locks and status changes of ticket numbers.

Chosen ticket numbers are locked by `locks.lock_tickets`, and random ones without waiting for any
lock. So two transactions never wait for each other, as long as each takes ticket numbers for one
hold only. The functions run inside the caller's transaction, after the order was locked.
"""

import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection, models
from django.db.models import Q, QuerySet

from shared.core.enums import TicketStatus
from shared.core.statements import row_count
from shared.core.statements.bound_statements import BoundStatement, count_rows, run_together
from shared.core.statements.compiled_queries import CompiledQuery, CompiledUpdate, IsIn, Parameter
from shared.raffles import transitions
from shared.raffles.models import Order, OrderTicket, TicketNumber
from shared.raffles.predicates import AVAILABLE_TICKETS
from shared.raffles.services import locks

MAX_LOCK_ATTEMPTS: Final = 5
"""Attempts to find enough free ticket numbers while other transactions lock some of them."""


class TicketsLocked(Exception):
    """Other transactions have locked free ticket numbers, and it is not known who gets them."""


@dataclass(frozen=True, slots=True)
class TakeBackResult:
    """Result of taking the ticket numbers of an ended order back.

    Attributes:
        succeeded: whether all were free and are held for the order again.
        taken: ticket numbers that belong to other orders.
        free: ticket numbers that were free; they stay free unless `succeeded`.

    """

    succeeded: bool
    taken: tuple[int, ...]
    free: tuple[int, ...]


def lock_random_tickets(
    raffle_id: int, *, quantity: int, at_least: int, pivot: int, may_wait: bool = True
) -> list[TicketNumber]:
    """Lock up to `quantity` free ticket numbers from a random point on.

    Ticket numbers that another transaction has locked are skipped. While they might still become
    free, the locks are released and the search is repeated after 1 to 20 ms.

    Args:
        raffle_id: primary key of the raffle.
        quantity: how many ticket numbers to lock.
        at_least: fewest ticket numbers that are of use to the caller.
        pivot: random number from 0 to 2**31-1; the search starts at this `shuffle_key`.
        may_wait: whether to repeat the search.

    Returns:
        The ticket numbers found; if they are fewer than `at_least`, their locks are released.

    Raises:
        TicketsLocked: the search would have to be repeated; the locks are released.

    """
    if not connection.features.has_select_for_update_skip_locked:
        return find_free_tickets(raffle_id, quantity=quantity, pivot=pivot)  # one writer at a time
    attempt = 0
    while True:
        attempt += 1
        found = _lock_skipping_locked(raffle_id, quantity=quantity, pivot=pivot)
        if len(found) == quantity:
            return found  # the savepoint ends with the transaction, which saves a round trip
        last = attempt == MAX_LOCK_ATTEMPTS or _is_retry_hopeless(
            raffle_id, found=len(found), quantity=quantity, at_least=at_least
        )
        if last and len(found) >= at_least:
            return found
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK TO SAVEPOINT passing")  # releases the row locks
        if last:
            return found
        if not may_wait:
            raise TicketsLocked
        time.sleep(_compute_jitter(pivot, attempt=attempt))


_NEXT_FREE_SQL: Final = """
    SELECT id, raffle_id, number, status, shuffle_key FROM raffles_ticketnumber
    WHERE raffle_id = %s AND status = 'AVAILABLE' AND shuffle_key {} %s
    ORDER BY shuffle_key LIMIT %s
"""
_FROM_PIVOT_SQL: Final = _NEXT_FREE_SQL.format(">=")
_BEFORE_PIVOT_SQL: Final = _NEXT_FREE_SQL.format("<")
_SKIPPING_LOCKED_SQL: Final = " FOR NO KEY UPDATE SKIP LOCKED"


def _lock_skipping_locked(raffle_id: int, *, quantity: int, pivot: int) -> list[TicketNumber]:
    """Set a savepoint and lock free ticket numbers from the pivot on, skipping locked ones.

    Savepoint and query are sent together, because round trips are most of the cost of a hold.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SAVEPOINT passing;" + _FROM_PIVOT_SQL + _SKIPPING_LOCKED_SQL,
            [raffle_id, pivot, quantity],
        )
        cursor.nextset()
        found = cursor.fetchall()
        if len(found) < quantity:  # wrap around
            missing = quantity - len(found)
            cursor.execute(_BEFORE_PIVOT_SQL + _SKIPPING_LOCKED_SQL, [raffle_id, pivot, missing])
            found += cursor.fetchall()
    return [TicketNumber(*row) for row in found]


def query_free_tickets(raffle_id: int) -> QuerySet[TicketNumber]:
    """Return a query of the free ticket numbers of a raffle, which uses their partial index."""
    return TicketNumber.objects.filter(AVAILABLE_TICKETS, raffle_id=raffle_id)


def find_free_tickets(raffle_id: int, *, quantity: int, pivot: int) -> list[TicketNumber]:
    """Return up to `quantity` free ticket numbers from a random point on, without locking them."""
    with connection.cursor() as cursor:
        cursor.execute(_FROM_PIVOT_SQL, [raffle_id, pivot, quantity])
        found = cursor.fetchall()
        if len(found) < quantity:  # wrap around
            cursor.execute(_BEFORE_PIVOT_SQL, [raffle_id, pivot, quantity - len(found)])
            found += cursor.fetchall()
    return [TicketNumber(*row) for row in found]


def list_held_ticket_numbers(orders: Collection[Order]) -> list[int]:
    """Return the ticket numbers that these locked orders hold, ascending."""
    numbers = list_held_ticket_numbers_by_raffle(orders)
    return sorted(number for some in numbers.values() for number in some)


def list_held_ticket_numbers_by_raffle(orders: Collection[Order]) -> dict[int, list[int]]:
    """Return the ticket numbers that these locked orders hold by raffle id, ascending."""
    if not orders:
        return {}
    found: dict[int, list[int]] = {}
    for raffle_id, number in _HELD_TICKET_NUMBERS.fetch(orders=[order.pk for order in orders]):
        found.setdefault(raffle_id, []).append(number)
    return {raffle_id: sorted(numbers) for raffle_id, numbers in sorted(found.items())}


_HELD_TICKET_NUMBERS: Final = CompiledQuery(
    lambda: OrderTicket.objects.filter(
        IsIn("order_id", "orders"), released_at__isnull=True
    ).values_list("ticket__raffle_id", "ticket__number")
)


def hold_tickets(tickets: Collection[TicketNumber], *, order: Order) -> None:
    """Hold ticket numbers for an order.

    Args:
        tickets: locked, free ticket numbers.
        order: the order that gets them, locked.

    Raises:
        WrongRowCount: not all of them were free.

    """
    held, _ = run_together(*bind_hold(tickets, order=order))
    check_held(held, wanted=len(tickets))


def bind_hold(tickets: Collection[TicketNumber], *, order: Order) -> list[BoundStatement[int]]:
    """Return the statements of `hold_tickets`, to be run together with others.

    The first result is the argument of `check_held`.
    """
    ids = [ticket.pk for ticket in tickets]
    return [
        _CHANGE_STATUS.bind(ids=ids, current=TicketStatus.AVAILABLE, to=TicketStatus.RESERVED),
        _bind_links(order, ids),
    ]


def _bind_links(order: Order, ticket_ids: Sequence[int]) -> BoundStatement[int]:
    """Return the statement that links ticket numbers to an order.

    It has the same text for any count of them, so that the driver reads it only once.
    """
    is_postgres = connection.vendor == "postgresql"
    ids = list(ticket_ids) if is_postgres else json.dumps(ticket_ids)
    source = "unnest(%s::bigint[])" if is_postgres else "value FROM json_each(%s)"
    sql = f"INSERT INTO raffles_orderticket (order_id, ticket_id) SELECT %s, {source}"
    return BoundStatement(sql, [order.pk, ids], count_rows)


def check_held(held: int, *, wanted: int) -> None:
    """Raise `WrongRowCount` unless all of the ticket numbers were free."""
    row_count.check_row_count(held, wanted=wanted, what="ticket numbers from AVAILABLE to RESERVED")


def release_order_tickets(
    order: Order, *, now: datetime, current: TicketStatus = TicketStatus.RESERVED
) -> None:
    """Lock and release all ticket numbers of an order.

    Args:
        order: the order, locked.
        now: time of the release.
        current: their present status: held, or sold.

    Raises:
        WrongRowCount: the order did not have as many as its quantity in that status.

    """
    *_, changed, released = run_together(
        *_bind_status_change(order, current=current, to=TicketStatus.AVAILABLE),
        _RELEASE_LINKS_OF_ORDER.bind(order=order.pk, now=now),
    )
    _check_order_tickets(order, changed)
    _check_order_tickets(order, released)


def sell_order_tickets(order: Order) -> None:
    """Lock and sell all ticket numbers that an order holds.

    Raises:
        WrongRowCount: the order did not hold as many as its quantity.

    """
    *_, changed = run_together(
        *_bind_status_change(order, current=TicketStatus.RESERVED, to=TicketStatus.SOLD)
    )
    _check_order_tickets(order, changed)


def unsell_order_tickets(order: Order) -> None:
    """Lock the ticket numbers that an order has bought and hold them for it again.

    Raises:
        WrongRowCount: the order had not bought as many as its quantity.

    """
    *_, changed = run_together(
        *_bind_status_change(order, current=TicketStatus.SOLD, to=TicketStatus.RESERVED)
    )
    _check_order_tickets(order, changed)


def _bind_status_change(
    order: Order, *, current: TicketStatus, to: TicketStatus
) -> list[BoundStatement[Any]]:
    """Return the statements that lock an order's ticket numbers and change their status."""
    transitions.check_transition(transitions.TICKET_TRANSITIONS, current=current, wanted=to)
    return [
        *locks.bind_order_tickets_lock(order),
        _CHANGE_STATUS_OF_ORDER.bind(order=order.pk, current=current, to=to),
    ]


def _check_order_tickets(order: Order, changed: int) -> None:
    row_count.check_row_count(
        changed, wanted=order.quantity, what=f"order {order.pk} changes its numbers"
    )


_LINKS_OF_ORDER: Final = Q(
    order_id=Parameter("order", models.BigIntegerField()), released_at__isnull=True
)
_CHANGE_STATUS_OF_ORDER: Final = CompiledUpdate(
    lambda: TicketNumber.objects.filter(
        pk__in=OrderTicket.objects.filter(_LINKS_OF_ORDER).values("ticket_id"),
        status=Parameter("current", models.CharField()),
    ),
    status=Parameter("to", models.CharField()),
)
_RELEASE_LINKS_OF_ORDER: Final = CompiledUpdate(
    lambda: OrderTicket.objects.filter(_LINKS_OF_ORDER),
    released_at=Parameter("now", models.DateTimeField()),
)


def take_back_tickets(order: Order, *, allowed: bool) -> TakeBackResult:
    """Hold the former ticket numbers of an ended order for it again.

    Unless it is `allowed` and all of them are free, nothing is written.

    Raises:
        WrongRowCount: the order had not held as many as its quantity.

    """
    tickets = locks.lock_tickets(order.raffle_id, numbers=order.list_ticket_numbers())
    row_count.check_row_count(
        len(tickets), wanted=order.quantity, what=f"order {order.pk} held numbers"
    )
    available = [ticket for ticket in tickets if ticket.status == TicketStatus.AVAILABLE]
    taken = [ticket for ticket in tickets if ticket.status != TicketStatus.AVAILABLE]
    succeeded = allowed and not taken
    if succeeded:
        hold_tickets(tickets, order=order)
    return TakeBackResult(
        succeeded=succeeded,
        taken=tuple(ticket.number for ticket in taken),
        free=tuple(ticket.number for ticket in available),
    )


def _is_retry_hopeless(raffle_id: int, *, found: int, quantity: int, at_least: int) -> bool:
    """Return whether waiting for other transactions cannot yield more free ticket numbers."""
    keys = (
        query_free_tickets(raffle_id).order_by("shuffle_key").values_list("shuffle_key", flat=True)
    )
    visible = len(keys[:quantity])
    return visible <= found or visible < at_least


def _compute_jitter(pivot: int, *, attempt: int) -> float:
    """Return 1 to 20 ms, in seconds, from other bits of the random pivot at each attempt."""
    return (1 + (pivot >> (4 * attempt)) % 20) / 1000


_CHANGE_STATUS: Final = CompiledUpdate(
    lambda: TicketNumber.objects.filter(
        IsIn("id", "ids"), status=Parameter("current", models.CharField())
    ),
    status=Parameter("to", models.CharField()),
)
