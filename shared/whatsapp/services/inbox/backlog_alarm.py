"""Alarm about buyers who wait for an answer, as when every gateway lags or hangs."""

from datetime import datetime, timedelta
from typing import Final

from shared.whatsapp.models import Alarm
from shared.whatsapp.services import alarms
from shared.whatsapp.services.inbox import inbox_queue

MAX_UNANSWERED_MINUTES: Final = 5
"""Minutes a message may wait before people are told; a usual answer takes a second."""


def check_backlog(*, now: datetime) -> None:
    """Open the alarm while a message waits too long, and resolve it when none does.

    An open alarm is not counted up: it counts problems, not checks.
    """
    oldest = inbox_queue.get_oldest_unanswered_age(now=now)
    lags = oldest is not None and oldest > timedelta(minutes=MAX_UNANSWERED_MINUTES)
    if not lags:
        alarms.resolve_alarm("backlog", by="the messages were answered", now=now)
    elif not Alarm.objects.filter(key="backlog", resolved_at=None).exists():
        alarms.sound_alarm(
            "backlog",
            title="Buyers wait for an answer",
            detail=f"A message has waited for more than {MAX_UNANSWERED_MINUTES} minutes.",
            now=now,
        )
