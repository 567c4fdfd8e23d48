"""Bar charts of the sales of the last days, drawn by `dashboard/parts/sales_chart.html`."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from backoffice.ui.display import format_amounts
from shared.raffles.services.sales import DaySums, add_amounts

CHART_HEIGHT: Final = 64
_BAR_SPACING: Final = 20
_BAR_GAP: Final = 5
_MIN_BAR_HEIGHT: Final = 2
"""Height of the lowest bar; a day without sales has a line of height 1."""


@dataclass(frozen=True, slots=True)
class SalesBar:
    """The bar of one day; `today` marks the last one, which still grows."""

    x: int
    y: int
    height: int
    today: bool
    says: str


@dataclass(frozen=True, slots=True)
class SalesPanel:
    """The bars of one figure with their total, and a text alternative in `words`.

    `empty` says that each day has 0, so that there is nothing to draw.
    """

    name: str
    total: str
    bars: Sequence[SalesBar]
    words: str
    width: int = _BAR_SPACING * 14
    height: int = CHART_HEIGHT
    bar: int = _BAR_SPACING - _BAR_GAP
    empty: bool = False


@dataclass(frozen=True, slots=True)
class SalesDay:
    """The figures of one day."""

    name: str
    tickets: str
    money: str
    back: str


@dataclass(frozen=True, slots=True)
class SalesChart:
    """Tickets and money per day; `today_…` are the figures since midnight.

    Attributes:
        tickets: Ticket numbers that were sold.
        money: Money in.
        back: Money back.
        days: The figures of each day, the latest first.
        begins: The first day.
        today_money: Money in of today.
        today_back: Money back of today; empty if there is none.
        today_tickets: Ticket numbers that were sold today.
        empty: Whether nothing was sold and no money went back.

    """

    tickets: SalesPanel
    money: SalesPanel
    back: SalesPanel
    days: Sequence[SalesDay]
    begins: str
    today_money: str
    today_back: str
    today_tickets: int
    empty: bool

    @property
    def panels(self) -> Sequence[SalesPanel]:
        """The panels in the order they are drawn."""
        return self.money, self.back, self.tickets


def build_sales_chart(days: Sequence[DaySums], *, currency: str) -> SalesChart:
    """Return the chart of some days; money is drawn in the currency with the largest total.

    Args:
        days: The sums of consecutive days, earliest first.
        currency: ISO 4217 code to use if there were no sales, e.g. USD.

    """
    names = [f"{day.day:%a} {day.day.day} {day.day:%b}" for day in days]
    money = add_amounts(*(day.money.confirmed for day in days))
    back = add_amounts(*(day.money.back for day in days))
    main = max(money, key=lambda known: money[known], default=currency)
    figures = [
        SalesDay(
            name,
            f"{day.tickets:,}",
            format_amounts(day.money.confirmed, currency=main),
            format_amounts(day.money.back, currency=main),
        )
        for name, day in zip(names, days, strict=True)
    ]
    tickets = [day.tickets for day in days]
    return SalesChart(
        tickets=_build_panel(
            "Numbers sold", tickets, f"{sum(tickets):,}", [(f.name, f.tickets) for f in figures]
        ),
        money=_build_panel(
            "Money in",
            [day.money.confirmed.get(main, Decimal(0)) for day in days],
            format_amounts(money, currency=main),
            [(f.name, f.money) for f in figures],
        ),
        back=_build_panel(
            "Money back",
            [day.money.back.get(main, Decimal(0)) for day in days],
            format_amounts(back, currency=main),
            [(f.name, f.back) for f in figures],
        ),
        days=figures[::-1],
        begins=names[0],
        today_money=figures[-1].money,
        today_back=figures[-1].back if any(days[-1].money.back.values()) else "",
        today_tickets=tickets[-1],
        empty=not any(tickets) and not any(back.values()),
    )


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
        name=name,
        total=total,
        bars=bars,
        words=words,
        width=_BAR_SPACING * len(values),
        empty=not any(values),
    )
