"""The way of a message to a buyer: written with what caused it, sent once, never forgotten."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Min

from shared.core.constants import MAX_UNKNOWN_RESENDS, UNKNOWN_SEND_WAIT
from shared.core.enums import MessageDeliveryStatus, OutboxKind, OutboxStatus
from shared.whatsapp.errors import MessageNotFailed
from shared.whatsapp.models import InboundMessage, OutboundMessage, WhatsAppContact
from shared.whatsapp.services.inbox import contacts
from shared.whatsapp.services.outbox import failure_reports
from shared.whatsapp.services.outbox.send_results import UNTRIED_FIELDS, reset_to_queued

_MESSAGES_PER_SWEEP = 500


def enqueue_message(
    contact: WhatsAppContact,
    message: Mapping[str, Any],
    *,
    key: str,
    kind: OutboxKind,
    now: datetime,
    in_reply_to: InboundMessage | None = None,
    about: str = "",
    correlation_id: str = "",
) -> OutboundMessage:
    """Queue a message, in the transaction of what caused it; the contact is locked by the caller.

    Args:
        contact: the buyer.
        message: what one of the functions in `messages` made.
        key: which text it is, e.g. `paid`.
        kind: a reply to what they just wrote, or news for them.
        now: when.
        in_reply_to: the message it answers.
        about: what it is about, for people, e.g. an order's code.
        correlation_id: joins its logs with those of what caused it.

    """
    return OutboundMessage.objects.create(
        phone_number_id=contact.phone_number_id,
        contact=contact,
        kind=kind,
        key=key,
        payload=dict(message),
        in_reply_to=in_reply_to,
        about=about,
        correlation_id=correlation_id,
        created_at=now,
    )


def release_withheld_messages(contact: WhatsAppContact, *, now: datetime) -> int:
    """Queue the notices that waited for a buyer to write; older than any reply, they go first.

    Args:
        contact: the buyer, locked by the caller.
        now: when.

    Returns:
        How many there were.

    """
    withheld = contact.outbound_messages.filter(status=OutboxStatus.WITHHELD)
    return withheld.update(**{**UNTRIED_FIELDS, "next_attempt_at": now})


@transaction.atomic(durable=True)
def resend_message(message_id: int) -> OutboundMessage:
    """Queue a message anew that was refused or could not be delivered.

    It keeps its place, so it goes before anything newer to the same buyer; whether the 24 h window
    is open is judged when it is claimed, as always. If the first copy arrives after all before
    the new one is sent, its status webhook settles it.

    Raises:
        MessageNotFailed: it waits, is under way, arrived, or somebody sent it again just now;
            detail `status`.
        OutboundMessage.DoesNotExist: there is no such message.

    """
    contacts.lock_contact(
        OutboundMessage.objects.values_list("contact_id", flat=True).get(pk=message_id)
    )
    message = OutboundMessage.objects.select_for_update(no_key=True).get(pk=message_id)
    undelivered = (
        message.status == OutboxStatus.SENT and message.delivery == MessageDeliveryStatus.FAILED
    )
    if message.status != OutboxStatus.FAILED and not undelivered:
        raise MessageNotFailed(status=message.status)
    reset_to_queued(message)
    message.save(update_fields=list(UNTRIED_FIELDS))
    return message


def settle_abandoned_sends(*, now: datetime) -> int:
    """Settle what nobody recorded: leases that ran out, and sends without any news for 90 s.

    Returns:
        How many messages were touched.

    """
    return _expire_leases(now=now) + _resend_unknown(now=now)


def get_oldest_unsent_age(*, now: datetime) -> timedelta | None:
    """Tell for how long the longest waiting message waits to be sent; None if none does."""
    unsent = OutboundMessage.objects.filter
    queued = unsent(status=OutboxStatus.QUEUED).order_by("pk").values_list("created_at", flat=True)
    oldest = [
        queued.first(),
        *(
            unsent(status=status).aggregate(oldest=Min("created_at"))["oldest"]
            for status in (OutboxStatus.SENDING, OutboxStatus.UNKNOWN)
        ),
    ]
    return max((now - since for since in oldest if since is not None), default=None)


@transaction.atomic
def _expire_leases(*, now: datetime) -> int:
    abandoned = OutboundMessage.objects.filter(status=OutboxStatus.SENDING, lease_until__lt=now)
    free = abandoned.select_for_update(skip_locked=True, no_key=True).order_by("lease_until")
    ids = list(free.values_list("pk", flat=True)[:_MESSAGES_PER_SWEEP])
    # The lease stays: an answer that comes after all still counts.
    return abandoned.filter(pk__in=ids).update(
        status=OutboxStatus.UNKNOWN,
        attempts=F("attempts") + 1,
        unknown_sends=F("unknown_sends") + 1,
        next_attempt_at=now + UNKNOWN_SEND_WAIT,
    )


@transaction.atomic
def _resend_unknown(*, now: datetime) -> int:
    silent = OutboundMessage.objects.filter(status=OutboxStatus.UNKNOWN, next_attempt_at__lte=now)
    free = silent.select_for_update(skip_locked=True, no_key=True).order_by("next_attempt_at")
    found = list(free[:_MESSAGES_PER_SWEEP])
    for message in found:
        if message.unknown_sends > MAX_UNKNOWN_RESENDS:
            message.status = OutboxStatus.FAILED
            message.error = (
                f"Handed over {message.unknown_sends} times without an answer from Meta: "
                "it may or may not have arrived."
            )
        else:
            message.status = OutboxStatus.QUEUED
        message.next_attempt_at = None
        message.save(update_fields=["status", "error", "next_attempt_at"])
    for message in found:
        if message.status == OutboxStatus.FAILED:
            failure_reports.announce_failure(message, now=now)
            failure_reports.sound_failure_alarm(message, now=now)
    return len(found)
