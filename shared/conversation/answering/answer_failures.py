"""Failed tries of answering a message: counting, retries, and giving up."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F

from shared.conversation.errors import AnswerFailed
from shared.conversation.texts import guidance
from shared.core import logs, retry
from shared.core.constants import MAX_INBOX_ATTEMPTS
from shared.core.enums import InboxStatus, OutboxKind
from shared.whatsapp.models import InboundMessage, WhatsAppContact
from shared.whatsapp.services import alarms
from shared.whatsapp.services.inbox import contacts, inbox_queue
from shared.whatsapp.services.outbox import outbox_queue

_log = logs.get_logger(__name__)

UNFINISHED: Final = "Unfinished"
"""Error of a message while an attempt is under way; it stays if the process dies."""


@dataclass(frozen=True, slots=True)
class CountedAttempt:
    """An attempt to answer a message that was counted before it began.

    Attributes:
        message_id: the message.
        alone: whether no other message is answered in the same transaction.

    """

    message_id: int
    alone: bool


@transaction.atomic(durable=True)
def count_attempt(contact_id: int, message_id: int, *, now: datetime) -> int | None:
    """Record an attempt as failed before it begins, so that it counts even if the process dies.

    No other gateway begins an attempt until the next one is due. After the last attempt the
    message is given up instead.

    Returns:
        The number of the attempt, from 1; `MAX_INBOX_ATTEMPTS` + 1 if the message was given up.
        None if another gateway has begun an attempt or answered the message.

    """
    contact = contacts.lock_contact(contact_id)
    message = InboundMessage.objects.get(pk=message_id)
    if message.status != InboxStatus.RECEIVED:
        return None
    if message.next_attempt_at is not None and message.next_attempt_at > now:
        return None
    if message.attempts >= MAX_INBOX_ATTEMPTS:
        _log.error("answer_never_finished", message_id=message_id, contact_id=contact_id)
        _give_up_message(contact, message, now=now)
        message.save(update_fields=["next_attempt_at", "status", "processed_at"])
        return message.attempts + 1
    message.attempts += 1
    message.error = UNFINISHED
    message.next_attempt_at = _compute_next_attempt(message.attempts, now=now)
    message.save(update_fields=["attempts", "error", "next_attempt_at"])
    return message.attempts


@transaction.atomic(durable=True)
def count_first_attempts(contact_ids: Sequence[int], *, now: datetime) -> list[int]:
    """Record the first attempt at the first message of several buyers, as `count_attempt` does.

    Returns:
        The ids of the messages. Left out are those of contacts that another transaction has locked,
        and those that were tried before.

    """
    locked = contacts.lock_free_contacts(contact_ids)
    firsts = [messages[0] for messages in inbox_queue.list_first_messages(list(locked)).values()]
    untried = [each for each in firsts if not each.attempts and each.next_attempt_at is None]
    ids = [message.pk for message in untried]
    InboundMessage.objects.filter(pk__in=ids).update(
        attempts=1, error=UNFINISHED, next_attempt_at=_compute_next_attempt(1, now=now)
    )
    return ids


def take_back_first_attempts(message_ids: Sequence[int]) -> None:
    """Undo `count_first_attempts`; what was counted stays so if the database is unavailable."""
    with suppress(OperationalError, InterfaceError):
        InboundMessage.objects.filter(pk__in=message_ids, status=InboxStatus.RECEIVED).update(
            attempts=0, error="", next_attempt_at=None
        )


def take_back_attempt(counted: CountedAttempt | None) -> None:
    """Undo the count of an attempt that the database interrupted.

    If the database is still unavailable, the attempt stays counted.
    """
    if counted is None:
        return
    with suppress(OperationalError, InterfaceError):
        InboundMessage.objects.filter(pk=counted.message_id, attempts__gt=0).update(
            attempts=F("attempts") - 1, next_attempt_at=None
        )


@transaction.atomic(durable=True)
def record_failure(
    contact_id: int, failure: AnswerFailed, *, counted: CountedAttempt | None, now: datetime
) -> None:
    """Record a failed attempt and set the time of the next one, or give the message up.

    Args:
        contact_id: the buyer.
        failure: the error; only the kinds of error in its chain of causes are stored.
        counted: the attempt that was counted before it began, if any.
        now: the current time.

    """
    contact = contacts.lock_contact(contact_id)
    message = InboundMessage.objects.get(pk=failure.message_id)
    if message.status != InboxStatus.RECEIVED:
        return
    if counted is None or counted.message_id != message.pk:
        message.attempts += 1
    message.error = " ".join(_list_error_kinds(failure))[:500]
    if message.attempts < MAX_INBOX_ATTEMPTS:
        message.next_attempt_at = _compute_next_attempt(message.attempts, now=now)
    else:
        _give_up_message(contact, message, now=now)
    message.save(update_fields=["attempts", "error", "next_attempt_at", "status", "processed_at"])


def _compute_next_attempt(attempts: int, *, now: datetime) -> datetime:
    return now + retry.compute_exponential_wait(
        attempts, base=timedelta(seconds=1), cap=timedelta(seconds=30)
    )


def _list_error_kinds(failure: AnswerFailed) -> Iterator[str]:
    """Yield the class names of the causes; their messages may quote the buyer's text."""
    error: BaseException | None = failure.__cause__
    while error is not None:
        yield type(error).__name__
        error = error.__cause__


def _give_up_message(contact: WhatsAppContact, message: InboundMessage, *, now: datetime) -> None:
    message.status = InboxStatus.FAILED
    message.processed_at = now
    message.next_attempt_at = None
    alarms.sound_alarm(
        f"inbound_failed:{message.pk}",
        title="A buyer's message could not be answered",
        detail=f"Message {message.pk} failed {message.attempts} times ({message.error}). "
        "The buyer got an apology; please write to them.",
        phone_number_id=message.phone_number_id,
        now=now,
    )
    if contact.is_blocked:
        return
    reply = guidance.build_apology_message("")
    outbox_queue.enqueue_message(
        contact,
        reply.to_whatsapp_message(),
        key=reply.key,
        kind=OutboxKind.REPLY,
        now=now,
        in_reply_to=message,
        correlation_id=message.correlation_id,
    )
