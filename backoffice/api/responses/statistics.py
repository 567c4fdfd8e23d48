"""Response models of sales statistics."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import Any, Final

from pydantic import Field

from backoffice.api.responses.raffles import STATUS_DESCRIPTION
from shared.core.enums import OrderStatus
from shared.publishing.representations import Moment, Representation
from shared.raffles import models
from shared.raffles.services.queries.pending_counts import PendingCounts
from shared.raffles.services.sales import (
    AmountsByCurrency,
    DaySums,
    MoneySums,
    RaffleSums,
    SalesSums,
)

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
    paid: str = Field(examples=["435.00"], description="Money in: of all confirmed payments.")
    back: str = Field(examples=["15.00"], description="Money back: `undone` and `refunded`.")
    undone: str = Field(examples=["5.00"], description="Of confirmations that were undone.")
    refunded: str = Field(examples=["10.00"], description="Of confirmed payments, refunded.")
    balance: str = Field(examples=["420.00"], description="Money in minus money back.")
    late_refunds: str = Field(
        examples=["5.00"],
        description="Refunds of late payments. They were never money in; no sum has them.",
    )
    waiting: str = Field(examples=["50.00"], description="Of placed orders that are not paid yet.")


class DayMoneyResponse(Representation):
    """Money of one day in one currency."""

    currency: str = Field(examples=["USD"], description="ISO 4217.")
    paid: str = Field(
        examples=["85.00"], description="Money in: of payments that were confirmed that day."
    )
    back: str = Field(examples=["15.00"], description="Money back: `undone` and `refunded`.")
    undone: str = Field(
        examples=["5.00"], description="Of confirmations that were undone that day."
    )
    refunded: str = Field(
        examples=["10.00"], description="Of confirmed payments that were refunded that day."
    )
    late_refunds: str = Field(
        examples=["5.00"],
        description="Refunds of late payments. They were never money in; no sum has them.",
    )


class DayFiguresResponse(Representation):
    """What happened on one day. What is undone later leaves the figures of a past day alone."""

    day: str = Field(examples=["2026-11-22"])
    placed: int = Field(examples=[9], description="Orders that buyers confirmed.")
    paid: int = Field(examples=[7], description="Orders whose payment was confirmed.")
    numbers: int = Field(examples=[17], description="Numbers that were sold with them.")
    paid_back: int = Field(
        examples=[1], description="Orders whose payment was undone or refunded that day."
    )
    numbers_back: int = Field(examples=[3], description="Numbers of these orders.")
    money: list[DayMoneyResponse] = Field(description="In each currency that `money` lists.")


class SalesFiguresResponse(Representation):
    """Counts of orders and ticket numbers with sums of money; base of other responses."""

    orders: OrderCountsResponse
    numbers: NumberCountsResponse
    money: list[MoneyResponse]


class RaffleFiguresResponse(SalesFiguresResponse):
    """How one raffle sells."""

    id: int
    title: str = Field(examples=["Summer Raffle"])
    status: str = Field(examples=["OPEN"], description=STATUS_DESCRIPTION)


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
        examples=[1],
        description="Payment proofs to sort: they fit no order, or one that is paid already.",
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
    """Data from which statistics are built.

    Attributes:
        sums: sums of orders and money by raffle and by day.
        pending: counts of what waits for a person.
        zone: IANA name of the time zone of the days.
        loaded_at: time of the queries.

    """

    sums: SalesSums
    pending: PendingCounts
    zone: str
    loaded_at: datetime


def build_raffle_statistics(
    raffle: models.Raffle, source: StatisticsSource
) -> RaffleStatisticsResponse:
    """Return the response for the statistics of one raffle."""
    return RaffleStatisticsResponse(
        **_build_raffle_fields(raffle, source.sums.overall),
        proofs_waiting=source.pending.reviews,
        decisions_needed=source.pending.decisions,
        at=source.loaded_at,
        time_zone=source.zone,
        days=_build_days(source, currencies=_list_currencies([raffle], source.sums.overall)),
    )


def build_statistics(
    raffles: Sequence[models.Raffle], source: StatisticsSource, *, numbers: int, shown: int
) -> StatisticsResponse:
    """Return the response for the statistics of all raffles.

    Args:
        raffles: all raffles, the newest first.
        source: sums and counts of their orders.
        numbers: count of the ticket numbers of all raffles.
        shown: count of raffles with figures of their own.

    """
    currencies = _list_currencies(raffles, source.sums.overall)
    listed = [
        RaffleFiguresResponse(
            **_build_raffle_fields(raffle, source.sums.raffles.get(raffle.pk, RaffleSums()))
        )
        for raffle in raffles[:shown]
    ]
    return StatisticsResponse(
        **_build_figures_fields(source.sums.overall, numbers=numbers, currencies=currencies),
        proofs_waiting=source.pending.reviews,
        orphan_proofs=source.pending.orphans,
        decisions_needed=source.pending.decisions,
        at=source.loaded_at,
        time_zone=source.zone,
        raffles=listed,
        days=_build_days(source, currencies=currencies),
    )


def _build_raffle_fields(raffle: models.Raffle, sums: RaffleSums) -> dict[str, Any]:
    currencies = _list_currencies([raffle], sums)
    return _build_figures_fields(sums, numbers=raffle.number_count, currencies=currencies) | {
        "id": raffle.pk,
        "title": raffle.title,
        "status": raffle.status,
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
                balance=_format_amount(sums.money.balance, currency),
                waiting=_format_amount(sums.expected, currency),
                **_build_money_fields(sums.money, currency),
            )
            for currency in currencies
        ],
    }


def _build_days(
    source: StatisticsSource, *, currencies: Collection[str]
) -> list[DayFiguresResponse]:
    return [_build_day(sums, currencies=currencies) for sums in source.sums.days]


def _build_day(sums: DaySums, *, currencies: Collection[str]) -> DayFiguresResponse:
    return DayFiguresResponse(
        day=sums.day.isoformat(),
        placed=sums.placed,
        paid=sums.orders,
        numbers=sums.tickets,
        paid_back=sums.orders_back,
        numbers_back=sums.tickets_back,
        money=[
            DayMoneyResponse(currency=currency, **_build_money_fields(sums.money, currency))
            for currency in currencies
        ],
    )


def _build_money_fields(money: MoneySums, currency: str) -> dict[str, str]:
    return {
        "paid": _format_amount(money.confirmed, currency),
        "back": _format_amount(money.back, currency),
        "undone": _format_amount(money.undone, currency),
        "refunded": _format_amount(money.refunded, currency),
        "late_refunds": _format_amount(money.late_refunds, currency),
    }


def _list_currencies(raffles: Iterable[models.Raffle], sums: RaffleSums) -> list[str]:
    """Return the sorted ISO 4217 codes of the raffles' currencies and of the sums' currencies."""
    money = sums.money
    known = (money.confirmed, money.back, money.late_refunds, sums.expected)
    return sorted({*(raffle.currency for raffle in raffles), *chain.from_iterable(known)})


def _format_amount(amounts: AmountsByCurrency, currency: str) -> str:
    return str(amounts.get(currency, Decimal(0)).quantize(_CENT))
