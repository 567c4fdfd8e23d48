"""Reads of what waits for staff."""

from datetime import datetime
from typing import Final

from django.db.models import Count, F, Max, Min

from shared.raffles.models import Order
from shared.raffles.services.draws import due_draws
from shared.staff_mail.situation import DueDraw, OpenAlarm, Situation, WaitingProofs
from shared.whatsapp.models import Alarm

OWN_ALARM: Final = "staff_mail"
"""Kind of the alarm about e-mails that cannot be sent, which is not told by e-mail."""

MAX_ROWS: Final = 100
"""Raffles or alarms that are loaded."""


def load_situation(*, waiting_since: datetime, now: datetime) -> Situation:
    """Return what waits for staff, in four queries at most.

    Args:
        waiting_since: proofs are told once one waits since then or longer.
        now: the current time.

    """
    return Situation(
        proofs=_load_waiting_proofs(waiting_since=waiting_since),
        draws=_load_due_draws(now=now),
        alarms=_load_open_alarms(),
    )


def _load_waiting_proofs(*, waiting_since: datetime) -> WaitingProofs | None:
    """Return the orders that wait for staff; those that wait for their buyer do not count."""
    waiting = Order.objects.filter(under_review_since__isnull=False, asked_again_at__isnull=True)
    found = (
        waiting.order_by("raffle_id")
        .values_list("raffle_id", "raffle__title", "raffle__time_zone")
        .annotate(
            count=Count("pk"), oldest=Min("under_review_since"), newest=Max("under_review_since")
        )
    )
    rows = sorted(found, key=lambda row: row[4])
    if not rows or rows[0][4] > waiting_since:
        return None
    return WaitingProofs(
        count=sum(row[3] for row in rows),
        oldest=rows[0][4],
        newest=max(row[5] for row in rows),
        time_zone=rows[0][2],
        by_raffle=tuple((row[1], row[3]) for row in rows),
    )


def _load_due_draws(*, now: datetime) -> tuple[DueDraw, ...]:
    raffles = due_draws.query_due_raffles(now=now).order_by(
        F("draw_at").asc(nulls_first=True), "pk"
    )
    found = list(raffles[:MAX_ROWS])
    if not found:
        return ()
    reviews = dict(
        Order.objects.filter(under_review_since__isnull=False, raffle__in=found)
        .order_by("raffle_id")
        .values_list("raffle_id")
        .annotate(count=Count("pk"))
    )
    return tuple(
        DueDraw(
            raffle_id=raffle.pk,
            title=raffle.title,
            draw_at=raffle.draw_at,
            time_zone=raffle.time_zone,
            reviews=reviews.get(raffle.pk, 0),
        )
        for raffle in found
    )


def _load_open_alarms() -> tuple[OpenAlarm, ...]:
    alarms = Alarm.objects.filter(resolved_at=None).exclude(key__startswith=f"{OWN_ALARM}:")
    rows = alarms.order_by("-first_at", "-pk").values_list("pk", "title")[:MAX_ROWS]
    return tuple(OpenAlarm(pk, title) for pk, title in rows)
