"""Alarms about problems that a person must look at, one open alarm per problem."""

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
    """Open the alarm `key`, or count up the open one and update its text.

    Safe inside any transaction: if another process opens the same alarm at the same time, that
    one is counted up, and no database error can break the caller's transaction. The signal
    `alarm_sounded` is sent only when an alarm is opened.

    Args:
        key: the kind of the problem, and after a colon what it is about, e.g. `paused:1065`.
        title: the problem in a few words.
        detail: the cause, and what to do about it.
        phone_number_id: the business number it is about; empty if it is about none.
        now: the current time.

    Returns:
        The open alarm.

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
        # The only possible conflict is an open alarm with the same key.
        Alarm.objects.bulk_create([alarm], ignore_conflicts=True)
        _increment_open_alarm(alarm)
    open_alarm = Alarm.objects.get(key=alarm.key, resolved_at=None)
    if open_alarm.count == 1:
        signals.alarm_sounded.send(sender=Alarm, alarm=open_alarm, now=now)
    return open_alarm


def resolve_alarm(key: str, *, by: str, now: datetime) -> int:
    """Close the open alarm `key`, if there is one, because its problem is over.

    Args:
        key: the key the alarm was sounded with.
        by: who or what solved the problem, e.g. a user's name or "a message went through".
        now: the current time.

    Returns:
        The number of closed alarms, 0 or 1.

    """
    open_alarms = Alarm.objects.filter(key=key[:_KEY_LENGTH], resolved_at=None)
    return open_alarms.update(resolved_at=now, resolved_by=by[:_RESOLVED_BY_LENGTH])


def close_alarm(alarm_id: int, *, by: str, now: datetime) -> Alarm:
    """Close an alarm that somebody looked at; the same problem then opens a new one.

    Args:
        alarm_id: the alarm.
        by: the name of the user.
        now: the current time.

    Raises:
        AlarmResolved: it is already closed; details `by` and `at`.
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
