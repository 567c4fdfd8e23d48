"""Builders of queued messages for the tests of the outbox."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final
from uuid import UUID, uuid4

from django.db import transaction

from shared.core.enums import OutboxKind
from shared.whatsapp import messages
from shared.whatsapp.models import OutboundMessage, WhatsAppContact
from shared.whatsapp.services.inbox import contacts
from shared.whatsapp.services.outbox import message_claims, outbox_queue, send_marks
from shared.whatsapp.services.outbox.message_claims import ClaimedMessage
from shared.whatsapp.services.outbox.send_marks import SentMessage
from tests.builders import NOON

LEASE_FOR: Final = timedelta(seconds=60)

_serial = count(1)


def queue_message(
    contact: WhatsAppContact, *, kind: OutboxKind = OutboxKind.REPLY, **fields: Any
) -> OutboundMessage:
    """Queue a message to a buyer and set these fields afterwards."""
    with transaction.atomic():
        message = outbox_queue.enqueue_message(
            contacts.lock_contact(contact.pk),
            messages.build_text(f"message {next(_serial)}"),
            key="test",
            kind=kind,
            now=NOON,
        )
    if fields:
        OutboundMessage.objects.filter(pk=message.pk).update(**fields)
        message.refresh_from_db()
    return message


def claim_messages(
    *,
    now: datetime = NOON,
    limit: int = 10,
    lease: UUID | None = None,
    skip_contacts: Collection[int] = (),
) -> list[ClaimedMessage]:
    """Claim messages and begin to send them, as a gateway does."""
    claimed = message_claims.claim_messages(
        now=now, lease=lease or uuid4(), limit=limit, skip_contacts=skip_contacts
    )
    started = start_sends(claimed.messages, now=now)
    return [message for message in claimed.messages if message.id in started]


def start_sends(messages: Sequence[ClaimedMessage], *, now: datetime = NOON) -> Collection[int]:
    """Begin to send claimed messages; return the ids of those that may be sent."""
    return send_marks.write_marks(now=now, lease_for=LEASE_FOR, starting=messages)


def record_sent(claimed: ClaimedMessage, *, wa_message_id: str, now: datetime) -> None:
    """Record that Meta accepted a message."""
    sent = [SentMessage(claimed, wa_message_id)]
    send_marks.write_marks(now=now, lease_for=LEASE_FOR, sent=sent)


def claim_message(*, now: datetime = NOON) -> ClaimedMessage:
    """Claim the only message that is due."""
    [claimed] = claim_messages(now=now)
    return claimed


def list_ids(claimed: Collection[ClaimedMessage]) -> list[int]:
    """Return the ids of claimed messages."""
    return [one.id for one in claimed]
