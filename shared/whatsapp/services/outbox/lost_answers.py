"""Messages that a person wrote and that did not reach their buyer, who then waits again."""

from datetime import datetime

from shared.core.enums import MessageDeliveryStatus, OutboxStatus
from shared.whatsapp import signals
from shared.whatsapp.models import OutboundMessage, WhatsAppContact
from shared.whatsapp.services import alarms


def is_lost_answer(message: OutboundMessage) -> bool:
    """Return whether a person wrote a message and it does not reach its buyer."""
    if message.written_by is None:
        return False
    is_undelivered = message.delivery == MessageDeliveryStatus.FAILED
    return is_undelivered or message.status in {OutboxStatus.FAILED, OutboxStatus.STALE}


def report_lost_answer(message: OutboundMessage, *, now: datetime) -> None:
    """List the buyer as waiting since the message was written, and sound an alarm.

    Runs in the transaction that records the loss.
    """
    waiting = WhatsAppContact.objects.filter(pk=message.contact_id, wants_person_at=None)
    if waiting.update(wants_person_at=message.created_at):
        contact = WhatsAppContact.objects.get(pk=message.contact_id)
        signals.person_wanted.send(sender=WhatsAppContact, contact=contact, now=now)
    reason = message.error or "the 24 h window had closed before it was sent."
    alarms.sound_alarm(
        f"answer_lost:{message.contact_id}",
        title="A person's message did not reach its buyer",
        detail=f"Message {message.pk} to contact {message.contact_id}: {reason} "
        "The buyer waits for a person again.",
        phone_number_id=message.phone_number_id,
        now=now,
    )
