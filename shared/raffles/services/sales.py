"""Sums of sales: orders, ticket numbers and money, by raffle and by day; reads only.

Money comes from the ledger, whose entries never change, so the sums of past days never change
either. Orders know how many ticket numbers they hold (the command `check_inventory` verifies it and
that the ledger agrees with the orders), so a million ticket numbers need not be counted.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Sum, Value

from shared.core.enums import LedgerKind, OrderStatus
from shared.raffles.models import LedgerEntry, Order
from shared.raffles.services import day_index

MAX_DAYS: Final = 366
"""Days that one call sums up at most: a leap year."""

_CENT: Final = Decimal("0.01")

type AmountsByCurrency = Mapping[str, Decimal]
"""Amounts by currency (ISO 4217)."""


@dataclass(frozen=True, slots=True)
class MoneySums:
    """Money that came in and went back, of one day or in all.

    Attributes:
        confirmed: money in: amounts of confirmed payments.
        undone: amounts of confirmations that were undone.
        refunded: amounts of confirmed payments that were refunded.
        late_refunds: amounts of payments that were refunded without a confirmation; they never
            came in, so they are subtracted from nothing.

    """

    confirmed: AmountsByCurrency = field(default_factory=dict)
    undone: AmountsByCurrency = field(default_factory=dict)
    refunded: AmountsByCurrency = field(default_factory=dict)
    late_refunds: AmountsByCurrency = field(default_factory=dict)

    @property
    def back(self) -> AmountsByCurrency:
        """Money back: what was undone and what was refunded."""
        return add_amounts(self.undone, self.refunded)

    @property
    def balance(self) -> AmountsByCurrency:
        """Money in minus money back."""
        back = self.back
        return {
            currency: self.confirmed.get(currency, Decimal(0)) - back.get(currency, Decimal(0))
            for currency in {**self.confirmed, **back}
        }


@dataclass(frozen=True, slots=True)
class RaffleSums:
    """Sums of one raffle or of all.

    Attributes:
        sold: ticket numbers of paid orders; also of those that were refunded after the sealing.
        held: ticket numbers of orders that wait for the buyer or for the payment.
        money: money in and money back since the beginning.
        expected: amounts of placed orders that wait for payment.
        orders: how many orders have each status, if the call asked for `everything`.

    """

    sold: int = 0
    held: int = 0
    money: MoneySums = MoneySums()
    expected: AmountsByCurrency = field(default_factory=dict)
    orders: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DaySums:
    """Sums of one day; those of a past day never change.

    Attributes:
        day: the date in the zone of the call.
        money: money in and money back of that day.
        tickets: ticket numbers whose payment was confirmed that day.
        tickets_back: ticket numbers whose confirmation was undone or refunded that day.
        orders: payments that were confirmed that day.
        orders_back: payments that were undone or refunded that day.
        placed: orders that were placed that day; 0 unless the call asked for `everything`.

    """

    day: date
    money: MoneySums = MoneySums()
    tickets: int = 0
    tickets_back: int = 0
    orders: int = 0
    orders_back: int = 0
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
    """Return the sums of orders and of the ledger, in two queries.

    Args:
        now: the present time.
        zone: time zone of the days, e.g. America/Bogota.
        days: number of days, today included; `MAX_DAYS` at most.
        raffle_id: the raffle; None: all raffles.
        everything: whether to count orders by status and the days on which they were placed,
            which means to read all orders.

    """
    dates = day_index.list_last_days(days, now=now, zone=zone)
    overall = _SalesAdder()
    raffles: dict[int, _SalesAdder] = defaultdict(_SalesAdder)
    by_day: Mapping[int | None, _LedgerAdder] = defaultdict(_LedgerAdder)
    placed: Counter[int | None] = Counter()
    ledger = _query_ledger_rows(dates, zone=zone, raffle_id=raffle_id)
    for raffle, day, kind, currency, entries, tickets, money in ledger:
        for adder in (overall.ledger, raffles[raffle].ledger, by_day[day]):
            adder.add(LedgerKind(kind), currency, entries, tickets, money)
    rows = _query_order_rows(dates, zone=zone, raffle_id=raffle_id, everything=everything)
    for raffle, placed_on, status, currency, orders, tickets, money in rows:
        for sales in (overall, raffles[raffle]):
            sales.add_orders(status, currency, orders, tickets, money)
        placed[placed_on] += orders
    for sales in () if everything else (overall, *raffles.values()):
        sales.add_paid_tickets_of_ledger()
    return SalesSums(
        raffles={raffle: adder.build_sums() for raffle, adder in raffles.items()},
        days=[
            by_day[index].build_day(day, placed=placed[index]) for index, day in enumerate(dates)
        ],
        overall=overall.build_sums(),
    )


def add_amounts(*parts: AmountsByCurrency) -> AmountsByCurrency:
    """Return the sums of amounts in each currency."""
    total: dict[str, Decimal] = defaultdict(Decimal)
    for part in parts:
        for currency, amount in part.items():
            total[currency] += amount
    return dict(total)


type LedgerRow = tuple[int, int | None, str, str, int, int, Decimal]
"""Raffle id; index of the day, or None; kind; currency; number of entries; ticket numbers; amount.
"""

type OrderRow = tuple[int, int | None, str, str, int, int, Decimal]
"""Raffle id; index of the day of placing, or None; status; currency; number of orders; ticket
numbers; amount.
"""


def _query_ledger_rows(
    days: Sequence[date], *, zone: str, raffle_id: int | None
) -> Iterable[LedgerRow]:
    """Return sums of the ledger grouped by raffle, day, kind and currency."""
    return (
        _select_raffle(LedgerEntry.objects.order_by(), raffle_id)
        .annotate(day=day_index.build_day_case("at", days, zone=zone))
        .values_list("of_raffle", "day", "kind", "currency")
        .annotate(entries=Count("*"), tickets=Sum("quantity"), money=Sum("amount"))
    )


def _query_order_rows(
    days: Sequence[date], *, zone: str, raffle_id: int | None, everything: bool
) -> Iterable[OrderRow]:
    """Return sums of orders grouped by raffle, day of placing, status and currency.

    Not everything: orders that wait, without the days, and orders that were refunded and stay paid.
    """
    found = Order.objects.order_by()
    if everything:
        placed_on: Case | Value = day_index.build_day_case("placed_at", days, zone=zone)
    else:
        placed_on = Value(None, output_field=IntegerField())
        found = found.filter(
            Q(status__in=Order.LIVE) | Q(status=OrderStatus.PAID, pk__in=_query_refunded_orders())
        )
    return (
        _select_raffle(found, raffle_id)
        .annotate(placed_on=placed_on)
        .values_list("of_raffle", "placed_on", "status", "currency")
        .annotate(orders=Count("*"), tickets=Sum("quantity"), money=Sum("total"))
    )


def _query_refunded_orders() -> QuerySet[LedgerEntry, int]:
    """Return the ids of refunded orders; the condition on both kinds is that of an index."""
    taken_back = LedgerEntry.objects.filter(kind__in=[LedgerKind.UNDONE, LedgerKind.REFUNDED])
    return taken_back.filter(kind=LedgerKind.REFUNDED).values_list("order_id", flat=True)


def _select_raffle[Row: (LedgerEntry, Order)](
    found: QuerySet[Row], raffle_id: int | None
) -> QuerySet[Row]:
    """Return the rows of a raffle, or all, with the raffle as `of_raffle`.

    Adding zero keeps SQLite from reading all rows in the order of the index by raffle, which is
    slower than reading the table in sequence.
    """
    if raffle_id is None:
        return found.annotate(of_raffle=F("raffle_id") + 0)
    return found.filter(raffle_id=raffle_id).annotate(of_raffle=F("raffle_id"))


class _LedgerAdder:
    """Running sums of grouped ledger entries."""

    def __init__(self) -> None:
        self.money: dict[LedgerKind, dict[str, Decimal]] = {
            kind: defaultdict(Decimal) for kind in LedgerKind
        }
        self.tickets: Counter[LedgerKind] = Counter()
        self.entries: Counter[LedgerKind] = Counter()

    def add(
        self, kind: LedgerKind, currency: str, entries: int, tickets: int, money: Decimal
    ) -> None:
        """Add entries of one kind and currency with their ticket numbers and amount."""
        self.money[kind][currency] += money.quantize(_CENT)  # SQLite sums as floats
        self.tickets[kind] += tickets
        self.entries[kind] += entries

    @property
    def tickets_back(self) -> int:
        """Ticket numbers whose confirmation was undone or refunded."""
        return self.tickets[LedgerKind.UNDONE] + self.tickets[LedgerKind.REFUNDED]

    def build_money(self) -> MoneySums:
        """Return the sums of money of all that was added."""
        return MoneySums(
            confirmed=dict(self.money[LedgerKind.CONFIRMED]),
            undone=dict(self.money[LedgerKind.UNDONE]),
            refunded=dict(self.money[LedgerKind.REFUNDED]),
            late_refunds=dict(self.money[LedgerKind.LATE_REFUNDED]),
        )

    def build_day(self, day: date, *, placed: int) -> DaySums:
        """Return all that was added as the sums of a day."""
        return DaySums(
            day,
            money=self.build_money(),
            tickets=self.tickets[LedgerKind.CONFIRMED],
            tickets_back=self.tickets_back,
            orders=self.entries[LedgerKind.CONFIRMED],
            orders_back=self.entries[LedgerKind.UNDONE] + self.entries[LedgerKind.REFUNDED],
            placed=placed,
        )


class _SalesAdder:
    """Running sums of grouped orders and of their ledger."""

    def __init__(self) -> None:
        self.ledger = _LedgerAdder()
        self.sold = self.held = 0
        self.expected: dict[str, Decimal] = defaultdict(Decimal)
        self.orders: Counter[str] = Counter()

    def add_orders(
        self, status: str, currency: str, orders: int, tickets: int, money: Decimal
    ) -> None:
        """Add orders of one status and currency with their ticket numbers and amount."""
        self.orders[status] += orders
        if status == OrderStatus.PAID:
            self.sold += tickets
        elif status in Order.LIVE:
            self.held += tickets
        if status == OrderStatus.PENDING_PAYMENT:
            self.expected[currency] += money.quantize(_CENT)  # SQLite sums as floats

    def add_paid_tickets_of_ledger(self) -> None:
        """Add the ticket numbers of paid orders, but for refunded ones, without reading orders."""
        self.sold += self.ledger.tickets[LedgerKind.CONFIRMED] - self.ledger.tickets_back

    def build_sums(self) -> RaffleSums:
        """Return the sums of all that was added."""
        return RaffleSums(
            self.sold,
            self.held,
            self.ledger.build_money(),
            expected=dict(self.expected),
            orders=dict(self.orders),
        )
