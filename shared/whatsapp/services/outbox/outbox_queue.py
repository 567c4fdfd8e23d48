"""The queue of messages to buyers: queueing, resending, withdrawal, and abandoned sends."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import BigIntegerField, CharField, DateTimeField, F, Min, Q

from shared.core.constants import MAX_UNKNOWN_RESENDS, UNKNOWN_SEND_WAIT
from shared.core.enums import MessageDeliveryStatus, OutboxKind, OutboxStatus
from shared.core.statements.compiled_inserts import CompiledInsert
from shared.core.statements.compiled_queries import CompiledQuery, CompiledUpdate, IsIn, Parameter
from shared.whatsapp.errors import MessageNotFailed
from shared.whatsapp.models import InboundMessage, OutboundMessage, WhatsAppContact
from shared.whatsapp.services import opt_out
from shared.whatsapp.services.inbox import contacts
from shared.whatsapp.services.outbox import failure_reports, lost_answers, outbox_statements
from shared.whatsapp.services.outbox.message_status import (
    SUPERSEDED,
    UNTRIED_FIELDS,
    is_superseded,
    reset_to_queued,
    withhold_if_stopped,
)

_MESSAGES_PER_SWEEP = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message to queue.

    Attributes:
        contact: the buyer, locked.
        message: a message built by a function of `messages`.
        key: the key of its text, e.g. `paid`.
        kind: whether it is a reply or a notice.
        in_reply_to: the message it answers.
        about: its subject for staff, e.g. an order's code.
        correlation_id: the id that its logs share with those of its cause.
        written_by: the person who wrote it; None: the bot.
        callback_data: the unique key of the message; None: a new one.

    """

    contact: WhatsAppContact
    message: Mapping[str, Any]
    key: str
    kind: OutboxKind
    in_reply_to: InboundMessage | None = None
    about: str = ""
    correlation_id: str = ""
    written_by: str | None = None
    callback_data: UUID | None = None


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
    written_by: str | None = None,
    callback_data: UUID | None = None,
) -> OutboundMessage:
    """Queue a message in the transaction of its cause.

    Args:
        contact: the buyer, locked by the caller.
        message: a message built by a function of `messages`.
        key: as in `NewMessage`, like the arguments below.
        kind: whether it is a reply or a notice.
        now: the current time.
        in_reply_to: the message it answers.
        about: its subject for staff, e.g. an order's code.
        correlation_id: the id that its logs share with those of its cause.
        written_by: the person who wrote it; None: the bot.
        callback_data: the unique key of the message; None: a new one.

    Returns:
        The queued message.

    """
    new = NewMessage(
        contact=contact,
        message=message,
        key=key,
        kind=kind,
        in_reply_to=in_reply_to,
        about=about,
        correlation_id=correlation_id,
        written_by=written_by,
        callback_data=callback_data,
    )
    [queued] = enqueue_messages([new], now=now)
    return queued


def enqueue_messages(new: Sequence[NewMessage], *, now: datetime) -> list[OutboundMessage]:
    """Queue messages in the transaction of their cause, in one statement.

    A notice to a buyer who wrote STOP is withheld; see `opt_out`.

    Args:
        new: the messages; those to one buyer in the order in which they are to be sent.
        now: the current time.

    Returns:
        The queued messages, in the same order.

    """
    queued = [
        OutboundMessage(
            phone_number_id=each.contact.phone_number_id,
            contact=each.contact,
            kind=each.kind,
            key=each.key,
            payload=dict(each.message),
            in_reply_to=each.in_reply_to,
            about=each.about,
            correlation_id=each.correlation_id,
            written_by=each.written_by,
            **({} if each.callback_data is None else {"callback_data": each.callback_data}),
            status=_choose_first_status(each),
            created_at=now,
        )
        for each in new
    ]
    _INSERT_MESSAGES.run(queued)
    return queued


