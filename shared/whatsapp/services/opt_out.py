"""STOP and START: whether a buyer gets messages that they did not ask for.

A buyer who wrote STOP gets no message of our own accord: notices about their orders and about draws
are WITHHELD, exactly as outside the 24 h window, and are sent before the answer to what they write
next. So nothing about their money is lost, and nobody has to write START to buy: whatever they
write is answered as usual, because an answer is asked for. A new STOP is needed for nothing and
START ends it. A message that a person writes by hand is an answer, too, and is sent.

This is how Meta wants an opt-out respected ("WhatsApp Business Messaging Policy": respect all
requests to block, discontinue or otherwise opt out) and what Twilio does after STOP and START,
except that Twilio also blocks answers to what the person writes.
"""

from datetime import datetime

from django.db.models import Q

from shared.core.enums import OutboxKind, OutboxStatus
from shared.whatsapp.models import WhatsAppContact


def stop(contact: WhatsAppContact, *, at: datetime, now: datetime) -> bool:
    """Stop messages of our own accord to a buyer, also those that are queued.

    Notices that a gateway has already reserved leave within seconds.

    Args:
        contact: the buyer, locked; the caller saves it.
        at: when the buyer said so, at most now.
        now: the current time.

    Returns:
        Whether it changed anything: False if they had stopped before.

    """
    if contact.stopped_at is not None:
        return False
    contact.stopped_at = at
    queued = contact.outbound_messages.filter(
        Q(lease_until=None) | Q(lease_until__lte=now),
        status=OutboxStatus.QUEUED,
        kind=OutboxKind.NOTICE,
    )
    queued.update(status=OutboxStatus.WITHHELD, next_attempt_at=None)
    return True


def forbids_message(contact: WhatsAppContact, *, kind: str) -> bool:
    """Return whether a message would be one of our own accord to a buyer who wrote STOP."""
    return kind == OutboxKind.NOTICE and contact.stopped_at is not None


def start(contact: WhatsAppContact, *, at: datetime) -> bool:
    """Send a buyer messages of our own accord again.

    Args:
        contact: the buyer, locked; the caller saves it.
        at: when the buyer said so, at most now.

    Returns:
        Whether it changed anything: False if they had not stopped.

    """
    had_stopped = contact.stopped_at is not None
    contact.stopped_at = None
    if had_stopped:
        contact.started_at = at
    return had_stopped
