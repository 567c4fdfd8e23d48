"""The queue of messages from buyers that wait for an answer."""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from django.db import models, transaction
from django.db.models import Count, F, Min, Q, Window
from django.db.models.functions import RowNumber

from shared.core.enums import InboxStatus
from shared.core.statements.compiled_queries import CompiledQuery, IsIn, Parameter
from shared.whatsapp.errors import MessageAnswered
from shared.whatsapp.models import InboundMessage
from shared.whatsapp.predicates import WAITING_INBOUND
from shared.whatsapp.services.inbox import contacts, received_webhooks

HANDICAP_PER_MESSAGE: Final = timedelta(seconds=1)
"""Each message that waits makes its buyer come as much later, so that others go before a flood."""


MAX_WAITING_CONTACTS: Final = 100
"""Contacts that are listed at once."""

MAX_FIRST_MESSAGES: Final = 6
"""Waiting messages of each contact that `list_first_messages` returns."""


def list_waiting_contacts(*, now: datetime, limit: int = MAX_WAITING_CONTACTS) -> list[int]:
    """Return the ids of contacts with due messages, the one that waits longest first.

    A contact with many messages goes after others who have waited almost as long.

    Args:
        now: the current time.
        limit: the most contacts to return, up to `MAX_WAITING_CONTACTS`.

    """
    ordered = sorted(
        (since + messages * HANDICAP_PER_MESSAGE, first, contact_id)
        for contact_id, since, first, messages in _WAITING_CONTACTS.fetch(now=now)[:limit]
    )
    return [contact_id for _, _, contact_id in ordered]


_WAITING_CONTACTS: Final = CompiledQuery(
    lambda: (
        InboundMessage.objects.filter(
            WAITING_INBOUND,
            Q(next_attempt_at=None)
            | Q(next_attempt_at__lte=Parameter("now", models.DateTimeField())),
            contact__isnull=False,
        )
        .order_by()
        .values("contact_id")
        .annotate(since=Min("received_at"), first=Min("id"), messages=Count("id"))
        .order_by("since", "first")
        .values_list("contact_id", "since", "first", "messages")[:MAX_WAITING_CONTACTS]
    )
)


def list_first_messages(contact_ids: Collection[int]) -> dict[int, list[InboundMessage]]:
    """Return the first unanswered messages of several buyers, by contact id.

    Returns:
        At most `MAX_FIRST_MESSAGES` of each, in the order in which they were written; contacts
        without any are left out.

    """
    found: dict[int, list[InboundMessage]] = {}
    messages: list[InboundMessage] = _FIRST_MESSAGES.fetch(contacts=contact_ids)
    for message in messages:
        if message.contact_id is not None:
            found.setdefault(message.contact_id, []).append(message)
    return found


_FIRST_MESSAGES: Final[CompiledQuery[Any]] = CompiledQuery(
    lambda: (
        InboundMessage.objects.filter(WAITING_INBOUND, IsIn("contact_id", "contacts"))
        .alias(
            place=Window(
                RowNumber(), partition_by=F("contact_id"), order_by=[F("sent_at"), F("id")]
            )
        )
        .filter(place__lte=MAX_FIRST_MESSAGES)
        .order_by("sent_at", "id")
    )
)


def list_unanswered_messages(contact_id: int, *, limit: int | None = None) -> list[InboundMessage]:
    """Return a buyer's unanswered messages in the order in which they were written.

    Args:
        contact_id: the buyer.
        limit: the most messages to return; None: all.

    """
    return _get_unanswered_query(limit).fetch(contact=contact_id)


@cache
def _get_unanswered_query(limit: int | None) -> CompiledQuery[InboundMessage]:
    return CompiledQuery(
        lambda: InboundMessage.objects.filter(
            contact_id=Parameter("contact", models.BigIntegerField()), status=InboxStatus.RECEIVED
        ).order_by("sent_at", "id")[:limit]
    )


def postpone_later_messages(message: InboundMessage) -> None:
    """Postpone a buyer's later messages to the next attempt to answer this one."""
    InboundMessage.objects.filter(
        Q(sent_at__gt=message.sent_at) | Q(sent_at=message.sent_at, pk__gt=message.pk),
        contact_id=message.contact_id,
        status=InboxStatus.RECEIVED,
    ).update(next_attempt_at=message.next_attempt_at)


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
    """Return the age of the oldest message without an answer; None if there is none.

    A webhook that is not read yet counts as a message.
    """
    oldest = (
        InboundMessage.objects.filter(status=InboxStatus.RECEIVED)
        .order_by("received_at")
        .values_list("received_at", flat=True)
        .first()
    )
    ages = [
        received_webhooks.get_oldest_unread_age(now=now),
        None if oldest is None else now - oldest,
    ]
    return max((age for age in ages if age is not None), default=None)