def _choose_first_status(new: NewMessage) -> OutboxStatus:
    is_unwanted = opt_out.forbids_message(new.contact, kind=new.kind)
    return OutboxStatus.WITHHELD if is_unwanted else OutboxStatus.QUEUED


_INSERT_MESSAGES: Final = CompiledInsert(OutboundMessage)


def release_withheld_messages(contact: WhatsAppContact, *, now: datetime) -> int:
    """Queue the notices that were withheld until the buyer wrote.

    They are older than any new reply, so they are sent first.

    Args:
        contact: the buyer, locked by the caller.
        now: the current time.

    Returns:
        The number of queued notices.

    """
    return _RELEASED.run(contact=contact.pk, now=now)


_RELEASED: Final = CompiledUpdate(
    lambda: OutboundMessage.objects.filter(
        contact_id=Parameter("contact", BigIntegerField()), status=OutboxStatus.WITHHELD
    ),
    **{**UNTRIED_FIELDS, "next_attempt_at": Parameter("now", DateTimeField())},
)


@transaction.atomic(durable=True)
def resend_message(message_id: int) -> OutboundMessage:
    """Queue a message again that was refused or could not be delivered.

    It keeps its place before newer messages to the same buyer. The 24 h window is checked when it
    is claimed, as always. If the first copy is delivered before the new one is sent, its status
    webhook marks the message as sent. A buyer whom a person wrote to waits for nobody any more. A
    notice to a buyer who wrote STOP is withheld.

    Raises:
        MessageNotFailed: it is waiting, being sent, or arrived, or somebody already sent it
            again; detail `status`.
        OutboundMessage.DoesNotExist: there is no such message.

    """
    contact = contacts.lock_contact(
        OutboundMessage.objects.values_list("contact_id", flat=True).get(pk=message_id)
    )
    message = OutboundMessage.objects.select_for_update(no_key=True).get(pk=message_id)
    undelivered = (
        message.status == OutboxStatus.SENT and message.delivery == MessageDeliveryStatus.FAILED
    )
    if message.status != OutboxStatus.FAILED and not undelivered:
        raise MessageNotFailed(status=message.status)
    reset_to_queued(message)
    withhold_if_stopped(message, contact)
    message.save(update_fields=list(UNTRIED_FIELDS))
    if message.written_by is not None:
        contact.wants_person_at = None
        contact.save(update_fields=["wants_person_at"])
    return message


def settle_abandoned_sends(*, now: datetime) -> int:
    """Recover messages whose lease ran out, or that had no answer or status for 90 seconds.

    Returns:
        The number of changed messages.

    """
    settled = 0
    if outbox_statements.FIRST_EXPIRED_SEND.fetch(now=now):
        settled += _expire_leases(now=now)
    if outbox_statements.FIRST_SILENT_SEND.fetch(now=now):
        settled += _resend_unknown(now=now)
    return settled


def get_oldest_unsent_age(*, now: datetime) -> timedelta | None:
    """Return the age of the oldest unsent message; None if there is none."""
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


def mark_superseded(contact_id: int, *, about: str, keys: Collection[str] | None) -> int:
    """Withdraw the unsent messages about something that has changed, so that they are not sent.

    They become STALE. Messages that are being sent or may have arrived are only marked, so that
    they are not sent again. Runs in the transaction of the change.

    Args:
        contact_id: the buyer, locked by the caller.
        about: the subject of the messages, e.g. an order's code.
        keys: the keys of the texts that became untrue; None: all.

    Returns:
        The number of messages that are not sent, or not again.

    """
    under_way: dict[bool, list[int]] = {True: [], False: []}
    for pk, status, key in _LOCKED_NOT_ARRIVED.fetch(contact=contact_id, about=about):
        if keys is None or key in keys:
            under_way[status in _UNDER_WAY].append(pk)
    rows = OutboundMessage.objects.order_by()
    if under_way[True]:
        rows.filter(pk__in=under_way[True]).update(error=SUPERSEDED, error_code=None)
    if under_way[False]:
        rows.filter(pk__in=under_way[False]).update(
            status=OutboxStatus.STALE,
            error=SUPERSEDED,
            error_code=None,
            next_attempt_at=None,
            lease=None,
            lease_until=None,
        )
    return len(under_way[True]) + len(under_way[False])


