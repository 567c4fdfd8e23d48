"""Raffles on sale and their free ticket numbers; reads only."""

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Max, Min

from shared.core.enums import RaffleAction, RaffleStatus, TicketStatus
from shared.core.statements.compiled_queries import CompiledQuery, IsIn
from shared.raffles import sale_rules
from shared.raffles.models import Raffle, TicketNumber
from shared.raffles.predicates import AVAILABLE_TICKETS
from shared.raffles.services import free_numbers, tickets

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
    taken = _TAKEN_TICKETS.fetch(raffles=[raffle.pk for raffle in raffles])
    found = {(raffle_id, status): count for raffle_id, status, count in taken}
    return {
        raffle.pk: build_ticket_counts(
            raffle.number_count,
            reserved=found.get((raffle.pk, TicketStatus.RESERVED), 0),
            sold=found.get((raffle.pk, TicketStatus.SOLD), 0),
        )
        for raffle in raffles
    }


_TAKEN_TICKETS: Final = CompiledQuery(
    lambda: (
        TicketNumber.objects.filter(IsIn("raffle_id", "raffles"))
        .exclude(AVAILABLE_TICKETS)
        .order_by("raffle_id", "status")
        .values_list("raffle_id", "status")
        .annotate(count=Count("*"))
    )
)
"""Counts of a raffle's held and sold ticket numbers, by raffle and status."""


def build_ticket_counts(total: int, *, reserved: int, sold: int) -> TicketCounts:
    """Return the counts of `total` ticket numbers; those neither held nor sold count as free."""
    return TicketCounts(available=total - reserved - sold, reserved=reserved, sold=sold)


def load_recent_counts(raffle_id: int, *, now: datetime) -> TicketCounts:
    """Return counts that are less than two seconds old, from this process's cache if possible."""
    found = _get_cached_counts(raffle_id, now=now)
    if found is None:
        found = count_tickets(raffle_id)
        _cache_counts(raffle_id, found, now=now)
    return found


def load_recent_counts_by_raffle(
    raffles: Collection[Raffle], *, now: datetime
) -> dict[int, TicketCounts]:
    """Return counts of several raffles by raffle id, in one query at most.

    They are as recent as those of `load_recent_counts`, and as complete as those of
    `count_tickets_by_raffle`.
    """
    found = {raffle.pk: _get_cached_counts(raffle.pk, now=now) for raffle in raffles}
    known = {raffle_id: counts for raffle_id, counts in found.items() if counts is not None}
    missing = [raffle for raffle in raffles if raffle.pk not in known]
    if not missing:
        return known
    fresh = count_tickets_by_raffle(missing)
    for raffle_id, counts in fresh.items():
        _cache_counts(raffle_id, counts, now=now)
    return known | fresh


def _get_cached_counts(raffle_id: int, *, now: datetime) -> TicketCounts | None:
    with _cache_lock:
        cached = _cached_counts.get(raffle_id)
    if cached is None or abs(now - cached[0]) >= COUNTS_FRESH_FOR:
        return None
    return cached[1]


def _cache_counts(raffle_id: int, counts: TicketCounts, *, now: datetime) -> None:
    if counts.total >= MIN_TICKETS_TO_CACHE:
        with _cache_lock:
            _cached_counts[raffle_id] = (now, counts)


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


def list_raffles_on_sale_by_number(
    phone_number_ids: Collection[str], *, now: datetime
) -> dict[str, list[Raffle]]:
    """Return the raffles that each of several business numbers sells now, oldest first.

    It is one query for all of them. Few raffles are open whose time of sale is over, so these are
    left out afterwards, by the same rule.
    """
    opened = _OPEN_RAFFLES.fetch(numbers=["", *phone_number_ids])
    on_sale = [
        raffle for raffle in opened if sale_rules.get_not_selling_reason(raffle, now=now) is None
    ]
    return {
        phone_number_id: [
            raffle for raffle in on_sale if raffle.phone_number_id in {"", phone_number_id}
        ]
        for phone_number_id in phone_number_ids
    }


_OPEN_RAFFLES: Final = CompiledQuery(
    lambda: Raffle.objects.filter(
        IsIn("phone_number_id", "numbers"), status=RaffleStatus.OPEN
    ).order_by("id")
)


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


def pick_free_examples_at(
    places: Sequence[tuple[int, int]], *, limit: int
) -> list[tuple[int, ...]]:
    """Return free ticket numbers as `pick_free_examples` does, for many raffles and points at once.

    Args:
        places: pairs of raffle id and random point (`pivot`).
        limit: how many ticket numbers to return for each at most.

    Returns:
        The ticket numbers for each place, ascending.

    """
    found = free_numbers.find_free_numbers_at(places, limit=limit)
    return [tuple(sorted(numbers)) for numbers in found]
