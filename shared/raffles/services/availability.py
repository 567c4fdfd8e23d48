"""What is on sale and which numbers are left; reads only, open to both processes."""

import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Max, Min, Q, Sum

from shared.core.enums import RaffleStatus, TicketStatus
from shared.raffles.models import Order, Raffle, TicketNumber
from shared.raffles.predicates import FREE
from shared.raffles.services import tickets

FRESH_FOR: Final = timedelta(seconds=2)
"""How old the counts shown in chat and on screens may be."""

WORTH_REMEMBERING: Final = 10_000
"""Smaller raffles are counted within a millisecond or two, so theirs are always exact."""

NEAR: Final = 100
"""How far from a taken number a free neighbour is looked for."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many numbers of a raffle are free, held and sold."""

    available: int
    reserved: int
    sold: int

    @property
    def total(self) -> int:
        """How many numbers exist."""
        return self.available + self.reserved + self.sold


_remembered: dict[int, tuple[datetime, Counts]] = {}
_lock = threading.Lock()


def counts(raffle_id: int) -> Counts:
    """Count a raffle's numbers by status, exactly.

    Only the held and sold ones are counted one by one, from their partial index alone. How many
    there are in all follows from the first and the last: they are created in one unbroken row and
    never deleted (`check_inventory` counts them).
    """
    numbers = TicketNumber.objects.filter(raffle_id=raffle_id)
    first = numbers.aggregate(number=Min("number"))["number"]
    if first is None:
        return Counts(available=0, reserved=0, sold=0)
    total = numbers.aggregate(number=Max("number"))["number"] - first + 1
    taken = numbers.exclude(FREE).values_list("status").annotate(count=Count("*"))
    found = dict(taken.order_by("status"))
    reserved, sold = found.get(TicketStatus.RESERVED, 0), found.get(TicketStatus.SOLD, 0)
    return Counts(available=total - reserved - sold, reserved=reserved, sold=sold)


def recent_counts(raffle_id: int, *, now: datetime) -> Counts:
    """Give counts that are at most two seconds old, from this process's memory if it can."""
    with _lock:
        seen = _remembered.get(raffle_id)
    if seen is not None and abs(now - seen[0]) < FRESH_FOR:
        return seen[1]
    fresh = counts(raffle_id)
    if fresh.total >= WORTH_REMEMBERING:
        with _lock:
            _remembered[raffle_id] = (now, fresh)
    return fresh


def forget_counts() -> None:
    """Empty this process's memory of counts."""
    with _lock:
        _remembered.clear()


def sold_out(raffle_id: int) -> bool:
    """Say whether every number of a raffle that has some belongs to a buyer for good."""
    if tickets.peek(raffle_id, quantity=1, pivot=0):
        return False
    taken = TicketNumber.objects.filter(raffle_id=raffle_id).exclude(FREE)
    return not taken.filter(status=TicketStatus.RESERVED).exists()


def why_not_selling(raffle: Raffle, *, now: datetime) -> str | None:
    """Say why a raffle sells nothing, or None while it sells.

    Returns:
        `draft`, `paused`, `closed` or `drawn` after its status; `not_yet` before its sale begins,
        `over` after it ended.

    """
    if raffle.status != RaffleStatus.OPEN:
        return raffle.status.lower()
    if raffle.sales_open_at is not None and now < raffle.sales_open_at:
        return "not_yet"
    if raffle.sales_close_at is not None and now >= raffle.sales_close_at:
        return "over"
    return None


def on_sale(phone_number_id: str, *, now: datetime) -> list[Raffle]:
    """List the raffles a business number sells now, oldest first."""
    begun = Q(sales_open_at__isnull=True) | Q(sales_open_at__lte=now)
    not_over = Q(sales_close_at__isnull=True) | Q(sales_close_at__gt=now)
    raffles = Raffle.objects.filter(
        begun, not_over, status=RaffleStatus.OPEN, phone_number_id__in=["", phone_number_id]
    )
    return list(raffles.order_by("id"))


def free_neighbours(raffle: Raffle, *, numbers: Collection[int], limit: int) -> list[int]:
    """Give free numbers close to those asked for, ascending; fewer where few are free."""
    if not numbers:
        return []
    near = {n + step for n in sorted(numbers)[:limit] for step in range(-NEAR, NEAR + 1)}
    wanted = sorted(n for n in near.difference(numbers) if n >= raffle.first_number)
    free = TicketNumber.objects.filter(
        raffle=raffle, number__in=wanted, status=TicketStatus.AVAILABLE
    )
    closest = sorted(
        free.values_list("number", flat=True),
        key=lambda found: (min(abs(found - number) for number in numbers), found),
    )
    return sorted(closest[:limit])


def free_examples(raffle: Raffle, *, pivot: int, limit: int) -> list[int]:
    """Give a few free numbers from a random point on, ascending."""
    return sorted(ticket.number for ticket in tickets.peek(raffle.pk, quantity=limit, pivot=pivot))


def held_or_bought(raffle_id: int, *, contact_id: int) -> int:
    """Count the numbers a buyer holds or has bought in a raffle."""
    orders = Order.objects.filter(
        raffle_id=raffle_id, contact_id=contact_id, status__in=Order.HOLDING
    )
    return orders.aggregate(sum=Sum("quantity"))["sum"] or 0
