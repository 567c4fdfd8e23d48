"""Locks ticket numbers in one global order and moves them between free, held and sold.

Whoever waits for a number waits in ascending order, and whoever takes any number waits for none:
so no two transactions can ever wait for each other, as long as each takes numbers for one hold
only. Everything here runs inside the caller's transaction, after the order was locked.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection
from django.db.models import QuerySet

from shared.core import row_count
from shared.core.enums import RaffleStatus, TicketStatus
from shared.raffles import transitions
from shared.raffles.models import Order, OrderTicket, TicketNumber
from shared.raffles.predicates import AVAILABLE_TICKETS

MAX_LOCK_ATTEMPTS: Final = 5
"""How often "too few" is looked at again while others hold free numbers for a moment."""


@dataclass(frozen=True, slots=True)
class TakeBackResult:
    """Whether the numbers of an ended order are its own again.

    Attributes:
        succeeded: all were free and are held for the order again.
        taken: numbers that belong to somebody else by now.
        free: numbers that are free, and stay so unless `succeeded`.

    """

    succeeded: bool
    taken: tuple[int, ...]
    free: tuple[int, ...]


def lock_tickets(raffle_id: int, *, numbers: Collection[int]) -> list[TicketNumber]:
    """Lock these numbers in ascending order, whoever's they are; unknown ones are left out."""
    if not numbers:
        return []
    wanted = TicketNumber.objects.filter(raffle_id=raffle_id, number__in=sorted(numbers))
    return list(wanted.order_by("number").select_for_update(no_key=True))


def lock_random_tickets(
    raffle_id: int, *, quantity: int, at_least: int, pivot: int
) -> list[TicketNumber]:
    """Lock `quantity` free numbers from a random point on, or as many as are to be had.

    Numbers that another transaction is just taking are passed over. While those might still turn
    out free, the locks are given back and it is tried again after 1 to 20 ms.

    Returns:
        The numbers locked; if they are fewer than `at_least`, the locks were given back.

    """
    if not connection.features.has_select_for_update_skip_locked:
        return _find_next_free(
            query_free_tickets(raffle_id), quantity=quantity, pivot=pivot
        )  # one writer at a time
    attempt = 0
    while True:
        attempt += 1
        found = _lock_skipping_locked(raffle_id, quantity=quantity, pivot=pivot)
        if len(found) == quantity:
            return found  # the savepoint ends with the transaction; a round trip less
        last = attempt == MAX_LOCK_ATTEMPTS or _is_retry_hopeless(
            raffle_id, found=len(found), quantity=quantity, at_least=at_least
        )
        if last and len(found) >= at_least:
            return found
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK TO SAVEPOINT passing")  # gives the row locks back
        if last:
            return found
        time.sleep(_compute_jitter(pivot, attempt=attempt))


_LOCK_SKIPPING_LOCKED_SQL: Final = """
    SELECT id, raffle_id, number, status, shuffle_key FROM raffles_ticketnumber
    WHERE raffle_id = %s AND status = 'AVAILABLE' AND shuffle_key {} %s
    ORDER BY shuffle_key LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
"""


