"""How raffles sell: orders, numbers and money, and the days on which they came; reads only.

What orders hold is what is held (`check_inventory` proves it), so that a million numbers need not
be counted: the orders are read once for their numbers, their money and their days.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Case, Count, F, Func, IntegerField, Q, Sum, Value, When
from django.db.models.sql.compiler import SQLCompiler

from shared.core.enums import OrderStatus
from shared.raffles.models import Order

MAX_DAYS: Final = 366

type AmountsByCurrency = Mapping[str, Decimal]
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
    confirmed: AmountsByCurrency = field(default_factory=dict)
    expected: AmountsByCurrency = field(default_factory=dict)
    orders: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DaySums:
    """What was confirmed on one day: orders, their numbers and their money; and what was placed.

    `placed` counts the orders that buyers placed that day, where they were asked for.
    """

    day: date
    tickets: int
    money: AmountsByCurrency
    orders: int = 0
    placed: int = 0


@dataclass(frozen=True, slots=True)
class SalesSums:
    """All of it; `days` from the earliest to today."""

    raffles: Mapping[int, RaffleSums]
    days: Sequence[DaySums]
    overall: RaffleSums = RaffleSums()


def load_sales_sums(
    *,
    now: datetime,
    zone: str,
    days: int,
    raffle_id: int | None = None,
    everything: bool = False,
) -> SalesSums:
    """Sum up orders, in one query.

    Args:
        now: the clock.
        zone: whose days are meant, e.g. America/Bogota.
        days: how many, today included; `MOST_DAYS` at most.
        raffle_id: of one raffle; None: of all.
        everything: whether orders that hold no numbers any more count as well, and the days on
            which orders were placed; half as much work again.

    """
    known = list_last_days(days, now=now, zone=zone)
    every = _SalesAdder()
    raffles: dict[int, _SalesAdder] = defaultdict(_SalesAdder)
    sold: list[_SalesAdder] = [_SalesAdder() for _ in known]
    placed: Counter[int | None] = Counter()
    rows = _query_sales_rows(known, zone=zone, raffle_id=raffle_id, everything=everything)
    for of_raffle, place, placed_on, status, currency, orders, numbers, money in rows:
        of_day = [] if place is None else [sold[place]]
        for adder in (every, raffles[of_raffle], *of_day):
            adder.add(status, currency, orders, numbers, money)
        placed[placed_on] += orders
    return SalesSums(
        raffles={of_raffle: adder.build_sums() for of_raffle, adder in raffles.items()},
        days=[
            DaySums(
                day,
                adder.sold,
                adder.confirmed,
                orders=adder.orders[OrderStatus.PAID],
                placed=placed[place],
            )
            for place, (day, adder) in enumerate(zip(known, sold, strict=True))
        ],
        overall=every.build_sums(),
    )


def list_last_days(days: int, *, now: datetime, zone: str) -> Sequence[date]:
    """Give the days in a zone up to today, the earliest first."""
    today = now.astimezone(ZoneInfo(zone)).date()
    return [today - timedelta(days=ago) for ago in reversed(range(days))]


type SalesRow = tuple[int, int | None, int | None, str, str, int, int, Decimal]
"""Raffle; places of the days it was paid and placed, or None; status, currency; orders, numbers,
money.
"""


def _query_sales_rows(
    days: Sequence[date], *, zone: str, raffle_id: int | None, everything: bool
) -> Iterable[SalesRow]:
    """Group orders by raffle, days, status and currency.

    The zero added to the raffle keeps the database from walking the index of raffles, which of a
    large one is slower than reading the orders as they lie.
    """
    begins = _compute_day_starts(days, zone=zone)
    unpaid = ~Q(status=OrderStatus.PAID)
    never = Value(None, output_field=IntegerField())
    found = Order.objects.all() if everything else Order.objects.filter(status__in=Order.HOLDING)
    found = found.annotate(of_raffle=F("raffle_id") + 0)
    return (
        (found if raffle_id is None else found.filter(of_raffle=raffle_id))
        .order_by()
        .annotate(
            place=_build_day_case("closed_at", begins, but_not=unpaid),
            placed_on=_build_day_case("placed_at", begins) if everything else never,
        )
        .values_list("of_raffle", "place", "placed_on", "status", "currency")
        .annotate(orders=Count("*"), tickets=Sum("quantity"), money=Sum("total"))
    )


def _build_day_case(moment: str, begins: tuple[datetime, ...], *, but_not: Q | None = None) -> Case:
    """Tell which day a time belongs to; None before the first one, without a time or `but_not`."""
    early = Q(**{f"{moment}__lt": begins[0]}) | Q(**{f"{moment}__isnull": True})
    return Case(
        When(but_not | early if but_not else early, then=None),
        default=_DayIndex(moment, begins),
        output_field=IntegerField(),
    )


def _compute_day_starts(days: Sequence[date], *, zone: str) -> tuple[datetime, ...]:
    return tuple(datetime.combine(day, time.min, ZoneInfo(zone)) for day in days)


class _DayIndex(Func):
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
        return _build_cases_sql(column, begins)


def _build_cases_sql(
    column: str, begins: Sequence[Any], *, first: int = 0
) -> tuple[str, tuple[Any, ...]]:
    if len(begins) == 1:
        return str(first), ()
    middle = len(begins) // 2
    before, early = _build_cases_sql(column, begins[:middle], first=first)
    since, late = _build_cases_sql(column, begins[middle:], first=first + middle)
    case = f"CASE WHEN {column} < %s THEN {before} ELSE {since} END"
    return case, (begins[middle], *early, *late)


class _SalesAdder:
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

    def build_sums(self) -> RaffleSums:
        return RaffleSums(
            self.sold, self.held, dict(self.confirmed), dict(self.expected), dict(self.orders)
        )
