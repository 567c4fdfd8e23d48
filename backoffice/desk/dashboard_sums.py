"""Numbers and money of every raffle, and the sales of the last days: one query, remembered shortly.

What orders hold is what is held (`check_inventory` proves it), so that a million numbers need not
be counted: the orders are read once for their numbers, their money and their days.
"""

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import Case, F, IntegerField, Q, Sum, Value, When

from shared.core.enums import OrderStatus
from shared.raffles.models import Order

DAYS: Final = 14
FRESH_FOR: Final = timedelta(seconds=20)
"""How old sums may be; what waits for a person is never remembered."""

type Amounts = Mapping[str, Decimal]
"""Amounts by currency (ISO 4217)."""


@dataclass(frozen=True, slots=True)
class RaffleSums:
    """Of one raffle: numbers sold and held, money confirmed and expected."""

    sold: int = 0
    held: int = 0
    confirmed: Amounts = field(default_factory=dict)
    expected: Amounts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DaySums:
    """What was confirmed on one day."""

    day: date
    tickets: int
    money: Amounts


@dataclass(frozen=True, slots=True)
class Sums:
    """All of it; `days` from the earliest to today."""

    raffles: Mapping[int, RaffleSums]
    days: Sequence[DaySums]


_remembered: list[tuple[datetime, Sums]] = []
_lock = threading.Lock()


def recent(*, now: datetime, zone: str) -> Sums:
    """Give sums that are at most twenty seconds old, from this process's memory if it can.

    Args:
        now: the clock.
        zone: whose days are meant, e.g. America/Bogota; the same at each call.

    """
    with _lock:  # held while reading, so that ten pages opened at once read once
        if _remembered and abs(now - _remembered[0][0]) < FRESH_FOR:
            return _remembered[0][1]
        fresh = read(now=now, zone=zone)
        _remembered[:] = [(now, fresh)]
        return fresh


def forget() -> None:
    """Empty this process's memory of sums."""
    with _lock:
        _remembered.clear()


def read(*, now: datetime, zone: str) -> Sums:
    """Sum up all orders that hold numbers, in one query."""
    today = now.astimezone(ZoneInfo(zone)).date()
    days = [today - timedelta(days=ago) for ago in reversed(range(DAYS))]
    raffles: dict[int, _Adder] = defaultdict(_Adder)
    sold: list[_Adder] = [_Adder() for _ in days]
    for raffle_id, status, currency, place, numbers, money in _rows(days, zone=zone):
        raffles[raffle_id].add(status, numbers, currency, money)
        if place is not None:
            sold[place].add(status, numbers, currency, money)
    return Sums(
        raffles={raffle_id: adder.sums() for raffle_id, adder in raffles.items()},
        days=[
            DaySums(day, adder.sold, adder.confirmed) for day, adder in zip(days, sold, strict=True)
        ],
    )


type Row = tuple[int, str, str, int | None, int, Decimal]
"""Raffle, status, currency, place of the day or None, numbers, money."""


def _rows(days: Sequence[date], *, zone: str) -> Sequence[Row]:
    """Group orders by raffle, status, currency and day.

    Days are told apart by comparing instants, the many old orders by the first comparison:
    SQLite would ask Python for the date of each row. The zero added to the raffle keeps it from
    walking the index of raffles, which is slower than reading the orders as they lie.
    """
    begins = [datetime.combine(day, time.min, ZoneInfo(zone)) for day in days]
    not_lately = When(~Q(status=OrderStatus.PAID) | Q(closed_at__lt=begins[0]), then=None)
    on_day = [
        When(closed_at__gte=begin, then=Value(place))
        for place, begin in reversed(list(enumerate(begins)))
    ]
    groups = (
        Order.objects.filter(status__in=Order.HOLDING)
        .order_by()
        .annotate(
            of_raffle=F("raffle_id") + 0,
            place=Case(not_lately, *on_day, output_field=IntegerField()),
        )
        .values_list("of_raffle", "status", "currency", "place")
        .annotate(sold=Sum("quantity"), money=Sum("total"))
    )
    return list(groups)


class _Adder:
    def __init__(self) -> None:
        self.sold = self.held = 0
        self.confirmed: dict[str, Decimal] = defaultdict(Decimal)
        self.expected: dict[str, Decimal] = defaultdict(Decimal)

    def add(self, status: str, numbers: int, currency: str, money: Decimal) -> None:
        if status == OrderStatus.PAID:
            self.sold += numbers
            self.confirmed[currency] += money
        else:
            self.held += numbers
        if status == OrderStatus.PENDING_PAYMENT:
            self.expected[currency] += money

    def sums(self) -> RaffleSums:
        return RaffleSums(self.sold, self.held, dict(self.confirmed), dict(self.expected))
