"""Use cases of a chat with a person: write to the buyer, pause the bot, let it answer again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from shared.core import config, logs
from shared.core.enums import OutboxKind, PauseReason
from shared.core.errors import DomainError
from shared.raffles.actor import Actor
from shared.use_cases.errors import (
    BusinessNumberNotOurs,
    BuyerErased,
    ContactBlocked,
    ContactJoined,
    MessageTextMissing,
    MessageTextTooLong,
    ServiceWindowClosed,
)
from shared.whatsapp import messages, window
from shared.whatsapp.models import OutboundMessage, WhatsAppContact
from shared.whatsapp.services import business_numbers, handover
from shared.whatsapp.services.inbox import contacts
from shared.whatsapp.services.outbox import outbox_queue

_log = logs.get_logger(__name__)

STAFF_KEY: Final = "staff"
"""Key in the outbox of what a person wrote in the back office; `written_by` says who."""

_NAME_LENGTH: Final = 150


@dataclass(frozen=True, slots=True)
class StaffMessage:
    """A message that a person wrote; `repeated`: its form had been sent before."""

    message: OutboundMessage
    repeated: bool


@transaction.atomic(durable=True)
def send_staff_message(
    contact_id: int, *, text: str, by: Actor, now: datetime, request_key: UUID | None = None
) -> StaffMessage:
    """Queue a message that a person wrote to a buyer; the bot is paused, and they are answered.

    It is sent after what is queued before it. A buyer who wrote STOP gets it, too: they wrote, and
    a person answers. If the 24 h window closes before it is sent, it becomes STALE.

    Args:
        contact_id: the buyer.
        text: what they read, with WhatsApp's *bold*; white space around it is dropped.
        by: the author.
        now: the current time.
        request_key: the unique key of the form; the same text with the same key again returns the
            first message.

    Raises:
        MessageTextMissing: there is no visible character.
        MessageTextTooLong: it is longer than WhatsApp allows; details `limit` and `length`.
        ContactJoined: the contact was joined into another one; detail `contact_id`.
        BuyerErased: the personal data of the buyer was erased.
        BusinessNumberNotOurs: they belong to a business number that is not in the settings; detail
            `phone_number_id`.
        ContactBlocked: the buyer is blocked.
        ServiceWindowClosed: the buyer's last message is too old; detail `last_inbound_at`.
        WhatsAppContact.DoesNotExist: there is no such contact.

    """
    body = _require_text(text)
    contact = _lock_contact(contact_id)
    payload = messages.build_text(body)
    first = None if request_key is None else _find_first(request_key)
    if first is not None and first.payload == payload:
        return StaffMessage(first, repeated=True)
    refusal = find_staff_message_refusal(contact, now=now)
    if refusal is not None:
        raise refusal
    message = outbox_queue.enqueue_message(
        contact,
        payload,
        key=STAFF_KEY,
        kind=OutboxKind.REPLY,
        now=now,
        written_by=by.label[:_NAME_LENGTH],
        callback_data=request_key if first is None else None,
    )
    handover.note_answer(
        contact,
        now=now,
        hours=config.get_settings().person_pause_hours,
        reason=PauseReason.WROTE,
        by=by.label[:_NAME_LENGTH],
    )
    contact.wants_person_at = None  # whatever the clock of the gateway says
    handover.save_handover(contact)
    _log.info("staff_message_queued", contact_id=contact.pk, outbound_id=message.pk, by=by.kind)
    return StaffMessage(message, repeated=False)


def _find_first(request_key: UUID) -> OutboundMessage | None:
    return OutboundMessage.objects.filter(callback_data=request_key).first()


def find_staff_message_refusal(contact: WhatsAppContact, *, now: datetime) -> DomainError | None:
    """Return why nobody can write to a buyer now, or None while a person can."""
    if contact.joined_into_id is not None:
        return ContactJoined(contact_id=contact.joined_into_id)
    if contact.erased_at is not None:
        return BuyerErased()
    if not business_numbers.is_ours(contact.phone_number_id):
        return BusinessNumberNotOurs(phone_number_id=contact.phone_number_id)
    if contact.is_blocked:
        return ContactBlocked()
    if not window.is_window_open(contact.last_inbound_at, now=now):
        return ServiceWindowClosed(last_inbound_at=contact.last_inbound_at)
    return None


@transaction.atomic(durable=True)
def pause(contact_id: int, *, by: Actor, now: datetime) -> WhatsAppContact:
    """Pause the bot for a buyer, because a person takes the chat over.

    Args:
        contact_id: the buyer.
        by: the author.
        now: the current time.

    Returns:
        The contact. If the bot was paused, it is for the full time again.

    Raises:
        ContactJoined, BuyerErased, WhatsAppContact.DoesNotExist: as in `send_staff_message`.

    """
    contact = _lock_contact(contact_id)
    hours = config.get_settings().person_pause_hours
    handover.pause_bot(
        contact, now=now, hours=hours, reason=PauseReason.QUIETED, by=by.label[:_NAME_LENGTH]
    )
    handover.save_handover(contact)
    _log.info("bot_paused", contact_id=contact.pk, by=by.kind)
    return contact


@transaction.atomic(durable=True)
def resume(contact_id: int, *, by: Actor, now: datetime) -> WhatsAppContact:
    """Let the bot answer a buyer again, who is not listed as waiting for a person any more.

    Nothing is sent: the bot answers their next message.

    Args:
        contact_id: the buyer.
        by: the author.
        now: the current time.

    Returns:
        The contact. If the bot was not paused and the buyer did not wait, nothing changed.

    Raises:
        ContactJoined, BuyerErased, WhatsAppContact.DoesNotExist: as in `send_staff_message`.

    """
    contact = _lock_contact(contact_id)
    if handover.resume_bot(contact, now=now):
        handover.save_handover(contact)
        _log.info("bot_resumed", contact_id=contact.pk, by=by.kind)
    return contact


def _lock_contact(contact_id: int) -> WhatsAppContact:
    contact = contacts.lock_contact(contact_id)
    if contact.pk != contact_id:
        raise ContactJoined(contact_id=contact.pk)
    if contact.erased_at is not None:
        raise BuyerErased
    return contact


def _require_text(text: str) -> str:
    body = text.strip()
    if messages.is_blank(body):
        raise MessageTextMissing
    length = messages.measure_length(body)
    if length > messages.TEXT_LIMIT:
        raise MessageTextTooLong(limit=messages.TEXT_LIMIT, length=length)
    return body
