"""Sentences for staff on whether the bot answers a buyer, and why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from backoffice.messaging.chat_view import ChatBubble
from backoffice.ui import display
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


def describe_bot_state(
    contact: WhatsAppContact, *, bubbles: Sequence[ChatBubble], now: datetime
) -> BotState:
    """Return whether the bot answers a buyer.

    Args:
        contact: the buyer.
        bubbles: the latest messages of the chat, oldest first; a person who wrote is named.
        now: the current time.

    """
    paused = handover.is_paused(contact, now=now)
    waits_since = contact.wants_person_at
    return BotState(
        sentence=_build_sentence(contact, bubbles=bubbles, paused=paused, now=now),
        waits=waits_since is not None,
        paused=paused,
        stopped=""
        if contact.stopped_at is None
        else f"They wrote STOP on {display.format_time(contact.stopped_at)}. They get answers to "
        "what they write, and nothing else; news waits until then. START ends it.",
    )


def _build_sentence(
    contact: WhatsAppContact, *, bubbles: Sequence[ChatBubble], paused: bool, now: datetime
) -> str:
    if not paused or contact.bot_paused_until is None:
        if contact.wants_person_at is None:
            return "The bot answers."
        waits = display.format_time_since(contact.wants_person_at, now=now)
        return f"They have waited for a person for {waits}. The bot answers their words again."
    until = _format_moment(contact.bot_paused_until, now=now)
    reason = _describe_reason(contact, bubbles=bubbles, now=now)
    return f"The bot is quiet until {until}, because {reason}."


def _describe_reason(
    contact: WhatsAppContact, *, bubbles: Sequence[ChatBubble], now: datetime
) -> str:
    if contact.wants_person_at is not None:
        at = _format_moment(contact.wants_person_at, now=now)
        return f"they asked for a person at {at}"
    written = [bubble for bubble in bubbles if bubble.person]
    if written:
        by, at = written[-1].author, _format_moment(written[-1].at, now=now)
        if by == APP_AUTHOR:
            return f"somebody wrote to them in the {by} at {at}"
        return f"{by} wrote to them at {at}"
    return "a person took the chat over"


def _format_moment(at: datetime, *, now: datetime) -> str:
    """Return "15:42" on the same day, else day and time."""
    zone = ZoneInfo(settings.TIME_ZONE)
    local = at.astimezone(zone)
    if local.date() == now.astimezone(zone).date():
        return f"{local:%H:%M}"
    return display.format_time(at)
