"""The handover of a chat from the bot to a person, and back.

While the bot is paused it does not answer a buyer's words; `conversation.flow.handover` says what
it still does. The pause ends by itself, so that nobody is left without any answer. Who waits for a
person goes on waiting until one answers, even if the pause is over.

The functions change a contact that the caller has locked; `save_handover` writes the changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

from shared.core.enums import OutboxStatus, PauseReason
from shared.whatsapp.models import WhatsAppContact

HANDOVER_FIELDS: Final = (
    "wants_person_at",
    "bot_paused_until",
    "pause_cause",
    "stopped_at",
    "started_at",
)
"""The columns of a contact that handovers and STOP change."""


@dataclass(frozen=True, slots=True)
class PauseCause:
    """The cause of a pause: the reason, the person who wrote or quieted the bot, and the time."""

    reason: PauseReason
    by: str
    at: datetime


def get_pause_cause(contact: WhatsAppContact) -> PauseCause | None:
    """Return why the bot is paused; None for a pause of an earlier version."""
    cause: Mapping[str, str] = contact.pause_cause or {}
    if cause.get("reason") not in set(PauseReason):
        return None
    at = datetime.fromisoformat(cause["at"])
    return PauseCause(PauseReason(cause["reason"]), cause["by"], at)


def is_paused(contact: WhatsAppContact, *, now: datetime) -> bool:
    """Return whether the bot is silent to the buyer's words at a time."""
    return contact.bot_paused_until is not None and now < contact.bot_paused_until


def pause_bot(
    contact: WhatsAppContact, *, now: datetime, hours: int, reason: PauseReason, by: str = ""
) -> None:
    """Pause the bot, never for a shorter time than it is already paused for.

    The cause of the pause that lasts longest is kept; of two that end together, the later one's.

    Args:
        contact: the buyer, locked.
        now: the time from which the pause counts.
        hours: the length of the pause.
        reason: why the bot is paused.
        by: the person who wrote or quieted it.

    """
    until = now + timedelta(hours=hours)
    if contact.bot_paused_until is None or contact.bot_paused_until <= until:
        contact.bot_paused_until = until
        contact.pause_cause = {"reason": reason.value, "by": by, "at": now.isoformat()}


def wait_for_person(contact: WhatsAppContact, *, since: datetime) -> None:
    """List a buyer as waiting for a person, unless they wait already or were answered since.

    Args:
        contact: the buyer, locked.
        since: when they wrote what a person is to answer.

    """
    if contact.wants_person_at is None and not _was_answered(contact, since=since):
        contact.wants_person_at = since


def _was_answered(contact: WhatsAppContact, *, since: datetime) -> bool:
    """Return whether a person wrote after a message of the buyer, and Meta did not refuse it.

    Buyers' messages and those from the WhatsApp Business app have whole seconds. In the same
    second, what the seller wrote in the app is taken for an answer.
    """
    by_people = contact.outbound_messages.filter(written_by__isnull=False)
    later = by_people.filter(Q(created_at=since) | Q(created_at__gte=since + timedelta(seconds=1)))
    return later.exclude(status__in=(OutboxStatus.FAILED, OutboxStatus.STALE)).exists()


def note_answer(
    contact: WhatsAppContact, *, now: datetime, hours: int, reason: PauseReason, by: str
) -> None:
    """Note that a person wrote to the buyer: they do not wait any more, and the bot is paused.

    Args:
        contact: the buyer, locked.
        now: the time of the answer.
        hours: the length of the pause.
        reason: where they wrote.
        by: the person.

    """
    pause_bot(contact, now=now, hours=hours, reason=reason, by=by)
    if contact.wants_person_at is not None and contact.wants_person_at <= now:
        contact.wants_person_at = None


def resume_bot(contact: WhatsAppContact, *, now: datetime) -> bool:
    """Let the bot answer again; the buyer does not wait for a person any more.

    Returns:
        Whether the bot was paused or the buyer waited.

    """
    was_handed_over = is_paused(contact, now=now) or contact.wants_person_at is not None
    contact.wants_person_at = contact.bot_paused_until = contact.pause_cause = None
    return was_handed_over


def save_handover(contact: WhatsAppContact) -> None:
    """Write what these functions and those of `opt_out` changed."""
    contact.save(update_fields=list(HANDOVER_FIELDS))
