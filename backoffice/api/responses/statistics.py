"""What the API answers about how raffles sell."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from pydantic import Field

from shared.core.enums import OrderStatus
from shared.publishing.representations import Moment, Representation
from shared.raffles import models
from shared.raffles.services.pending_counts import PendingCounts
from shared.raffles.services.sales import AmountsByCurrency, DaySums, RaffleSums, SalesSums

_CENT: Final = Decimal("0.01")


class OrderCountsResponse(Representation):
    """How many orders there are of each status."""

    draft: int = Field(examples=[1], description="Held, not confirmed by the buyer yet.")
    pending_payment: int = Field(examples=[4])
    paid: int = Field(examples=[37])
    cancelled: int = Field(examples=[2])
    expired: int = Field(examples=[9])


class NumberCountsResponse(Representation):
    """How many ticket numbers there are of each status."""

    total: int = Field(examples=[1000])
    available: int = Field(examples=[902])
    reserved: int = Field(examples=[11])
    sold: int = Field(examples=[87])


class MoneyResponse(Representation):
    """Money in one currency."""

    currency: str = Field(examples=["USD"], description="ISO 4217.")
    paid: str = Field(examples=["435.00"], description="Of orders that are paid.")
    waiting: str = Field(examples=["50.00"], description="Of placed orders that are not paid yet.")


class DayMoneyResponse(Representation):
    """Money of one day in one currency."""

    currency: str = Field(examples=["USD"], description="ISO 4217.")
    paid: str = Field(examples=["85.00"])


class DayFiguresResponse(Representation):
    """What happened on one day."""

    day: str = Field(examples=["2026-11-22"])
    placed: int = Field(examples=[9], description="Orders that buyers confirmed.")
    paid: int = Field(examples=[7], description="Orders whose payment was confirmed.")
    numbers: int = Field(examples=[17], description="Numbers that were sold with them.")
    money: list[DayMoneyResponse] = Field(description="In each currency that `money` lists.")


class SalesFiguresResponse(Representation):
    """How something sells."""

    orders: OrderCountsResponse
    numbers: NumberCountsResponse
    money: list[MoneyResponse]


class RaffleFiguresResponse(SalesFiguresResponse):
    """How one raffle sells."""

    id: int
    title: str = Field(examples=["Summer Raffle"])
    status: str = Field(examples=["OPEN"], description="DRAFT, OPEN, PAUSED, CLOSED or DRAWN.")


class RaffleStatisticsResponse(RaffleFiguresResponse):
    """How one raffle sells, what waits for a person, and its last days in its own time zone."""

    proofs_waiting: int = Field(
        examples=[3], description="Orders whose payment proof waits for a decision."
    )
    decisions_needed: int = Field(
        examples=[0], description="Orders paid too late, numbers gone: a person decides."
    )
    at: Moment
    time_zone: str = Field(examples=["America/Bogota"], description="Whose days are meant.")
    days: list[DayFiguresResponse] = Field(description="Without a gap; the last one is today.")


class StatisticsResponse(SalesFiguresResponse):
    """How all raffles sell, what waits for a person, and the last days in the seller's zone."""

    proofs_waiting: int = Field(
        examples=[3], description="Orders whose payment proof waits for a decision."
    )
    orphan_proofs: int = Field(
        examples=[1], description="Payment proofs that fit no order and wait for a decision."
    )
    decisions_needed: int = Field(
        examples=[0], description="Orders paid too late, numbers gone: a person decides."
    )
    at: Moment
    time_zone: str = Field(examples=["UTC"], description="Whose days are meant.")
    raffles: list[RaffleFiguresResponse] = Field(description="The newest first, 200 at most.")
    days: list[DayFiguresResponse] = Field(description="Without a gap; the last one is today.")


@dataclass(frozen=True, slots=True)
class StatisticsSource:
    """What statistics are made of.

    Attributes:
        sums: of all orders that count.
        standing: what waits.
        zone: IANA name of the zone whose days are meant.
        at: when it was read.

    """

    sums: SalesSums
    standing: PendingCounts
    zone: str
    at: datetime


def build_raffle_statistics(
    found: models.Raffle, read: StatisticsSource
) -> RaffleStatisticsResponse:
    """Describe how one raffle sells."""
    return RaffleStatisticsResponse(
        **_build_raffle_fields(found, read.sums.overall),
        proofs_waiting=read.standing.reviews,
        decisions_needed=read.standing.decisions,
        at=read.at,
        time_zone=read.zone,
        days=_build_days(read, currencies=_list_currencies([found], read.sums.overall)),
    )


def build_statistics(
    raffles: Sequence[models.Raffle], read: StatisticsSource, *, numbers: int, shown: int
) -> StatisticsResponse:
    """Describe how all raffles sell.

    Args:
        raffles: the newest first.
        read: what was read of their orders.
        numbers: how many numbers all raffles have.
        shown: how many raffles are described one by one.

    """
    currencies = _list_currencies(raffles, read.sums.overall)
    listed = [
        RaffleFiguresResponse(
            **_build_raffle_fields(each, read.sums.raffles.get(each.pk, RaffleSums()))
        )
        for each in raffles[:shown]
    ]
    return StatisticsResponse(
        **_build_figures_fields(read.sums.overall, numbers=numbers, currencies=currencies),
        proofs_waiting=read.standing.reviews,
        orphan_proofs=read.standing.orphans,
        decisions_needed=read.standing.decisions,
        at=read.at,
        time_zone=read.zone,
        raffles=listed,
        days=_build_days(read, currencies=currencies),
    )


def _build_raffle_fields(found: models.Raffle, sums: RaffleSums) -> dict[str, Any]:
    currencies = _list_currencies([found], sums)
    return _build_figures_fields(sums, numbers=found.number_count, currencies=currencies) | {
        "id": found.pk,
        "title": found.title,
        "status": found.status,
    }


def _build_figures_fields(
    sums: RaffleSums, *, numbers: int, currencies: Collection[str]
) -> dict[str, Any]:
    return {
        "orders": OrderCountsResponse(
            **{status.lower(): sums.orders.get(status, 0) for status in OrderStatus}
        ),
        "numbers": NumberCountsResponse(
            total=numbers,
            available=max(0, numbers - sums.held - sums.sold),
            reserved=sums.held,
            sold=sums.sold,
        ),
        "money": [
            MoneyResponse(
                currency=currency,
                paid=_format_amount(sums.confirmed, currency),
                waiting=_format_amount(sums.expected, currency),
            )
            for currency in currencies
        ],
    }


def _build_days(read: StatisticsSource, *, currencies: Collection[str]) -> list[DayFiguresResponse]:
    return [_build_day(day, currencies=currencies) for day in read.sums.days]


def _build_day(found: DaySums, *, currencies: Collection[str]) -> DayFiguresResponse:
    return DayFiguresResponse(
        day=found.day.isoformat(),
        placed=found.placed,
        paid=found.orders,
        numbers=found.tickets,
        money=[
            DayMoneyResponse(currency=currency, paid=_format_amount(found.money, currency))
            for currency in currencies
        ],
    )


def _list_currencies(raffles: Iterable[models.Raffle], sums: RaffleSums) -> list[str]:
    """Give the currencies that raffles sell in or that money is in, by their names."""
    return sorted({*(each.currency for each in raffles), *sums.confirmed, *sums.expected})


def _format_amount(amounts: AmountsByCurrency, currency: str) -> str:
    return str(amounts.get(currency, Decimal(0)).quantize(_CENT))
