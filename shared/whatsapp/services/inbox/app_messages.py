"""Messages that the seller writes in the WhatsApp Business app, beside this program (coexistence).

Meta sends an echo of each. It is shown in the chat as a message of ours, and pauses the bot like a
message from the back office. It is never answered, opens no 24 h window, and is not counted among
the messages of the month, because Meta does not charge for it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import IntegrityError

from shared.core import config
from shared.core.enums import OutboxKind, OutboxStatus, PauseReason
from shared.whatsapp.content import ContentKind, parse_content
from shared.whatsapp.models import OutboundMessage
from shared.whatsapp.services import business_numbers, handover
from shared.whatsapp.services.inbox import contacts
from shared.whatsapp.services.inbox.contact_matching import Sender
from shared.whatsapp.webhook_items import EchoItem

APP_KEY: Final = "app"
"""Key in the outbox of what the seller wrote in the WhatsApp Business app."""
APP_AUTHOR: Final = "WhatsApp Business app"

_NO_MESSAGES: Final = frozenset({ContentKind.REACTION, ContentKind.EDIT, ContentKind.REVOKE})
"""Kinds that are about an earlier message and say nothing to the buyer."""


def store_echoes(echoes: Sequence[EchoItem], *, now: datetime) -> None:
    """Store what the seller wrote, each once, and pause the bot for its buyers.

    Runs before anything else of a batch, because it waits for the contacts' locks. Somebody to whom
    the seller writes first becomes a contact: their answer is for the seller, not for the bot.

    Args:
        echoes: the messages; those of other business numbers are left out.
        now: the current time.

    Raises:
        IntegrityError: another process created the same contact first, or erased it; repeat the
            transaction.

    """
    ours = [
        echo
        for echo in echoes
        if business_numbers.is_ours(echo.phone_number_id)
        and parse_content(echo.payload).kind not in _NO_MESSAGES
    ]
    if not ours:
        return
    found = contacts.find_or_create_contacts([_build_addressee(echo) for echo in ours], now=now)
    by_contact: dict[int, list[EchoItem]] = {}
    for contact_id, echo in zip(found, ours, strict=True):
        if contact_id is not None:
            by_contact.setdefault(contact_id, []).append(echo)
    for contact_id, written in sorted(by_contact.items()):
        _store_for_contact(contact_id, written, now=now)


def _build_addressee(echo: EchoItem) -> Sender:
    return Sender(
        phone_number_id=echo.phone_number_id,
        user_id=echo.user_id,
        wa_id=echo.wa_id,
        parent_user_id=echo.parent_user_id,
        profile_name=echo.profile_name,
    )


def _store_for_contact(contact_id: int, echoes: Sequence[EchoItem], *, now: datetime) -> None:
    contact = contacts.lock_contact(contact_id)
    if contact.erased_at is not None:
        raise IntegrityError(f"contact {contact_id} was erased meanwhile")
    stored = OutboundMessage.objects.filter(
        contact=contact, wa_message_id__in=[echo.wa_message_id for echo in echoes]
    )
    known = set(stored.values_list("wa_message_id", flat=True))
    hours = config.get_settings().person_pause_hours
    new = [echo for echo in echoes if echo.wa_message_id not in known]
    for echo in new:
        written_at = min(echo.sent_at or now, now)
        OutboundMessage.objects.create(
            phone_number_id=echo.phone_number_id,
            contact=contact,
            kind=OutboxKind.REPLY,
            key=APP_KEY,
            payload=echo.payload,
            status=OutboxStatus.SENT,
            wa_message_id=echo.wa_message_id,
            written_by=APP_AUTHOR,
            created_at=written_at,
        )
        handover.note_answer(
            contact,
            now=written_at,
            hours=hours,
            reason=PauseReason.WROTE_IN_APP,
            by=APP_AUTHOR,
        )
    if new:
        handover.save_handover(contact)