def lock_unarrived_messages(contact_ids: Collection[int], *, about: Collection[str]) -> None:
    """Lock the messages that `mark_superseded` may withdraw, in ascending order.

    A transaction that withdraws messages of several buyers locks all of them first.

    Args:
        contact_ids: the buyers, locked by the caller.
        about: the subjects of the messages, e.g. orders' codes.

    """
    if about:
        _LOCKED_NOT_ARRIVED_OF_MANY.fetch(contacts=contact_ids, about=about)


_UNDER_WAY: Final = (OutboxStatus.SENDING, OutboxStatus.UNKNOWN)
_NOT_ARRIVED: Final = Q(
    status__in=(*_UNDER_WAY, OutboxStatus.QUEUED, OutboxStatus.WITHHELD, OutboxStatus.FAILED)
) | Q(status=OutboxStatus.SENT, delivery=MessageDeliveryStatus.FAILED)
# Locked in one order, as those who record delivery statuses do.
_LOCKED_NOT_ARRIVED_OF_MANY: Final = CompiledQuery(
    lambda: (
        OutboundMessage.objects.select_for_update(no_key=True)
        .filter(_NOT_ARRIVED, IsIn("contact_id", "contacts"), IsIn("about", "about"))
        .order_by("pk")
        .values_list("pk", flat=True)
    )
)
_LOCKED_NOT_ARRIVED: Final = CompiledQuery(
    lambda: (
        OutboundMessage.objects.select_for_update(no_key=True)
        .filter(
            _NOT_ARRIVED,
            contact_id=Parameter("contact", BigIntegerField()),
            about=Parameter("about", CharField()),
        )
        .order_by("pk")
        .values_list("pk", "status", "key")
    )
)


@transaction.atomic
def _expire_leases(*, now: datetime) -> int:
    abandoned = OutboundMessage.objects.filter(status=OutboxStatus.SENDING, lease_until__lt=now)
    unlocked = abandoned.select_for_update(skip_locked=True, no_key=True).order_by("lease_until")
    ids = list(unlocked.values_list("pk", flat=True)[:_MESSAGES_PER_SWEEP])
    # The lease stays, so that a late answer still counts.
    return abandoned.filter(pk__in=ids).update(
        status=OutboxStatus.UNKNOWN,
        attempts=F("attempts") + 1,
        unknown_sends=F("unknown_sends") + 1,
        next_attempt_at=now + UNKNOWN_SEND_WAIT,
    )


@transaction.atomic
def _resend_unknown(*, now: datetime) -> int:
    silent = OutboundMessage.objects.filter(status=OutboxStatus.UNKNOWN, next_attempt_at__lte=now)
    unlocked = silent.select_for_update(skip_locked=True, no_key=True).order_by("next_attempt_at")
    unanswered = list(unlocked[:_MESSAGES_PER_SWEEP])
    for message in unanswered:
        if is_superseded(message):
            message.status = OutboxStatus.STALE
        elif message.unknown_sends > MAX_UNKNOWN_RESENDS:
            message.status = OutboxStatus.FAILED
            message.error = (
                f"Handed over {message.unknown_sends} times without an answer from Meta: "
                "it may or may not have arrived."
            )
        else:
            message.status = OutboxStatus.QUEUED
        message.next_attempt_at = None
        message.lease_until = None  # it is not reserved; the lease stays for a late answer
        message.save(update_fields=["status", "error", "next_attempt_at", "lease_until"])
    for message in unanswered:
        if message.status == OutboxStatus.FAILED:
            failure_reports.announce_failure(message, now=now)
            failure_reports.sound_failure_alarm(message, now=now)
        if lost_answers.is_lost_answer(message):
            lost_answers.report_lost_answer(message, now=now)
    return len(unanswered)
