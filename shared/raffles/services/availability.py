"""Raffles on sale and their free ticket numbers; reads only."""

import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Max, Min, Sum

from shared.core.enums import RaffleAction, TicketStatus
from shared.raffles import sale_rules
from shared.raffles.models import Order, Raffle, TicketNumber
from shared.raffles.predicates import AVAILABLE_TICKETS
from shared.raffles.services import tickets

COUNTS_FRESH_FOR: Final = timedelta(seconds=2)
"""Age up to which cached counts are shown in the chat and on pages."""

MIN_TICKETS_TO_CACHE: Final = 10_000
"""Smaller raffles are counted within two milliseconds, so their counts are always exact."""

NEIGHBOUR_DISTANCE: Final = 100
"""Distance from a taken ticket number within which free neighbours are searched."""


@dataclass(frozen=True, slots=True)
class TicketCounts:
    """Numbers of free, held and sold tickets of a raffle."""

    available: int
    reserved: int
    sold: int

    @property
    def total(self) -> int:
        """All ticket numbers together."""
        return self.available + self.reserved + self.sold


_cached_counts: dict[int, tuple[datetime, TicketCounts]] = {}
"""Time of counting and counts, by raffle id.

A dictionary, because each message of a chat reads it: Django's cache in local memory unpickles what
it returns, which takes twenty times as long.
"""
_cache_lock = threading.Lock()


def count_tickets(raffle_id: int) -> TicketCounts:
    """Return the exact counts of a raffle's ticket numbers.

    Only held and sold ones are counted row by row, from their partial index. The total follows
    from the first and the last ticket number: they are created without gaps and never deleted
    (the command `check_inventory` verifies that).
    """
    numbers = TicketNumber.objects.filter(raffle_id=raffle_id)
    first = numbers.aggregate(number=Min("number"))["number"]
    if first is None:
        return TicketCounts(available=0, reserved=0, sold=0)
    total = numbers.aggregate(number=Max("number"))["number"] - first + 1
    taken = numbers.exclude(AVAILABLE_TICKETS).values_list("status").annotate(count=Count("*"))
    found = dict(taken.order_by("status"))
    reserved, sold = found.get(TicketStatus.RESERVED, 0), found.get(TicketStatus.SOLD, 0)
    return build_ticket_counts(total, reserved=reserved, sold=sold)


def count_tickets_by_raffle(raffles: Collection[Raffle]) -> dict[int, TicketCounts]:
    """Return the counts of several raffles by raffle id, in one query.

    Ticket numbers that are neither held nor sold count as free, even if they do not exist yet.
    """
    taken = (
        TicketNumber.objects.filter(raffle__in=[raffle.pk for raffle in raffles])
        .exclude(AVAILABLE_TICKETS)
        .order_by("raffle_id", "status")
        .values_list("raffle_id", "status")
        .annotate(count=Count("*"))
    )
    found = {(raffle_id, status): count for raffle_id, status, count in taken}
    return {
        raffle.pk: build_ticket_counts(
            raffle.number_count,
            reserved=found.get((raffle.pk, TicketStatus.RESERVED), 0),
            sold=found.get((raffle.pk, TicketStatus.SOLD), 0),
        )
        for raffle in raffles
    }


def build_ticket_counts(total: int, *, reserved: int, sold: int) -> TicketCounts:
    """Return the counts of `total` ticket numbers; those neither held nor sold count as free."""
    return TicketCounts(available=total - reserved - sold, reserved=reserved, sold=sold)


def load_recent_counts(raffle_id: int, *, now: datetime) -> TicketCounts:
    """Return counts that are less than two seconds old, from this process's cache if possible."""
    with _cache_lock:
        cached = _cached_counts.get(raffle_id)
    if cached is not None and abs(now - cached[0]) < COUNTS_FRESH_FOR:
        return cached[1]
    fresh = count_tickets(raffle_id)
    if fresh.total >= MIN_TICKETS_TO_CACHE:
        with _cache_lock:
            _cached_counts[raffle_id] = (now, fresh)
    return fresh


def clear_counts_cache() -> None:
    """Remove all counts from this process's cache."""
    with _cache_lock:
        _cached_counts.clear()


def is_sold_out(raffle_id: int) -> bool:
    """Return whether no ticket number of a raffle is free or held."""
    if tickets.find_free_tickets(raffle_id, quantity=1, pivot=0):
        return False
    taken = TicketNumber.objects.filter(raffle_id=raffle_id).exclude(AVAILABLE_TICKETS)
    return not taken.filter(status=TicketStatus.RESERVED).exists()


def list_raffles_on_sale(phone_number_id: str, *, now: datetime) -> list[Raffle]:
    """Return the raffles that a business number sells now, oldest first."""
    on_sale = Raffle.objects.filter(sale_rules.build_on_sale_condition(now=now))
    return list(on_sale.filter(phone_number_id__in=["", phone_number_id]).order_by("id"))


def find_sale_start(phone_number_id: str, *, now: datetime) -> datetime | None:
    """Return since when a business number has had free ticket numbers on sale; None: it has none.

    A raffle is on sale since it was opened (again), but not before its sale begins.
    """
    starts = [
        _find_raffle_sale_start(raffle)
        for raffle in list_raffles_on_sale(phone_number_id, now=now)
        if TicketNumber.objects.filter(AVAILABLE_TICKETS, raffle=raffle).exists()
    ]
    return min(starts, default=None)


def _find_raffle_sale_start(raffle: Raffle) -> datetime:
    opened = raffle.events.filter(action=RaffleAction.OPENED).aggregate(at=Max("at"))["at"]
    return max(filter(None, (opened, raffle.sales_open_at)), default=raffle.created_at)


def find_free_neighbours(raffle: Raffle, *, numbers: Collection[int], limit: int) -> list[int]:
    """Return free ticket numbers close to the given ones, ascending.

    Args:
        raffle: the raffle they belong to.
        numbers: ticket numbers that are not returned themselves.
        limit: how many to return at most, and how many of `numbers` to search around.

    """
    if not numbers:
        return []
    neighbours = {
        number + distance
        for number in sorted(numbers)[:limit]
        for distance in range(-NEIGHBOUR_DISTANCE, NEIGHBOUR_DISTANCE + 1)
    }
    wanted = sorted(n for n in neighbours.difference(numbers) if n >= raffle.first_number)
    free = TicketNumber.objects.filter(
        raffle=raffle, number__in=wanted, status=TicketStatus.AVAILABLE
    )
    closest = sorted(
        free.values_list("number", flat=True),
        key=lambda near: (min(abs(near - number) for number in numbers), near),
    )
    return sorted(closest[:limit])


def pick_free_examples(raffle: Raffle, *, pivot: int, limit: int) -> list[int]:
    """Return up to `limit` free ticket numbers from a random point on, ascending."""
    return sorted(
        ticket.number
        for ticket in tickets.find_free_tickets(raffle.pk, quantity=limit, pivot=pivot)
    )


def count_tickets_of_contact(raffle_id: int, *, contact_id: int) -> int:
    """Return how many ticket numbers a buyer holds or has bought in a raffle."""
    orders = Order.objects.filter(
        raffle_id=raffle_id, contact_id=contact_id, status__in=Order.HOLDING
    )
    return orders.aggregate(sum=Sum("quantity"))["sum"] or 0
