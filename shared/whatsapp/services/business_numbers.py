"""Business numbers: last webhook, slow-downs, pauses, and resuming after them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from django.db.models import Case, F, Q, Value, When

from shared.core import config, retry
from shared.core.statements.compiled_queries import CompiledQuery, IsIn
from shared.whatsapp.errors import BusinessNumberSends
from shared.whatsapp.models import BusinessNumber
from shared.whatsapp.services import alarms

PROBE_INTERVAL: Final = timedelta(minutes=1)
"""While a number is paused, one message per interval tests whether it works again."""

_RECORD_INTERVAL: Final = timedelta(minutes=1)
_SLOW_DOWN_BASE: Final = timedelta(seconds=1)
_SLOW_DOWN_CAP: Final = timedelta(minutes=5)
_REASON_LENGTH: Final = 300

_LAST_WEBHOOKS: Final = CompiledQuery(
    lambda: (
        BusinessNumber.objects.filter(IsIn("phone_number_id", "numbers"))
        .order_by()
        .values_list("phone_number_id", "last_webhook_at")
    )
)


def is_ours(phone_number_id: str) -> bool:
    """Return whether a business number is one of `META_PHONE_NUMBER_ID`, which are answered.

    A process that was started without that setting takes every number for ours.
    """
    ours = config.get_settings().phone_number_ids
    return not ours or phone_number_id in ours


def record_webhook(
    display_numbers: Mapping[str, str],
    *,
    now: datetime,
    waba_ids: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Store the business numbers of a webhook with the time of its arrival, to the minute.

    A number that is not in the settings sounds an alarm.

    Args:
        display_numbers: the number as people dial it, which may be empty, by `phone_number_id`.
        now: the time of arrival.
        waba_ids: the WhatsApp Business Account, by `phone_number_id`.

    """
    known = dict(_LAST_WEBHOOKS.fetch(numbers=display_numbers))
    for phone_number_id, display in sorted(display_numbers.items()):
        last = known.get(phone_number_id)
        if last is None or now - last >= _RECORD_INTERVAL:
            named = {"display_phone_number": display[:32], "waba_id": waba_ids.get(phone_number_id)}
            _record_webhook_of_number(
                phone_number_id, {name: value for name, value in named.items() if value}, now=now
            )


def _record_webhook_of_number(
    phone_number_id: str, changes: Mapping[str, str], *, now: datetime
) -> None:
    _ensure_business_number(phone_number_id)
    BusinessNumber.objects.filter(phone_number_id=phone_number_id).update(
        last_webhook_at=now, **changes
    )
    if not is_ours(phone_number_id):
        alarms.sound_alarm(
            f"unknown_number:{phone_number_id}",
            title="Messages arrive for a business number that is not configured",
            detail="They are kept among the messages in and are not answered. Add the id to "
            "META_PHONE_NUMBER_ID, or unsubscribe the app from that account.",
            phone_number_id=phone_number_id,
            now=now,
        )


def pause_sending(phone_number_id: str, *, code: int | None, reason: str, now: datetime) -> None:
    """Pause sending from a number except for one test per minute, and sound an alarm.

    Args:
        phone_number_id: the business number.
        code: the Graph error code, if there was one.
        reason: the reason in words.
        now: the current time.

    """
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
    """Delay all messages from a number, longer with each failure in a row.

    Messages that were sent together and failed together count once.

    Args:
        phone_number_id: the business number.
        now: the time of the failure.
        jitter: a random number between 0 and 1.
        least: the shortest wait.

    Returns:
        The number of slow-downs in a row.

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
    """End a pause or slow-down after a message went through, and resolve its alarms."""
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
    """Return whether a paused number may test one message now."""
    return number.probe_at is None or number.probe_at <= now


def claim_probe(phone_number_id: str, *, now: datetime) -> bool:
    """Claim this minute's test of a paused number; return whether this gateway got it."""
    due = BusinessNumber.objects.filter(
        Q(probe_at=None) | Q(probe_at__lte=now),
        phone_number_id=phone_number_id,
        paused_at__isnull=False,
    )
    return bool(due.update(probe_at=now + PROBE_INTERVAL))


def try_sending_now(phone_number_id: str, *, now: datetime) -> None:
    """Make the next message of a paused or slowed number due at once.

    A paused number stays paused until a message goes through.

    Raises:
        BusinessNumberSends: it is neither paused nor slowed down.

    """
    number = BusinessNumber.objects.filter(phone_number_id=phone_number_id)
    held_up = number.filter(Q(paused_at__isnull=False) | Q(send_after__gt=now))
    # The slow-down ends now, but is not deleted: a success must still reset its count.
    changed = held_up.update(
        probe_at=Case(When(paused_at__isnull=False, then=Value(now))),
        send_after=Case(When(send_after__isnull=False, then=Value(now))),
    )
    if not changed:
        raise BusinessNumberSends


def build_refused_alarm_key(phone_number_id: str) -> str:
    """Return the key of the alarm "Meta refuses messages for now" of a number."""
    return f"refused:{phone_number_id}"


def build_unreachable_alarm_key(phone_number_id: str) -> str:
    """Return the key of the alarm "Meta cannot be reached" of a number."""
    return f"unreachable:{phone_number_id}"


def build_silent_alarm_key(phone_number_id: str) -> str:
    """Return the key of the alarm "no webhook arrives" of a number."""
    return f"silent:{phone_number_id}"


def list_phone_number_ids(*, waba_id: str, display_number: str = "") -> list[str]:
    """Return the ids of our numbers that a notice of an account is about.

    Args:
        waba_id: the WhatsApp Business Account of the notice. A number belongs to the account that
            its webhooks name; before the first one, to `META_WABA_ID`, if that is set.
        display_number: the one number it is about, in any notation; empty for all of the account.

    """
    expected = config.get_settings().meta_waba_id
    digits = _extract_digits(display_number)
    return [
        number.phone_number_id
        for number in BusinessNumber.objects.order_by("phone_number_id")
        if is_ours(number.phone_number_id)
        and (not waba_id or (number.waba_id or expected) in {"", waba_id})
        and digits in {"", _extract_digits(number.display_phone_number)}
    ]


def list_accounts() -> set[str]:
    """Return the WhatsApp Business Accounts of our numbers, as far as they are known."""
    numbers = BusinessNumber.objects.values_list("phone_number_id", "waba_id")
    known = {waba_id for phone_number_id, waba_id in numbers if is_ours(phone_number_id)}
    return (known | {config.get_settings().meta_waba_id}) - {""}


def _extract_digits(display_number: str) -> str:
    return "".join(filter(str.isdecimal, display_number))


def _ensure_business_number(phone_number_id: str) -> None:
    BusinessNumber.objects.bulk_create(
        [BusinessNumber(phone_number_id=phone_number_id)],
        update_conflicts=True,
        unique_fields=["phone_number_id"],
        update_fields=["phone_number_id"],
    )


def _build_paused_alarm_key(phone_number_id: str) -> str:
    return f"paused:{phone_number_id}"
