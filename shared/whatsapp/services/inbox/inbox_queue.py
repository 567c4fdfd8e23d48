"""Keeps what Meta says, once and durably, and tells which buyers wait for an answer."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final

from django.db import DataError, IntegrityError, OperationalError, transaction
from django.db.models import Q

from shared.core import logs
from shared.core.deadlocks import is_deadlock
from shared.core.enums import InboxStatus
from shared.whatsapp.errors import MessageAnswered
from shared.whatsapp.models import InboundMessage
from shared.whatsapp.services.inbox import contacts
from shared.whatsapp.services.inbox.batch import WebhookBatch, WebhookItem
from shared.whatsapp.services.inbox.webhook_store import StoredBatch, store_batch
from shared.whatsapp.webhook_items import UnreadablePart, Webhook

_log = logs.get_logger(__name__)

_MAX_RACES: Final = 4
"""A new contact that two gateways make at once is found at the second try; beyond, it is data."""

_MAX_DEADLOCKS: Final = 20
"""Deadlocks in a row before the webhook goes back to Meta; one in a thousand meets even one."""

_DATABASE_REFUSALS: Final = (DataError, IntegrityError, ValueError, TypeError, OverflowError)
"""What the database or its driver says of a value it will never take."""


def store_webhooks(
    webhooks: Sequence[Webhook], *, now: datetime, correlation_ids: Sequence[str]
) -> StoredBatch:
    """Store everything that some webhooks say, in one durable transaction.

    What is stored already stays as it is: a repeat changes nothing.

    Args:
        webhooks: what was read from the requests of Meta.
        now: when they arrived.
        correlation_ids: one for each webhook; the logs of its answer will carry it.

    Raises:
        IntegrityError: another process made the same contact first; call it again.
        DataError: an item that the database does not take; see `store_safely`.
        OperationalError: the database is away, or the transaction met another (a deadlock).

    """
    return store_batch(WebhookBatch.of(webhooks, correlation_ids), now=now)


def store_webhooks_safely(
    webhooks: Sequence[Webhook], *, now: datetime, correlation_ids: Sequence[str]
) -> StoredBatch:
    """Do the same, so that one bad item does not hold up the others, and none is lost.

    A race or a deadlock is tried again. If the batch cannot be stored as a whole, its items are
    stored one by one, and one that fails alone is kept as bytes with an alarm.

    Raises:
        OperationalError: the database is away; Meta must send everything again.
        InterfaceError: the same.

    """
    batch = WebhookBatch.of(webhooks, correlation_ids)
    try:
        return _store_with_retries(batch, now=now)
    except _DATABASE_REFUSALS as error:
        _log.warning("batch_refused", error=type(error).__name__, webhooks=len(webhooks))
    stored = StoredBatch()
    for item, alone in batch.one_by_one():
        try:
            stored += _store_with_retries(alone, now=now)
        except _DATABASE_REFUSALS as error:
            part = UnreadablePart(_serialise_item(item), f"not stored: {type(error).__name__}")
            store_batch(WebhookBatch.of([Webhook(unreadable=(part,))], [""]), now=now)
    return stored


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


def _store_with_retries(batch: WebhookBatch, *, now: datetime) -> StoredBatch:
    races = collisions = 0
    while True:
        try:
            return store_batch(batch, now=now)
        except IntegrityError:
            races += 1
            if races >= _MAX_RACES:
                raise
        except OperationalError as error:
            collisions += 1
            if collisions >= _MAX_DEADLOCKS or not is_deadlock(error):
                raise


def _serialise_item(item: WebhookItem) -> bytes:
    if isinstance(item, UnreadablePart):
        return item.body
    return json.dumps(asdict(item), default=str, sort_keys=True).encode()
