"""Raffles with work for their draw, and those called off with open refunds: first on the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.urls import reverse

from backoffice.raffles.draws import next_steps
from backoffice.raffles.draws.next_steps import NextStep
from backoffice.raffles.last_day import refunds
from backoffice.ui import display
from shared.core.enums import RaffleStatus
from shared.core.statements.compiled_queries import CompiledQuery, Moment, TimeParameter
from shared.raffles import sale_rules
from shared.raffles.models import Raffle
from shared.raffles.services.draws import due_draws
from shared.raffles.services.queries import refund_queries

MAX_RAFFLES: Final = 12
"""Raffles shown at most."""
DECISIONS_SHOWN_FROM: Final = timedelta(hours=24)
"""Time before the draw from which orders to review are shown, if nobody may decide afterwards."""


@dataclass(frozen=True, slots=True)
class LastDayRaffle:
    """A raffle with work on its last day.

    Attributes:
        title: Its title.
        page: The address of its change page.
        lead: What is the matter, e.g. "Draw due".
        called_off: Whether it was called off.
        draw: The time of the draw that has come, with its time zone; else empty.
        sold_out: Whether its draw is due because all its numbers are sold.
        step: Its next step; None if it was called off.
        reviews: Orders under review.
        reviews_url: The address of the list of these orders.
        decide_until: Until when somebody may decide about them; empty if they may afterwards.
        is_far: Whether it only waits for a draw that is more than a day ahead.
        refunds: Orders whose money must go back.
        refunds_url: The address of the list of these orders.

    """

    title: str
    page: str
    lead: str
    called_off: bool
    draw: str
    sold_out: bool
    step: NextStep | None
    reviews: int
    reviews_url: str
    decide_until: str
    refunds: int
    refunds_url: str
    is_far: bool


def load_last_day_raffles(*, now: datetime) -> Sequence[LastDayRaffle]:
    """Return the raffles with work for their draw, then those with open refunds; in one query."""
    rows = [_build_last_day_raffle(raffle, now=now) for raffle in _LAST_DAY_RAFFLES.fetch(now=now)]
    return sorted(rows, key=lambda raffle: raffle.called_off)


def _query_last_day_raffles(*, now: Moment) -> QuerySet[Any]:
    owes = Q(Exists(_query_refunds_of_raffle()), status=RaffleStatus.CANCELLED)
    working = next_steps.query_raffles_with_draw_work(now=now).values("pk")
    soon = Q(draw_at__gt=now, draw_at__lte=now + DECISIONS_SHOWN_FROM)
    reviewed = due_draws.query_orders_of_raffle().filter(under_review_since__isnull=False)
    last_decisions = Q(soon, sale_rules.build_public_source_condition(), Exists(reviewed))
    found = Raffle.objects.filter(Q(pk__in=working) | owes | last_decisions)
    raffles: QuerySet[Any] = next_steps.annotate_draw_progress(found, now=now).annotate(
        owed=next_steps.count_rows(_query_refunds_of_raffle().order_by())
    )
    return raffles.order_by(F("draw_at").asc(nulls_last=True), "pk")[:MAX_RAFFLES]


def _query_refunds_of_raffle() -> QuerySet[Any]:
    orders = refund_queries.query_orders_of_called_off_raffles()
    return orders.filter(raffle=OuterRef("pk"))


_LAST_DAY_RAFFLES: Final = CompiledQuery(lambda: _query_last_day_raffles(now=TimeParameter("now")))


def _build_last_day_raffle(raffle: Any, *, now: datetime) -> LastDayRaffle:
    called_off = raffle.status == RaffleStatus.CANCELLED
    ended = raffle.status in {RaffleStatus.SEALED, RaffleStatus.DRAWN}
    due = sale_rules.is_draw_due(raffle, now=now) and not (called_off or ended)
    last_word = sale_rules.has_public_source(raffle) and raffle.draw_at is not None and not due
    return LastDayRaffle(
        title=raffle.title,
        page=reverse("admin:raffles_raffle_change", args=[raffle.pk]),
        lead=_choose_lead(raffle, due=due or raffle.is_due),
        called_off=called_off,
        draw=display.format_time_with_zone(raffle.draw_at, zone=raffle.time_zone) if due else "",
        sold_out=raffle.is_due and raffle.draw_at is None,
        step=None if called_off else next_steps.find_next_step(raffle, now=now),
        reviews=0 if called_off or ended else raffle.reviews,
        reviews_url=f"{reverse('admin:desk_queue')}?raffle={raffle.pk}",
        decide_until=display.format_time(raffle.draw_at, zone=raffle.time_zone)
        if last_word
        else "",
        refunds=raffle.owed if called_off else 0 if ended else raffle.late,
        refunds_url=refunds.build_refund_list_url(raffle.pk),
        is_far=not (called_off or ended or due or raffle.is_due)
        and raffle.draw_at is not None
        and raffle.draw_at > now + DECISIONS_SHOWN_FROM,
    )


def _choose_lead(raffle: Any, *, due: bool) -> str:
    match RaffleStatus(raffle.status):
        case RaffleStatus.CANCELLED:
            return "Called off"
        case RaffleStatus.SEALED:
            return "Sealed"
        case RaffleStatus.DRAWN:
            return "Drawn"
        case _:
            return "Draw due" if due else "Before the draw"
