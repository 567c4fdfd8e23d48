"""Raffles whose draw is due, and raffles called off with open refunds: first on the dashboard."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse

from backoffice.raffles.last_day import refunds
from backoffice.ui import display
from shared.core.enums import RaffleStatus
from shared.raffles.models import Raffle
from shared.raffles.services import due_draws, refund_queries

MAX_RAFFLES: Final = 12
"""Raffles shown at most."""


@dataclass(frozen=True, slots=True)
class LastDayRaffle:
    """A raffle with work on its last day.

    Attributes:
        title: Its title.
        page: The address of its change page.
        called_off: Whether it was called off; otherwise its draw is due.
        closed: Whether its sale is closed.
        sold_out: Whether its draw is due because all its numbers are sold.
        draw: The time of the draw that is due, with its time zone; empty if it is drawn when sold
            out or was called off.
        reviews: Orders under review.
        reviews_url: The address of the list of these orders.
        refunds: Orders whose money must go back.
        refunds_url: The address of the list of these orders.

    """

    title: str
    page: str
    called_off: bool
    closed: bool
    sold_out: bool
    draw: str
    reviews: int
    reviews_url: str
    refunds: int
    refunds_url: str


def load_last_day_raffles(*, now: datetime) -> Sequence[LastDayRaffle]:
    """Return the raffles with a draw that is due, then those with open refunds; in one query."""
    due = Q(pk__in=due_draws.query_due_raffles(now=now).values("pk"))
    owes = Q(Exists(_query_refunds_of_raffle()), status=RaffleStatus.CANCELLED)
    orders = due_draws.query_orders_of_raffle()
    raffles = (
        Raffle.objects.filter(due | owes)
        .annotate(
            reviews=_count_orders(orders.filter(under_review_since__isnull=False)),
            refunds=_count_orders(_query_refunds_of_raffle()),
            late=_count_orders(orders.filter(needs_decision=True)),
        )
        .order_by(F("draw_at").asc(nulls_last=True), "pk")[:MAX_RAFFLES]
    )
    found = [_build_last_day_raffle(raffle) for raffle in raffles]
    return sorted(found, key=lambda raffle: raffle.called_off)


def _query_refunds_of_raffle() -> QuerySet[Any]:
    orders = refund_queries.query_orders_of_called_off_raffles()
    return orders.filter(raffle=OuterRef("pk"))


def _count_orders(orders: QuerySet[Any]) -> Coalesce:
    """Return the count of a subquery's orders."""
    constant = orders.annotate(one=F("raffle_id") * 0).values("one")
    return Coalesce(Subquery(constant.annotate(count=Count("pk")).values("count")), 0)


def _build_last_day_raffle(raffle: Any) -> LastDayRaffle:
    called_off = raffle.status == RaffleStatus.CANCELLED
    return LastDayRaffle(
        title=raffle.title,
        page=reverse("admin:raffles_raffle_change", args=[raffle.pk]),
        called_off=called_off,
        closed=raffle.status == RaffleStatus.CLOSED,
        sold_out=not called_off and raffle.draw_at is None,
        draw=""
        if called_off or raffle.draw_at is None
        else display.format_time_with_zone(raffle.draw_at, zone=raffle.time_zone),
        reviews=0 if called_off else raffle.reviews,
        reviews_url=f"{reverse('admin:desk_queue')}?raffle={raffle.pk}",
        refunds=raffle.refunds if called_off else raffle.late,
        refunds_url=refunds.build_refund_list_url(raffle.pk),
    )
