"""Answers to a buyer's waiting messages: in order, in one transaction.

No message may stop the gateway, whatever it contains. A message that raises an error is retried and
then given up. The same applies to a message that takes more than `ANSWER_CPU_SECONDS` of processor
time. The time is checked between the steps of an answer, because no thread can be interrupted from
outside. Waiting for the database does not count, so a slow database gives no message up.

Texts that were written one after the other and wait together get one answer; `text_runs` says
which. If it fails, they are answered one by one, so that the failing one alone is blamed.

A transaction gives few answers, so that others are served in between, however much a buyer writes.
What is kept without an answer is decided by `answer_limits` and `silence`.

If the whole process hangs or dies, it cannot record anything. Therefore a message that has waited
for longer than `LEFT_OVER_AFTER` is recorded as a failed attempt before it is answered. That takes
a transaction more, which messages answered in time do not need. After one such attempt the message
is answered alone, so that no other message is blamed for it.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction
from structlog.contextvars import bound_contextvars

from shared.conversation.answering import answer_failures, message_answers, silence
from shared.conversation.answering.answer_failures import CountedAttempt
from shared.conversation.answering.answer_limits import (
    MAX_ANSWERS_PER_TRANSACTION,
    MAX_MESSAGES_PER_TRANSACTION,
    MAX_TRANSACTION_CPU_SECONDS,
)
from shared.conversation.answering.answer_requests import (
    CpuClock,
    answer_alone,
)
from shared.conversation.answering.inbound_events import is_proof, may_act_when_stale, says_stop
from shared.conversation.answering.inbound_records import HandledMessages, save_conversations
from shared.conversation.answering.message_answers import AnswerResult
from shared.conversation.answering.silence import RecentMessages, load_messages_before
from shared.conversation.answering.text_runs import begin_turn, build_run_content, take_run
from shared.conversation.context import Context
from shared.conversation.effects import InboundTurn
from shared.conversation.errors import AnswerFailed, LeftOver
from shared.core import logs
from shared.core.constants import (
    LEFT_OVER_AFTER,
    MAX_INBOX_ATTEMPTS,
    STALE_AFTER,
)
from shared.core.enums import SilenceReason
from shared.raffles.models import Order
from shared.whatsapp.content import ContentKind, MessageContent, parse_content
from shared.whatsapp.models import InboundMessage, WhatsAppContact
from shared.whatsapp.services import handover
from shared.whatsapp.services.inbox import contacts, inbox_queue
from shared.whatsapp.services.outbox import message_claims, outbox_queue

_log = logs.get_logger(__name__)


@transaction.atomic(durable=True)
def answer_waiting_messages(
    contact_id: int,
    *,
    now: datetime,
    pivot: int,
    before: int | None = None,
    left_over_since: datetime | None = None,
    counted: CountedAttempt | None = None,
    lease: UUID | None = None,
    joins_texts: bool = True,
    cpu_clock: CpuClock = time.thread_time,
) -> AnswerResult:
    """Answer a buyer's waiting messages in the order in which they were sent.

    Stops after a few messages, and after the first message with an effect: the global order in
    which ticket numbers are locked holds within one hold only, so one transaction must not make a
    second one. The next call answers the rest.

    Args:
        contact_id: the buyer.
        now: the current time.
        pivot: a random integer from 0 to 2^31-1.
        before: the id of a message that failed and waits for its next attempt; answering stops
            before it.
        left_over_since: messages received before this time are left over; None: none are.
        counted: the attempt that was counted beforehand; its message is answered now although its
            next attempt is later.
        lease: the id under which replies are claimed for the caller; None: none are.
        joins_texts: whether texts that wait together get one answer.
        cpu_clock: the processor time of this thread, in seconds.

    Raises:
        AnswerFailed: the first message that cannot be answered; nothing was changed.
        LeftOver: a message is left over; nothing was changed.
        OperationalError, InterfaceError: the database is unavailable, or two transactions
            conflicted.

    """
    contact = contacts.lock_contact(contact_id)
    if contact.erased_at is not None:
        contacts.rehome_messages(contact, now=now)
        return AnswerResult()
    unanswered = inbox_queue.list_unanswered_messages(
        contact.pk, limit=MAX_MESSAGES_PER_TRANSACTION
    )
    waiting = _select_due_messages(unanswered, now=now, before=before, counted=counted)
    if not waiting:
        return AnswerResult()
    if left_over_since and any(message.received_at < left_over_since for message in waiting):
        raise LeftOver(waiting[0].pk)
    with _name_in_logs_and_errors(waiting[0]):  # what fails beside an answer fails for the first
        if contact.is_blocked:
            result = _keep_proofs_silently(
                contact, waiting, now=now, pivot=pivot, cpu_clock=cpu_clock
            )
        else:
            result = AnswerResult(replies=_release_withheld_messages(contact, waiting, now=now))
            result += _answer_in_order(
                contact,
                waiting,
                now=now,
                pivot=pivot,
                counted=counted,
                joins_texts=joins_texts,
                cpu_clock=cpu_clock,
            )
        handled = waiting[: result.messages]
        save_conversations([HandledMessages(contact, handled)], now=now)
        return _claim_replies(contact, result, now=now, lease=lease)


def _release_withheld_messages(
    contact: WhatsAppContact, waiting: Sequence[InboundMessage], *, now: datetime
) -> int:
    """Queue the notices that were withheld until the buyer writes; a STOP asks for none."""
    if all(says_stop(parse_content(message.payload)) for message in waiting):
        return 0
    return outbox_queue.release_withheld_messages(contact, now=now)


def _claim_replies(
    contact: WhatsAppContact, result: AnswerResult, *, now: datetime, lease: UUID | None
) -> AnswerResult:
    if lease is None:
        return result
    claimed = message_claims.claim_queued(
        result.queued, contacts={contact.pk: contact}, now=now, lease=lease
    )
    return replace(result, claimed=tuple(claimed))


def answer_or_record_failure(
    contact_id: int,
    *,
    now: datetime,
    pivot: int,
    lease: UUID | None = None,
    cpu_clock: CpuClock = time.thread_time,
) -> AnswerResult | None:
    """Answer a buyer's waiting messages; if one fails, record it for a retry or give it up.

    The messages before the failing one are answered all the same; those after it wait, so that the
    order is kept. After the last attempt the message is FAILED, an alarm is raised and the buyer
    gets an apology.

    Args:
        contact_id: the buyer.
        now: the current time.
        pivot: a random integer from 0 to 2^31-1.
        lease: the id under which replies are claimed for the caller; None: none are.
        cpu_clock: the processor time of this thread, in seconds.

    Returns:
        The result, or None if a message failed.

    Raises:
        OperationalError, InterfaceError: the database is unavailable; that is not an attempt.

    """
    answer = partial(
        _answer_together_or_one_by_one, contact_id, now=now, pivot=pivot, cpu_clock=cpu_clock
    )
    counted: CountedAttempt | None = None
    try:
        try:
            return answer(left_over_since=now - LEFT_OVER_AFTER, lease=lease)
        except LeftOver as left_over:
            attempts = answer_failures.count_attempt(contact_id, left_over.message_id, now=now)
            if attempts is None:
                return AnswerResult()
            if attempts > MAX_INBOX_ATTEMPTS:
                return AnswerResult(messages=1, replies=1)
            counted = CountedAttempt(left_over.message_id, alone=attempts > 1)
        return answer(counted=counted, lease=lease)
    except AnswerFailed as failed:
        failure = failed
    except (OperationalError, InterfaceError):
        answer_failures.take_back_attempt(counted)
        raise
    if isinstance(failure.__cause__, OperationalError | InterfaceError):
        answer_failures.take_back_attempt(counted)
        raise failure.__cause__  # unchanged: its own cause tells a deadlock from an outage
    _log.error(
        "answer_failed", message_id=failure.message_id, contact_id=contact_id, exc_info=failure
    )
    try:
        answer(before=failure.message_id)
    except AnswerFailed:
        _log.exception("answer_failed_again", contact_id=contact_id)
    answer_failures.record_failure(contact_id, failure, counted=counted, now=now)
    return None


def _answer_together_or_one_by_one(contact_id: int, **arguments: Any) -> AnswerResult:
    """Answer a buyer's waiting messages; if texts cannot be answered together, one by one.

    The arguments and errors are those of `answer_waiting_messages`.
    """
    try:
        return answer_waiting_messages(contact_id, **arguments)
    except AnswerFailed as failed:
        is_unavailable = isinstance(failed.__cause__, OperationalError | InterfaceError)
        if is_unavailable or not failed.has_run:
            raise
        _log.warning("run_failed", message_id=failed.message_id, contact_id=contact_id)
    return answer_waiting_messages(contact_id, joins_texts=False, **arguments)


def _select_due_messages(
    waiting: Sequence[InboundMessage],
    *,
    now: datetime,
    before: int | None,
    counted: CountedAttempt | None,
) -> list[InboundMessage]:
    """Return the messages up to the first that must wait; the later ones wait for the same time."""
    due: list[InboundMessage] = []
    for message in waiting:
        retry_at = message.next_attempt_at
        if message.pk == before:
            break
        if counted is not None and message.pk == counted.message_id:
            if counted.alone:
                return [message]
        elif retry_at is not None and retry_at > now:
            inbox_queue.postpone_later_messages(message)
            break
        due.append(message)
    return due


def _answer_in_order(
    contact: WhatsAppContact,
    waiting: Sequence[InboundMessage],
    *,
    now: datetime,
    pivot: int,
    counted: CountedAttempt | None,
    joins_texts: bool,
    cpu_clock: CpuClock,
) -> AnswerResult:
    result = AnswerResult()
    stale: InboundMessage | None = None
    skipped: InboundMessage | None = None
    answers = 0
    [before] = load_messages_before(waiting[:1])
    recent = RecentMessages(waiting, before=before)
    cpu_deadline = cpu_clock() + MAX_TRANSACTION_CPU_SECONDS
    while (place := result.messages) < len(waiting):
        message = waiting[place]
        message.error = ""
        with _name_in_logs_and_errors(message):
            content = parse_content(message.payload)
            if content.kind is ContentKind.SYSTEM:  # about the buyer, not from them
                result += AnswerResult(messages=1)
                continue
            if now - message.sent_at > STALE_AFTER and not may_act_when_stale(content):
                stale = message
                _leave_unanswered(InboundTurn(contact, message, now, pivot), content)
                result += AnswerResult(messages=1)
                continue
            if recent.is_skipped(place, content):
                skipped, message.error = message, SilenceReason.FLOOD
                _leave_unanswered(InboundTurn(contact, message, now, pivot), content)
                result += AnswerResult(messages=1)
                continue
            run = waiting[place : place + 1]
            if joins_texts:
                run = _take_run(contact, waiting[place:], counted=counted)
                run = recent.end_run_before_flood(place, run)
        with _name_in_logs_and_errors(run[-1], has_run=len(run) > 1):
            turn = begin_turn(contact, run, now=now, pivot=(pivot + place * 7919) % 2**31)
            answering = message_answers.answer_message(
                turn,
                build_run_content(run),
                leads_nowhere=partial(recent.leads_nowhere, place, messages=len(run)),
            )
            answered = answer_alone(answering, cpu_clock=cpu_clock)
            _log.info("answered", type=message.type, state=contact.state, messages=len(run))
        result += answered
        answers += 1
        is_full = answers >= MAX_ANSWERS_PER_TRANSACTION or cpu_clock() > cpu_deadline
        if answered.has_acted or is_full:
            break
    is_paused = handover.is_paused(contact, now=now)  # they may have asked just now
    if skipped is not None and not is_paused:
        with _name_in_logs_and_errors(skipped):
            turn = InboundTurn(contact, skipped, now, pivot)
            result += AnswerResult(replies=silence.tell_flood(turn))
    if stale is not None and not result.replies and not is_paused:
        with _name_in_logs_and_errors(stale):
            summary = message_answers.queue_summary(InboundTurn(contact, stale, now, pivot))
            result += answer_alone(summary, cpu_clock=cpu_clock)
    return result


def _leave_unanswered(turn: InboundTurn, content: MessageContent) -> None:
    """Note what a message without an answer says; during a pause, leave it to a person."""
    message_answers.note_source(turn, content)
    if handover.is_paused(turn.contact, now=turn.now):
        message_answers.leave_to_person(turn, content)


def _take_run(
    contact: WhatsAppContact, waiting: Sequence[InboundMessage], *, counted: CountedAttempt | None
) -> Sequence[InboundMessage]:
    return take_run(
        waiting,
        context=Context.from_json(contact.context),
        counted=() if counted is None else (counted.message_id,),
    )


@contextmanager
def _name_in_logs_and_errors(message: InboundMessage, *, has_run: bool = False) -> Iterator[None]:
    """Add the message's ids to the logs, and raise an error as the failure of this message.

    Args:
        message: the message.
        has_run: whether texts before it are answered together with it.

    """
    with bound_contextvars(correlation_id=message.correlation_id, inbound_id=message.pk):
        try:
            yield
        except AnswerFailed:
            raise  # it names its message
        except Exception as error:
            raise AnswerFailed(message.pk, has_run=has_run) from error


def _keep_proofs_silently(
    contact: WhatsAppContact,
    waiting: Sequence[InboundMessage],
    *,
    now: datetime,
    pivot: int,
    cpu_clock: CpuClock,
) -> AnswerResult:
    """Answer nothing to a blocked buyer, but store what may prove a payment of their orders.

    If several orders are possible, a person chooses, as for any proof without an order.
    """
    result = AnswerResult()
    for message in waiting:
        result += AnswerResult(messages=1)
        message.error = ""
        with _name_in_logs_and_errors(message):
            content = parse_content(message.payload)
        if not is_proof(content) or not Order.objects.filter(contact=contact).exists():
            continue
        with _name_in_logs_and_errors(message):
            turn = InboundTurn(contact, message, now, pivot)
            keeping = message_answers.keep_proof_silently(turn, content)
            answer_alone(keeping, cpu_clock=cpu_clock)
        return result + AnswerResult(has_media=True, has_acted=True)
    return result
