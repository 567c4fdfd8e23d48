"""Alarms: what a person must look at, one open line a trouble however often it comes."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F

from shared.core import logs
from shared.whatsapp import signals
from shared.whatsapp.errors import AlarmResolved
from shared.whatsapp.models import Alarm

_log = logs.get_logger(__name__)

_KEY_LENGTH: Final = 120
_TITLE_LENGTH: Final = 200
_RESOLVED_BY_LENGTH: Final = 150


@transaction.atomic(savepoint=False)
def sound_alarm(
    key: str, *, title: str, detail: str = "", phone_number_id: str = "", now: datetime
) -> Alarm:
    """Open the alarm `key`, or count the open one up and give it the newest words.

    Safe inside any transaction and without a race: a line that somebody else opens at the same
    time is counted up, and no error can spoil the caller's transaction. Whoever listens is told
    of the first time only.
    """
    _log.warning("alarm_sounded", alarm=key, phone_number_id=phone_number_id)
    alarm = Alarm(
        key=key[:_KEY_LENGTH],
        title=title[:_TITLE_LENGTH],
        detail=detail.replace("\0", ""),
        phone_number_id=phone_number_id,
        count=0,
        first_at=now,
        last_at=now,
    )
    if not _increment_open_alarm(alarm):
        # Nothing else can conflict here than an open line with this key.
        Alarm.objects.bulk_create([alarm], ignore_conflicts=True)
        _increment_open_alarm(alarm)
    sounded = Alarm.objects.get(key=alarm.key, resolved_at=None)
    if sounded.count == 1:
        signals.alarm_sounded.send(sender=Alarm, alarm=sounded, now=now)
    return sounded


def resolve_alarm(key: str, *, by: str, now: datetime) -> int:
    """Close the open alarm `key`, if there is one, and tell how many were closed.

    Args:
        key: what the alarm was sounded with.
        by: who or what ended the trouble, e.g. a person's name or "a message went through".
        now: when.

    """
    waiting = Alarm.objects.filter(key=key[:_KEY_LENGTH], resolved_at=None)
    return waiting.update(resolved_at=now, resolved_by=by[:_RESOLVED_BY_LENGTH])


def close_alarm(alarm_id: int, *, by: str, now: datetime) -> Alarm:
    """Close one alarm that somebody looked at; the same trouble again opens a new one.

    Args:
        alarm_id: the line they saw, and no later one of the same trouble.
        by: their name.
        now: when.

    Raises:
        AlarmResolved: somebody was faster; details `by` and `at`.
        Alarm.DoesNotExist: there is no such alarm.

    """
    closed = Alarm.objects.filter(pk=alarm_id, resolved_at=None).update(
        resolved_at=now, resolved_by=by[:_RESOLVED_BY_LENGTH]
    )
    alarm = Alarm.objects.get(pk=alarm_id)
    if not closed:
        raise AlarmResolved(by=alarm.resolved_by, at=alarm.resolved_at)
    return alarm


def _increment_open_alarm(alarm: Alarm) -> bool:
    return bool(
        Alarm.objects.filter(key=alarm.key, resolved_at=None).update(
            title=alarm.title,
            detail=alarm.detail,
            phone_number_id=alarm.phone_number_id,
            count=F("count") + 1,
            last_at=alarm.last_at,
        )
    )
