"""Keeps what Meta says, once and durably, and tells which buyers wait for an answer."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from shared.core.enums import InboxStatus
from shared.whatsapp.errors import MessageAnswered
from shared.whatsapp.models import InboundMessage
from shared.whatsapp.services.inbox import contacts


def list_waiting_contacts(*, now: datetime, limit: int) -> list[int]:
    """Find buyers with messages to answer, whoever waits longest first, by contact id."""
    due = InboundMessage.objects.filter(
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=now),
        status=InboxStatus.RECEIVED,
        contact__isnull=False,
    ).order_by("received_at", "id")
    # A buyer may have written several times: look a little further than the limit.
    found = [message.contact_id for message in due.only("contact_id")[: 4 * limit]]
    return [pk for pk in dict.fromkeys(found) if pk is not None][:limit]


def list_unanswered_messages(contact_id: int) -> list[InboundMessage]:
    """Give a buyer's messages to answer, in the order they were written."""
    return list(
        InboundMessage.objects.filter(contact_id=contact_id, status=InboxStatus.RECEIVED).order_by(
            "sent_at", "id"
        )
    )


@transaction.atomic(durable=True)
def requeue_failed_message(message_id: int) -> InboundMessage:
    """Put a message whose answer failed back among those that wait, as if it had just come.

    The buyer may have moved on meanwhile: what is older than a quarter of an hour is then summed
    up rather than acted upon, unless it is a payment proof or an exact CANCEL.

    Raises:
        MessageAnswered: it waits, is answered, or somebody else put it back; detail `status`.
        InboundMessage.DoesNotExist: there is no such message.

    """
    contact_id = InboundMessage.objects.values_list("contact_id", flat=True).get(pk=message_id)
    if contact_id is not None:
        contacts.lock_contact(contact_id)
    message = InboundMessage.objects.select_for_update(no_key=True).get(pk=message_id)
    if message.status != InboxStatus.FAILED:
        raise MessageAnswered(status=message.status)
    message.status, message.attempts = InboxStatus.RECEIVED, 0
    message.next_attempt_at = message.processed_at = None
    message.save(update_fields=["status", "attempts", "next_attempt_at", "processed_at"])
    return message


def get_oldest_unanswered_age(*, now: datetime) -> timedelta | None:
    """Tell for how long the longest waiting message has been here; None if none waits."""
    oldest = (
        InboundMessage.objects.filter(status=InboxStatus.RECEIVED)
        .order_by("received_at")
        .values_list("received_at", flat=True)
        .first()
    )
    return None if oldest is None else now - oldest
