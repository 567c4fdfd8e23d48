"""Alarm about business numbers for which no webhook arrives although something is on sale."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Max

from shared.raffles.services import availability
from shared.whatsapp.models import Alarm, BusinessNumber
from shared.whatsapp.services import alarms, business_numbers

_HOUR: Final = timedelta(hours=1)


@transaction.atomic(durable=True)
def check_webhook_silence(*, limit: timedelta, now: datetime) -> list[str]:
    """Sound an alarm for each business number that is silent, and resolve those that are over.

    A number is silent if it received webhooks before and none for `limit`, while free ticket
    numbers were on sale for as long. An alarm that a person resolved is raised again after another
    `limit`. Time in which no gateway ran counts, too: Meta could not reach anything either, and
    nothing else could raise an alarm then.

    Args:
        limit: the time without a webhook that is too long.
        now: the current time.

    Returns:
        The silent numbers for which an alarm was opened, as `phone_number_id`.

    """
    silent = {number.phone_number_id: number for number in _list_silent(since=now - limit, now=now)}
    open_alarms = set(
        Alarm.objects.filter(
            key__startswith=business_numbers.build_silent_alarm_key(""), resolved_at=None
        ).values_list("phone_number_id", flat=True)
    )
    for phone_number_id in sorted(open_alarms - silent.keys()):
        _resolve_silent_alarm(phone_number_id, since=now - limit, now=now)
    newly_silent = [
        phone_number_id
        for phone_number_id in sorted(silent.keys() - open_alarms)
        if not _was_resolved(phone_number_id, since=now - limit)
    ]
    for phone_number_id in newly_silent:
        _sound_silent_alarm(silent[phone_number_id], now=now)
    return newly_silent


def _list_silent(*, since: datetime, now: datetime) -> list[BusinessNumber]:
    """Return our numbers that sell and received nothing since a time."""
    return [
        number
        for number in BusinessNumber.objects.filter(last_webhook_at__lte=since)
        if business_numbers.is_ours(number.phone_number_id)
        and (start := availability.find_sale_start(number.phone_number_id, now=now))
        and start <= since
    ]


def _was_resolved(phone_number_id: str, *, since: datetime) -> bool:
    """Return whether the number's alarm was resolved after a time."""
    known = Alarm.objects.filter(key=business_numbers.build_silent_alarm_key(phone_number_id))
    resolved_at = known.aggregate(at=Max("resolved_at"))["at"]
    return resolved_at is not None and resolved_at > since


def _sound_silent_alarm(number: BusinessNumber, *, now: datetime) -> None:
    last = number.last_webhook_at or now
    alarms.sound_alarm(
        business_numbers.build_silent_alarm_key(number.phone_number_id),
        title=f"Nothing has arrived from WhatsApp for {(now - last) // _HOUR} hours",
        detail=f"The last webhook for {number} arrived at {last:%Y-%m-%d %H:%M} UTC, and ticket "
        "numbers are on sale. Either nobody wrote, or Meta does not reach the gateway.",
        phone_number_id=number.phone_number_id,
        now=now,
    )


def _resolve_silent_alarm(phone_number_id: str, *, since: datetime, now: datetime) -> None:
    heard = BusinessNumber.objects.filter(
        phone_number_id=phone_number_id, last_webhook_at__gt=since
    ).exists()
    alarms.resolve_alarm(
        business_numbers.build_silent_alarm_key(phone_number_id),
        by="a webhook arrived" if heard else "nothing is on sale any more",
        now=now,
    )
