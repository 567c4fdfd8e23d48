"""Sending state of business numbers, and the context of their pages."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest

from backoffice.messaging.channel_actions import TRY_NUMBER_PERMISSION
from backoffice.ui import display
from shared.core import config
from shared.whatsapp import predicates
from shared.whatsapp.models import BusinessNumber, OutboundMessage
from shared.whatsapp.services.business_numbers import is_ours


@dataclass(frozen=True, slots=True)
class BusinessNumberDetailPage:
    """Context of a business number's page.

    Attributes:
        state: "Sending", "Slowed down", "Paused" or "Not answered".
        style: Bootstrap's style of the state.
        why: reason of the state; empty while the number sends.
        since: when it was paused; empty if it is not.
        next_try: when the next message is tried; empty while the number sends.
        heard: time of the last webhook and its age.
        quiet: whether the last webhook is too long ago; see `is_quiet`.
        waiting: number of messages that wait to be sent.
        may_try: whether the number is not sending freely and the user may retry it at once.

    """

    state: str
    style: str
    why: str
    since: str
    next_try: str
    heard: str
    quiet: bool
    waiting: int
    may_try: bool


def load_business_number_page(
    number: BusinessNumber, *, request: HttpRequest, now: datetime
) -> BusinessNumberDetailPage:
    """Return the context of a business number's page, with one query for the waiting messages."""
    state, style = describe_sending_state(number, now=now)
    held_back = is_slowed_down(number, now=now) or number.paused_at is not None
    waiting = OutboundMessage.objects.filter(
        predicates.QUEUED_OUTBOUND, phone_number_id=number.phone_number_id
    )
    heard = number.last_webhook_at
    return BusinessNumberDetailPage(
        state=state,
        style=style,
        why=explain_sending_state(number, now=now),
        since=display.format_time(number.paused_at) if number.paused_at else "",
        next_try=_describe_next_try(number, now=now) if held_back else "",
        heard=f"{display.format_time(heard)} ({display.format_time_since(heard, now=now)} ago)"
        if heard
        else "never",
        quiet=is_quiet(number, now=now),
        waiting=waiting.count(),
        may_try=held_back and request.user.has_perm(TRY_NUMBER_PERMISSION),
    )


def is_quiet(number: BusinessNumber, *, now: datetime) -> bool:
    """Return whether no webhook came so far, or none for `WEBHOOK_SILENCE_HOURS`."""
    limit = config.get_settings().webhook_silence_limit
    heard = number.last_webhook_at
    return heard is None or (limit is not None and now - heard > limit)


def is_slowed_down(number: BusinessNumber, *, now: datetime) -> bool:
    """Return whether Meta asked the number to wait and that time is not over."""
    return number.send_after is not None and number.send_after > now


def describe_sending_state(number: BusinessNumber, *, now: datetime) -> tuple[str, str]:
    """Return the state of a number and Bootstrap's style for it."""
    if not is_ours(number.phone_number_id):
        return "Not answered", "secondary"
    if number.paused_at is not None:
        return "Paused", "danger"
    return ("Slowed down", "warning") if is_slowed_down(number, now=now) else ("Sending", "success")


def explain_sending_state(number: BusinessNumber, *, now: datetime) -> str:
    """Return why a number is slowed down, paused or not answered; empty while it sends."""
    if not is_ours(number.phone_number_id):
        return (
            "It is not in META_PHONE_NUMBER_ID: what comes for it is kept among the messages in, "
            "and nobody is answered."
        )
    if number.paused_at is not None:
        code = "" if number.pause_code is None else f"Meta's code {number.pause_code}: "
        return f"{code}{number.pause_reason or 'no reason was given'}"
    if is_slowed_down(number, now=now):
        return "Meta asked for fewer messages, or could not be reached; they wait in order."
    return ""


def _describe_next_try(number: BusinessNumber, *, now: datetime) -> str:
    due = max((at for at in (number.probe_at, number.send_after) if at), default=now)
    if due <= now:
        return "with the next waiting message"
    seconds = int((due - now).total_seconds())
    if seconds < 120:  # noqa: PLR2004 - two minutes
        return f"in {seconds} seconds"
    return f"in {display.format_time_since(now, now=due)}"
