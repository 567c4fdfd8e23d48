"""The queue of messages from buyers that wait for an answer."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from shared.core.enums import InboxStatus
from shared.whatsapp.errors import MessageAnswered
from shared.whatsapp.models import InboundMessage
from shared.whatsapp.services.inbox import contacts


def list_waiting_contacts(*, now: datetime, limit: int) -> list[int]:
    """Return the ids of contacts with due messages, the one that waits longest first."""
    due = InboundMessage.objects.filter(
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=now),
        status=InboxStatus.RECEIVED,
        contact__isnull=False,
    ).order_by("received_at", "id")
    # A buyer may have written several times, so more messages than `limit` are read.
    contact_ids = [message.contact_id for message in due.only("contact_id")[: 4 * limit]]
    return [pk for pk in dict.fromkeys(contact_ids) if pk is not None][:limit]


def list_unanswered_messages(contact_id: int) -> list[InboundMessage]:
    """Return a buyer's unanswered messages in the order in which they were written."""
    return list(
        InboundMessage.objects.filter(contact_id=contact_id, status=InboxStatus.RECEIVED).order_by(
            "sent_at", "id"
        )
    )


@transaction.atomic(durable=True)
def requeue_failed_message(message_id: int) -> InboundMessage:
    """Queue a message again whose answer failed, as if it had just arrived.

    A message older than a quarter of an hour is only mentioned in a summary instead of being acted
    on, unless it is a payment proof or an exact CANCEL, since the buyer may have moved on.

    Raises:
        MessageAnswered: its answer did not fail, or it was already queued again; detail `status`.
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
    """Return the age of the oldest unanswered message; None if there is none."""
    oldest = (
        InboundMessage.objects.filter(status=InboxStatus.RECEIVED)
        .order_by("received_at")
        .values_list("received_at", flat=True)
        .first()
    )
    return None if oldest is None else now - oldest
