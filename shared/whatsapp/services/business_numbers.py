"""How our business numbers fare: heard of, slowed down, paused, sending again."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Case, F, Q, Value, When

from shared.core import config, retry
from shared.whatsapp.errors import BusinessNumberSends
from shared.whatsapp.models import BusinessNumber
from shared.whatsapp.services import alarms

PROBE_INTERVAL: Final = timedelta(minutes=1)
"""While a number is paused, one message a minute tries whether the trouble is over."""

_NOTED_INTERVAL: Final = timedelta(minutes=1)
_SLOW_DOWN_BASE: Final = timedelta(seconds=1)
_SLOW_DOWN_CAP: Final = timedelta(minutes=5)
_REASON_LENGTH: Final = 300


def record_webhook(display_numbers: Mapping[str, str], *, now: datetime) -> None:
    """Keep a row for each number that Meta wrote about, and when it last did, to the minute.

    Args:
        display_numbers: the number as people dial it by its `phone_number_id`; may be empty.
        now: when the webhook arrived.

    """
    known = dict(
        BusinessNumber.objects.filter(phone_number_id__in=display_numbers).values_list(
            "phone_number_id", "last_webhook_at"
        )
    )
    for phone_number_id, display in sorted(display_numbers.items()):
        last = known.get(phone_number_id)
        if last is None or now - last >= _NOTED_INTERVAL:
            _record_webhook_of_number(phone_number_id, display=display, now=now)


def _record_webhook_of_number(phone_number_id: str, *, display: str, now: datetime) -> None:
    _ensure_business_number(phone_number_id)
    changes = {"display_phone_number": display[:32]} if display else {}
    BusinessNumber.objects.filter(phone_number_id=phone_number_id).update(
        last_webhook_at=now, **changes
    )
    ours = config.get_settings().phone_number_ids
    if ours and phone_number_id not in ours:
        alarms.sound_alarm(
            f"unknown_number:{phone_number_id}",
            title="Messages arrive for a business number that is not configured",
            detail="They are kept. Add the id to META_PHONE_NUMBER_ID, or unsubscribe the app "
            "from that account.",
            phone_number_id=phone_number_id,
            now=now,
        )


def pause_sending(phone_number_id: str, *, code: int | None, reason: str, now: datetime) -> None:
    """Stop sending from a number but for one try a minute, and sound an alarm that says why."""
    _ensure_business_number(phone_number_id)
    number = BusinessNumber.objects.filter(phone_number_id=phone_number_id)
    number.filter(paused_at=None).update(paused_at=now)
    number.update(
        pause_code=code, pause_reason=reason[:_REASON_LENGTH], probe_at=now + PROBE_INTERVAL
    )
    alarms.sound_alarm(
        _build_paused_alarm_key(phone_number_id),
        title="Sending is paused",
        detail=f"{reason} One message a minute tries whether it is over.",
        phone_number_id=phone_number_id,
        now=now,
    )


def slow_down_sending(
    phone_number_id: str, *, now: datetime, jitter: float, least: timedelta = _SLOW_DOWN_BASE
) -> int:
    """Send nothing from a number for a while, longer with each time in a row.

    What was under way together and failed together counts once.

    Args:
        phone_number_id: the business number.
        now: when the refusal came.
        jitter: a die between 0 and 1.
        least: the shortest wait.

    Returns:
        How often in a row it has been slowed down.

    """
    _ensure_business_number(phone_number_id)
    number = BusinessNumber.objects.filter(phone_number_id=phone_number_id)
    due = number.filter(Q(send_after=None) | Q(send_after__lte=now))
    if due.update(throttle_hits=F("throttle_hits") + 1, send_after=now + _SLOW_DOWN_BASE):
        hits = number.values_list("throttle_hits", flat=True).get()
        wait = max(
            least, retry.compute_exponential_wait(hits, base=_SLOW_DOWN_BASE, cap=_SLOW_DOWN_CAP)
        )
        number.update(send_after=now + retry.add_jitter(wait, jitter=jitter))
    return number.values_list("throttle_hits", flat=True).get()


def resume_sending(phone_number_id: str, *, now: datetime) -> None:
    """End a pause or a slow-down, since a message went through; its alarms are resolved."""
    BusinessNumber.objects.filter(phone_number_id=phone_number_id).update(
        paused_at=None,
        pause_code=None,
        pause_reason="",
        probe_at=None,
        send_after=None,
        throttle_hits=0,
    )
    for key in (
        _build_paused_alarm_key(phone_number_id),
        build_refused_alarm_key(phone_number_id),
        build_unreachable_alarm_key(phone_number_id),
    ):
        alarms.resolve_alarm(key, by="a message went through", now=now)


def is_probe_due(number: BusinessNumber, *, now: datetime) -> bool:
    """Whether a paused number has not had its one try in the last minute."""
    return number.probe_at is None or number.probe_at <= now


def claim_probe(phone_number_id: str, *, now: datetime) -> bool:
    """Take this minute's one try of a paused number; of several gateways one gets it."""
    due = BusinessNumber.objects.filter(
        Q(probe_at=None) | Q(probe_at__lte=now),
        phone_number_id=phone_number_id,
        paused_at__isnull=False,
    )
    return bool(due.update(probe_at=now + PROBE_INTERVAL))


def try_sending_now(phone_number_id: str, *, now: datetime) -> None:
    """Let a paused or slowed number try its next message at once, without waiting for its turn.

    It stays paused until a message goes through.

    Raises:
        NumberSends: it is neither paused nor slowed down.

    """
    number = BusinessNumber.objects.filter(phone_number_id=phone_number_id)
    troubled = number.filter(Q(paused_at__isnull=False) | Q(send_after__gt=now))
    # The slow-down ends now and not without a trace: a success must still clear its count.
    tried = troubled.update(
        probe_at=Case(When(paused_at__isnull=False, then=Value(now))),
        send_after=Case(When(send_after__isnull=False, then=Value(now))),
    )
    if not tried:
        raise BusinessNumberSends


def build_refused_alarm_key(phone_number_id: str) -> str:
    """Name the alarm "Meta refuses messages for now" of a number."""
    return f"refused:{phone_number_id}"


def build_unreachable_alarm_key(phone_number_id: str) -> str:
    """Name the alarm "Meta cannot be reached" of a number."""
    return f"unreachable:{phone_number_id}"


def list_phone_number_ids(*, display_number: str) -> list[str]:
    """Find the numbers an account notice speaks of: the one it names, else all we know."""
    numbers = BusinessNumber.objects.order_by("phone_number_id")
    named = (
        numbers.filter(display_phone_number=display_number) if display_number else numbers.none()
    )
    return list((named if named.exists() else numbers).values_list("phone_number_id", flat=True))


def _ensure_business_number(phone_number_id: str) -> None:
    BusinessNumber.objects.bulk_create(
        [BusinessNumber(phone_number_id=phone_number_id)],
        update_conflicts=True,
        unique_fields=["phone_number_id"],
        update_fields=["phone_number_id"],
    )


def _build_paused_alarm_key(phone_number_id: str) -> str:
    return f"paused:{phone_number_id}"
