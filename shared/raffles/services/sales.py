"""Sums of sales: orders, ticket numbers and money, by raffle and by day; reads only.

Orders know how many ticket numbers they hold (the command `check_inventory` verifies it). So a
million ticket numbers need not be counted: one query over the orders yields all sums.
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
"""Days that one call sums up at most: a leap year."""

type AmountsByCurrency = Mapping[str, Decimal]
"""Amounts by currency (ISO 4217)."""


@dataclass(frozen=True, slots=True)
class RaffleSums:
    """Sums of one raffle or of all.

    Attributes:
        sold: ticket numbers of paid orders.
        held: ticket numbers of orders that wait for the buyer or for the payment.
        confirmed: amounts of paid orders.
        expected: amounts of placed orders that wait for payment.
        orders: how many orders have each status, for the statuses that occur.

    """

    sold: int = 0
    held: int = 0
    confirmed: AmountsByCurrency = field(default_factory=dict)
    expected: AmountsByCurrency = field(default_factory=dict)
    orders: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DaySums:
    """Sums of one day.

    Attributes:
        day: the date in the zone of the call.
        tickets: ticket numbers of orders that were paid that day.
        money: amounts of orders that were paid that day.
        orders: orders that were paid that day.
        placed: orders that were placed that day; 0 unless the call asked for `everything`.

    """

    day: date
    tickets: int
    money: AmountsByCurrency
    orders: int = 0
    placed: int = 0


@dataclass(frozen=True, slots=True)
class SalesSums:
    """Sums by raffle id, by day from the earliest to today, and overall."""

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
    """Return the sums of orders, in one query.

    Args:
        now: the present time.
        zone: time zone of the days, e.g. America/Bogota.
        days: number of days, today included; `MAX_DAYS` at most.
        raffle_id: the raffle; None: all raffles.
        everything: whether to include cancelled and expired orders and the days on which orders
            were placed; that costs half as much again.

    """
    dates = list_last_days(days, now=now, zone=zone)
    overall = _SalesAdder()
    raffles: dict[int, _SalesAdder] = defaultdict(_SalesAdder)
    paid: list[_SalesAdder] = [_SalesAdder() for _ in dates]
    placed: Counter[int | None] = Counter()
    rows = _query_sales_rows(dates, zone=zone, raffle_id=raffle_id, everything=everything)
    for raffle, paid_on, placed_on, status, currency, orders, numbers, money in rows:
        day_adders = [] if paid_on is None else [paid[paid_on]]
        for adder in (overall, raffles[raffle], *day_adders):
            adder.add(status, currency, orders, numbers, money)
        placed[placed_on] += orders
    return SalesSums(
        raffles={raffle: adder.build_sums() for raffle, adder in raffles.items()},
        days=[
            DaySums(
                day,
                adder.sold,
                adder.confirmed,
                orders=adder.orders[OrderStatus.PAID],
                placed=placed[index],
            )
            for index, (day, adder) in enumerate(zip(dates, paid, strict=True))
        ],
        overall=overall.build_sums(),
    )


def list_last_days(days: int, *, now: datetime, zone: str) -> Sequence[date]:
    """Return the last days in a time zone up to today, the earliest first."""
    today = now.astimezone(ZoneInfo(zone)).date()
    return [today - timedelta(days=ago) for ago in reversed(range(days))]


type SalesRow = tuple[int, int | None, int | None, str, str, int, int, Decimal]
"""Raffle id; indexes of the days of payment and of placing, or None; status; currency; number of
orders; ticket numbers; amount.
"""


def _query_sales_rows(
    days: Sequence[date], *, zone: str, raffle_id: int | None, everything: bool
) -> Iterable[SalesRow]:
    """Return sums of orders grouped by raffle, days, status and currency.

    Adding zero to the raffle keeps the database from using the index by raffle, which for a large
    raffle is slower than reading the table in sequence.
    """
    starts = _compute_day_starts(days, zone=zone)
    unpaid = ~Q(status=OrderStatus.PAID)
    never = Value(None, output_field=IntegerField())
    found = Order.objects.all() if everything else Order.objects.filter(status__in=Order.HOLDING)
    found = found.annotate(of_raffle=F("raffle_id") + 0)
    return (
        (found if raffle_id is None else found.filter(of_raffle=raffle_id))
        .order_by()
        .annotate(
            paid_on=_build_day_case("closed_at", starts, excluded=unpaid),
            placed_on=_build_day_case("placed_at", starts) if everything else never,
        )
        .values_list("of_raffle", "paid_on", "placed_on", "status", "currency")
        .annotate(orders=Count("*"), tickets=Sum("quantity"), money=Sum("total"))
    )


def _build_day_case(
    moment: str, starts: tuple[datetime, ...], *, excluded: Q | None = None
) -> Case:
    """Return the day index of a time; None before the first day, without a time or if excluded.

    Args:
        moment: the name of a field with a time.
        starts: the times at which the days begin.
        excluded: rows for which the result is None.

    """
    early = Q(**{f"{moment}__lt": starts[0]}) | Q(**{f"{moment}__isnull": True})
    return Case(
        When(excluded | early if excluded else early, then=None),
        default=_DayIndex(moment, starts),
        output_field=IntegerField(),
    )


def _compute_day_starts(days: Sequence[date], *, zone: str) -> tuple[datetime, ...]:
    return tuple(datetime.combine(day, time.min, ZoneInfo(zone)) for day in days)


class _DayIndex(Func):
    """The index of the day of a time, found by bisection: nine comparisons for a year.

    On SQLite Django's date functions call Python for each row. Django's own `Case` takes a quarter
    of a second to compile the nested cases of a year. Times before the first day get its index, so
    the caller excludes them.
    """

    def __init__(self, moment: str, starts: tuple[datetime, ...]) -> None:
        super().__init__(moment, output_field=IntegerField())
        self._starts = starts

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *_: Any, **__: Any
    ) -> tuple[str, tuple[Any, ...]]:
        """Return nested cases, and the values to compare with.

        Raises:
            ValueError: the expression is not a plain column.

        """
        column, values = compiler.compile(self.get_source_expressions()[0])
        if values:
            raise ValueError("only a column has a day index")
        starts = [connection.ops.adapt_datetimefield_value(start) for start in self._starts]
        return _build_cases_sql(column, starts)


def _build_cases_sql(
    column: str, starts: Sequence[Any], *, first: int = 0
) -> tuple[str, tuple[Any, ...]]:
    if len(starts) == 1:
        return str(first), ()
    middle = len(starts) // 2
    before, early = _build_cases_sql(column, starts[:middle], first=first)
    since, late = _build_cases_sql(column, starts[middle:], first=first + middle)
    case = f"CASE WHEN {column} < %s THEN {before} ELSE {since} END"
    return case, (starts[middle], *early, *late)


class _SalesAdder:
    """Running sums of grouped orders."""

    def __init__(self) -> None:
        self.sold = self.held = 0
        self.confirmed: dict[str, Decimal] = defaultdict(Decimal)
        self.expected: dict[str, Decimal] = defaultdict(Decimal)
        self.orders: Counter[str] = Counter()

    def add(self, status: str, currency: str, orders: int, numbers: int, money: Decimal) -> None:
        """Add orders of one status and currency with their ticket numbers and amount."""
        self.orders[status] += orders
        if status == OrderStatus.PAID:
            self.sold += numbers
            self.confirmed[currency] += money
        elif status in Order.LIVE:
            self.held += numbers
        if status == OrderStatus.PENDING_PAYMENT:
            self.expected[currency] += money

    def build_sums(self) -> RaffleSums:
        """Return the sums of all that was added."""
        return RaffleSums(
            self.sold, self.held, dict(self.confirmed), dict(self.expected), dict(self.orders)
        )