def _lock_skipping_locked(raffle_id: int, *, quantity: int, pivot: int) -> list[TicketNumber]:
    """Lock free numbers from the pivot on, passing over what others hold, after a savepoint.

    Savepoint and look-up travel together: round trips are most of what a hold costs.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SAVEPOINT passing;" + _LOCK_SKIPPING_LOCKED_SQL.format(">="),
            [raffle_id, pivot, quantity],
        )
        cursor.nextset()
        found = cursor.fetchall()
        if len(found) < quantity:  # wrap around
            left = quantity - len(found)
            cursor.execute(_LOCK_SKIPPING_LOCKED_SQL.format("<"), [raffle_id, pivot, left])
            found += cursor.fetchall()
    return [TicketNumber(*row) for row in found]


def query_free_tickets(raffle_id: int) -> QuerySet[TicketNumber]:
    """Give the free numbers of a raffle, through their partial index."""
    return TicketNumber.objects.filter(AVAILABLE_TICKETS, raffle_id=raffle_id)


def find_free_tickets(raffle_id: int, *, quantity: int, pivot: int) -> list[TicketNumber]:
    """Give up to `quantity` free numbers from a random point on, without locking them."""
    return _find_next_free(query_free_tickets(raffle_id), quantity=quantity, pivot=pivot)


def list_held_ticket_numbers(orders: Collection[Order]) -> list[int]:
    """Give the numbers that these locked orders hold; nobody else can change them meanwhile."""
    if not orders:
        return []
    links = OrderTicket.objects.filter(order__in=orders, released_at__isnull=True)
    return sorted(links.values_list("ticket__number", flat=True))


def hold_tickets(tickets: Collection[TicketNumber], *, order: Order) -> None:
    """Hold locked, free numbers for an order."""
    _change_ticket_status(tickets, current=TicketStatus.AVAILABLE, to=TicketStatus.RESERVED)
    OrderTicket.objects.bulk_create(OrderTicket(order=order, ticket=ticket) for ticket in tickets)


def release_tickets(tickets: Collection[TicketNumber], *, order: Order, now: datetime) -> None:
    """Give the locked numbers that an order holds back to everybody."""
    _change_ticket_status(tickets, current=TicketStatus.RESERVED, to=TicketStatus.AVAILABLE)
    links = OrderTicket.objects.filter(order=order, ticket__in=tickets, released_at__isnull=True)
    released = links.update(released_at=now)
    row_count.check_row_count(
        released, wanted=len(tickets), what=f"order {order.pk} gives its numbers back"
    )


def release_order_tickets(order: Order, *, now: datetime) -> None:
    """Lock the numbers an order holds and give all of them back."""
    tickets = lock_tickets(order.raffle_id, numbers=list_held_ticket_numbers([order]))
    row_count.check_row_count(
        len(tickets), wanted=order.quantity, what=f"order {order.pk} holds numbers"
    )
    release_tickets(tickets, order=order, now=now)


def sell_order_tickets(order: Order) -> None:
    """Lock the numbers an order holds and make them its buyer's for good."""
    tickets = lock_tickets(order.raffle_id, numbers=list_held_ticket_numbers([order]))
    row_count.check_row_count(
        len(tickets), wanted=order.quantity, what=f"order {order.pk} holds numbers"
    )
    _change_ticket_status(tickets, current=TicketStatus.RESERVED, to=TicketStatus.SOLD)


def take_back_tickets(order: Order) -> TakeBackResult:
    """Hold the numbers of an ended order for it again, if the raffle is not drawn and all are free.

    Otherwise nothing is written.
    """
    tickets = lock_tickets(order.raffle_id, numbers=order.list_ticket_numbers())
    row_count.check_row_count(
        len(tickets), wanted=order.quantity, what=f"order {order.pk} held numbers"
    )
    available = [ticket for ticket in tickets if ticket.status == TicketStatus.AVAILABLE]
    taken = [ticket for ticket in tickets if ticket.status != TicketStatus.AVAILABLE]
    succeeded = not taken and order.raffle.status != RaffleStatus.DRAWN
    if succeeded:
        hold_tickets(tickets, order=order)
    return TakeBackResult(
        succeeded=succeeded,
        taken=tuple(ticket.number for ticket in taken),
        free=tuple(ticket.number for ticket in available),
    )


def _find_next_free(
    passing: QuerySet[TicketNumber], *, quantity: int, pivot: int
) -> list[TicketNumber]:
    after = passing.order_by("shuffle_key")
    found = list(after.filter(shuffle_key__gte=pivot)[:quantity])
    if len(found) < quantity:  # wrap around
        found += after.filter(shuffle_key__lt=pivot)[: quantity - len(found)]
    return found


def _is_retry_hopeless(raffle_id: int, *, found: int, quantity: int, at_least: int) -> bool:
    """Tell whether waiting for those who are just taking free numbers could not bring more."""
    keys = (
        query_free_tickets(raffle_id).order_by("shuffle_key").values_list("shuffle_key", flat=True)
    )
    visible = len(keys[:quantity])
    return visible <= found or visible < at_least


def _compute_jitter(pivot: int, *, attempt: int) -> float:
    """Give 1 to 20 ms, in seconds: other digits of the random pivot at each attempt."""
    return (1 + (pivot >> (4 * attempt)) % 20) / 1000


def _change_ticket_status(
    tickets: Collection[TicketNumber], *, current: TicketStatus, to: TicketStatus
) -> None:
    transitions.check_transition(transitions.TICKET_TRANSITIONS, current=current, wanted=to)
    ids = [ticket.pk for ticket in tickets]
    changed = TicketNumber.objects.filter(pk__in=ids, status=current).update(status=to)
    row_count.check_row_count(
        changed, wanted=len(ids), what=f"ticket numbers from {current} to {to}"
    )
