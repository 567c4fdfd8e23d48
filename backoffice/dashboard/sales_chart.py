"""The sales of the last days as bars; `dashboard/parts/sales_chart.html` draws them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from shared.conversation import formatting
from shared.raffles.services.sales import AmountsByCurrency, DaySums

CHART_HEIGHT: Final = 64
_BAR_SPACING: Final = 20
_BAR_GAP: Final = 5
_MIN_BAR_HEIGHT: Final = 2
"""Of a bar with anything in it; a day without sales has a thin line."""


@dataclass(frozen=True, slots=True)
class SalesBar:
    """One day's bar; `today` is the last, which still grows."""

    x: int
    y: int
    height: int
    today: bool
    says: str


@dataclass(frozen=True, slots=True)
class SalesPanel:
    """Bars of one kind with their sum, and the same in words for who does not see them."""

    name: str
    total: str
    bars: Sequence[SalesBar]
    words: str
    width: int = _BAR_SPACING * 14
    height: int = CHART_HEIGHT
    bar: int = _BAR_SPACING - _BAR_GAP


@dataclass(frozen=True, slots=True)
class SalesDay:
    """One day in figures."""

    name: str
    tickets: str
    money: str


@dataclass(frozen=True, slots=True)
class SalesChart:
    """Tickets and money a day; `today` is what was confirmed since midnight."""

    tickets: SalesPanel
    money: SalesPanel
    days: Sequence[SalesDay]
    begins: str
    today_money: str
    today_tickets: int
    empty: bool

    @property
    def panels(self) -> Sequence[SalesPanel]:
        """Both kinds of bars in the order they are drawn."""
        return self.money, self.tickets


def build_sales_chart(days: Sequence[DaySums], *, currency: str) -> SalesChart:
    """Draw the days, earliest first; money in the currency that most of it is in.

    Args:
        days: without a gap.
        currency: of no money at all, e.g. USD.

    """
    names = [f"{day.day:%a} {day.day.day} {day.day:%b}" for day in days]
    total = _sum_amounts(days)
    main = max(total, key=lambda known: total[known], default=currency)
    figures = [
        SalesDay(name, f"{day.tickets:,}", format_amounts(day.money, currency=main))
        for name, day in zip(names, days, strict=True)
    ]
    tickets = [day.tickets for day in days]
    return SalesChart(
        tickets=_build_panel(
            "Numbers sold", tickets, f"{sum(tickets):,}", [(f.name, f.tickets) for f in figures]
        ),
        money=_build_panel(
            "Money confirmed",
            [day.money.get(main, Decimal(0)) for day in days],
            format_amounts(total, currency=main),
            [(f.name, f.money) for f in figures],
        ),
        days=figures[::-1],
        begins=names[0],
        today_money=figures[-1].money,
        today_tickets=tickets[-1],
        empty=not any(tickets),
    )


def format_amounts(amounts: AmountsByCurrency, *, currency: str) -> str:
    """Write amounts, the main currency first: "$15.00 + €5.00"; without any "$0.00"."""
    known = {key: amount for key, amount in amounts.items() if amount} or {currency: Decimal(0)}
    order = sorted(known, key=lambda key: (key != currency, key))
    return " + ".join(formatting.format_money(known[key], key) for key in order)


def _build_panel(
    name: str, values: Sequence[int | Decimal], total: str, says: Sequence[tuple[str, str]]
) -> SalesPanel:
    highest = max(values) or 1
    bars = []
    for place, (value, (day, figure)) in enumerate(zip(values, says, strict=True)):
        height = max(_MIN_BAR_HEIGHT, round(CHART_HEIGHT * value / highest)) if value else 1
        bars.append(
            SalesBar(
                x=place * _BAR_SPACING + _BAR_GAP // 2,
                y=CHART_HEIGHT - height,
                height=height,
                today=place == len(values) - 1,
                says=f"{day}: {figure}",
            )
        )
    best = says[list(values).index(max(values))]
    words = f"{name} a day: {total} in {len(values)} days, most on {best[0]} with {best[1]}"
    return SalesPanel(
        name=name, total=total, bars=bars, words=words, width=_BAR_SPACING * len(values)
    )


def _sum_amounts(days: Iterable[DaySums]) -> AmountsByCurrency:
    total: dict[str, Decimal] = defaultdict(Decimal)
    for day in days:
        for currency, amount in day.money.items():
            total[currency] += amount
    return total
