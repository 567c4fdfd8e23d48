"""Sentences for staff on whether the bot answers a buyer, and why not."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from django.conf import settings

from backoffice.ui import display
from shared.core.enums import PauseReason
from shared.whatsapp.models import WhatsAppContact
from shared.whatsapp.services import handover
from shared.whatsapp.services.inbox.app_messages import APP_AUTHOR


@dataclass(frozen=True, slots=True)
class BotState:
    """Whether the bot answers a buyer.

    Attributes:
        sentence: that as a sentence, with the reason.
        waits: whether the buyer waits for a person.
        paused: whether the bot is quiet.
        stopped: what STOP means for this buyer; empty if they did not write it.

    """

    sentence: str
    waits: bool
    paused: bool
    stopped: str


def describe_bot_state(contact: WhatsAppContact, *, now: datetime) -> BotState:
    """Return whether the bot answers a buyer."""
    paused = handover.is_paused(contact, now=now)
    waits_since = contact.wants_person_at
    return BotState(
        sentence=_build_sentence(contact, paused=paused, now=now),
        waits=waits_since is not None,
        paused=paused,
        stopped=""
        if contact.stopped_at is None
        else f"They wrote STOP on {display.format_time(contact.stopped_at)}. They get answers to "
        "what they write, and nothing else; news waits until then. START ends it.",
    )


def _build_sentence(contact: WhatsAppContact, *, paused: bool, now: datetime) -> str:
    if not paused or contact.bot_paused_until is None:
        if contact.wants_person_at is None:
            return "The bot answers."
        waits = display.format_time_since(contact.wants_person_at, now=now)
        return f"They have waited for a person for {waits}. The bot answers their words again."
    until = _format_moment(contact.bot_paused_until, now=now)
    reason = _describe_reason(contact, now=now)
    quiet = f"The bot is quiet until {until}, because {reason}."
    cause = handover.get_pause_cause(contact)
    asked = cause is not None and cause.reason is PauseReason.ASKED
    if contact.wants_person_at is None or asked:
        return quiet
    since = _format_moment(contact.wants_person_at, now=now)
    return f"{quiet} They have waited for an answer since {since}."


def _describe_reason(contact: WhatsAppContact, *, now: datetime) -> str:
    cause = handover.get_pause_cause(contact)
    if cause is None:
        return "a person took the chat over"
    at = _format_moment(cause.at, now=now)
    match cause.reason:
        case PauseReason.ASKED:
            return f"they asked for a person at {at}"
        case PauseReason.QUIETED:
            return f"{cause.by} quieted it at {at}"
        case PauseReason.WROTE:
            return f"{cause.by} wrote to them at {at}"
        case PauseReason.WROTE_IN_APP:
            return f"you wrote to them in the {APP_AUTHOR} at {at}"
        case _:
            assert_never(cause.reason)


def _format_moment(at: datetime, *, now: datetime) -> str:
    """Return "15:42" on the same day, else day and time."""
    zone = ZoneInfo(settings.TIME_ZONE)
    local = at.astimezone(zone)
    if local.date() == now.astimezone(zone).date():
        return f"{local:%H:%M}"
    return display.format_time(at)
