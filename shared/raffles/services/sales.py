"""How raffles sell: orders, numbers and money, and the days on which they came; reads only.

What orders hold is what is held (`check_inventory` proves it), so that a million numbers need not
be counted: the orders are read once for their numbers, their money and their days.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Case, Count, F, Func, IntegerField, Q, QuerySet, Sum, When
from django.db.models.sql.compiler import SQLCompiler

from shared.core.enums import OrderStatus
from shared.raffles.models import Order

MOST_DAYS: Final = 366

type Amounts = Mapping[str, Decimal]
"""Amounts by currency (ISO 4217)."""


@dataclass(frozen=True, slots=True)
class RaffleSums:
    """Of one raffle or of all: numbers sold and held, money confirmed and expected.

    Attributes:
        sold: numbers of orders that are paid.
        held: numbers of orders that wait for the buyer or for the payment.
        confirmed: money of orders that are paid.
        expected: money of placed orders that wait for their payment.
        orders: how many orders there are of each status that was asked for; none is left out.

    """

    sold: int = 0
    held: int = 0
    confirmed: Amounts = field(default_factory=dict)
    expected: Amounts = field(default_factory=dict)
    orders: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DaySums:
    """What was confirmed on one day: orders, their numbers and their money."""

    day: date
    tickets: int
    money: Amounts
    orders: int = 0


@dataclass(frozen=True, slots=True)
class Sums:
    """All of it; `days` from the earliest to today."""

    raffles: Mapping[int, RaffleSums]
    days: Sequence[DaySums]
    all: RaffleSums = RaffleSums()


def read(
    *,
    now: datetime,
    zone: str,
    days: int,
    raffle_id: int | None = None,
    statuses: Collection[OrderStatus] = Order.HOLDING,
) -> Sums:
    """Sum up orders, in one query.

    Args:
        now: the clock.
        zone: whose days are meant, e.g. America/Bogota.
        days: how many, today included; `MOST_DAYS` at most.
        raffle_id: of one raffle; None: of all.
        statuses: which orders are looked at; those that hold numbers unless more are named.

    """
    known = last_days(days, now=now, zone=zone)
    every = _Adder()
    raffles: dict[int, _Adder] = defaultdict(_Adder)
    sold: list[_Adder] = [_Adder() for _ in known]
    rows = _rows(known, zone=zone, raffle_id=raffle_id, statuses=statuses)
    for of_raffle, place, status, currency, orders, numbers, money in rows:
        of_day = [] if place is None else [sold[place]]
        for adder in (every, raffles[of_raffle], *of_day):
            adder.add(status, currency, orders, numbers, money)
    return Sums(
        raffles={of_raffle: adder.sums() for of_raffle, adder in raffles.items()},
        days=[
            DaySums(day, adder.sold, adder.confirmed, adder.orders[OrderStatus.PAID])
            for day, adder in zip(known, sold, strict=True)
        ],
        all=every.sums(),
    )


def placed(*, now: datetime, zone: str, days: int, raffle_id: int | None = None) -> Sequence[int]:
    """Count the orders that were placed on each day, the earliest first, in one query.

    Args:
        now: the clock.
        zone: whose days are meant.
        days: how many, today included; `MOST_DAYS` at most.
        raffle_id: of one raffle; None: of all.

    """
    begins = _begins(last_days(days, now=now, zone=zone), zone=zone)
    lately = _of(raffle_id).filter(placed_at__gte=begins[0])
    counted = (
        lately.order_by()
        .annotate(place=_Place("placed_at", begins))
        .values_list("place")
        .annotate(count=Count("*"))
    )
    found = dict(counted)
    return [found.get(place, 0) for place in range(days)]


def last_days(days: int, *, now: datetime, zone: str) -> Sequence[date]:
    """Give the days in a zone up to today, the earliest first."""
    today = now.astimezone(ZoneInfo(zone)).date()
    return [today - timedelta(days=ago) for ago in reversed(range(days))]


type Row = tuple[int, int | None, str, str, int, int, Decimal]
"""Raffle, place of the day or None, status, currency, orders, numbers, money."""


def _rows(
    days: Sequence[date], *, zone: str, raffle_id: int | None, statuses: Collection[OrderStatus]
) -> Iterable[Row]:
    """Group orders by raffle, day, status and currency.

    The zero added to the raffle keeps the database from walking the index of raffles, which is
    slower than reading the orders as they lie.
    """
    begins = _begins(days, zone=zone)
    not_lately = When(~Q(status=OrderStatus.PAID) | Q(closed_at__lt=begins[0]), then=None)
    day = Case(not_lately, default=_Place("closed_at", begins), output_field=IntegerField())
    return (
        _of(raffle_id)
        .filter(status__in=statuses)
        .order_by()
        .annotate(of_raffle=F("raffle_id") + 0, place=day)
        .values_list("of_raffle", "place", "status", "currency")
        .annotate(orders=Count("*"), tickets=Sum("quantity"), money=Sum("total"))
    )


def _of(raffle_id: int | None) -> QuerySet[Order]:
    return Order.objects.all() if raffle_id is None else Order.objects.filter(raffle_id=raffle_id)


def _begins(days: Sequence[date], *, zone: str) -> tuple[datetime, ...]:
    return tuple(datetime.combine(day, time.min, ZoneInfo(zone)) for day in days)


class _Place(Func):
    """Tells which day a time belongs to, by comparing instants: a year takes nine comparisons.

    SQLite would ask Python for the date of each row, in its zone; and Django takes a quarter of a
    second to write a year as cases within cases. Times before the first day count to it, so they
    are told apart before.
    """

    def __init__(self, moment: str, begins: tuple[datetime, ...]) -> None:
        super().__init__(moment, output_field=IntegerField())
        self._begins = begins

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *_: Any, **__: Any
    ) -> tuple[str, tuple[Any, ...]]:
        """Write cases within cases."""
        column, values = compiler.compile(self.get_source_expressions()[0])
        if values:
            raise ValueError("only a column can be told apart by days")
        begins = [connection.ops.adapt_datetimefield_value(begin) for begin in self._begins]
        return _cases(column, begins)


def _cases(column: str, begins: Sequence[Any], *, first: int = 0) -> tuple[str, tuple[Any, ...]]:
    if len(begins) == 1:
        return str(first), ()
    middle = len(begins) // 2
    before, early = _cases(column, begins[:middle], first=first)
    since, late = _cases(column, begins[middle:], first=first + middle)
    case = f"CASE WHEN {column} < %s THEN {before} ELSE {since} END"
    return case, (begins[middle], *early, *late)


class _Adder:
    def __init__(self) -> None:
        self.sold = self.held = 0
        self.confirmed: dict[str, Decimal] = defaultdict(Decimal)
        self.expected: dict[str, Decimal] = defaultdict(Decimal)
        self.orders: Counter[str] = Counter()

    def add(self, status: str, currency: str, orders: int, numbers: int, money: Decimal) -> None:
        self.orders[status] += orders
        if status == OrderStatus.PAID:
            self.sold += numbers
            self.confirmed[currency] += money
        elif status in Order.LIVE:
            self.held += numbers
        if status == OrderStatus.PENDING_PAYMENT:
            self.expected[currency] += money

    def sums(self) -> RaffleSums:
        return RaffleSums(
            self.sold, self.held, dict(self.confirmed), dict(self.expected), dict(self.orders)
        )
