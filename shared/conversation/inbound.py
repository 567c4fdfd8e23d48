"""Answers to a buyer's waiting messages: in order, in one transaction.

No message may stop the gateway, whatever it contains. A message that raises an error is retried and
then given up. The same applies to a message that takes more than `ANSWER_CPU_SECONDS` of processor
time. The time is checked between the steps of an answer, because no thread can be interrupted from
outside. Waiting for the database does not count, so a slow database gives no message up.

A transaction answers few messages, so that others are served in between, however much a buyer
writes. What is kept without an answer is decided by `inbound_limits` and `inbound_silence`.

If the whole process hangs or dies, it cannot record anything. Therefore a message that has waited
for longer than `LEFT_OVER_AFTER` is recorded as a failed attempt before it is answered. That takes
a transaction more, which messages answered in time do not need. After one such attempt the message
is answered alone, so that no other message is blamed for it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from django.db import InterfaceError, OperationalError, transaction
from structlog.contextvars import bound_contextvars

from shared.conversation import facts, flow, inbound_failures, inbound_silence
from shared.conversation.context import Context
from shared.conversation.effects import InboundTurn, carry_out_effect
from shared.conversation.errors import AnswerFailed, EndlessConversation, LeftOver, TookTooLong
from shared.conversation.flow.receipt_evidence import choose_order_for_picture
from shared.conversation.flow.reconcile import reconcile_state
from shared.conversation.flow.screens import repeat_prompt
from shared.conversation.inbound_events import (
    build_event,
    is_proof,
    list_codes,
    list_order_ids,
    may_act_when_stale,
)
from shared.conversation.inbound_failures import CountedAttempt
from shared.conversation.inbound_limits import (
    MAX_ANSWERS_PER_TRANSACTION,
    MAX_MESSAGES_PER_TRANSACTION,
    MAX_TRANSACTION_CPU_SECONDS,
)
from shared.conversation.inbound_silence import RecentMessages
from shared.conversation.texts import guidance
from shared.conversation.values import (
    ConversationEvent,
    Effect,
    KeepProof,
    PictureReceived,
    Reply,
)
from shared.core import logs
from shared.core.constants import (
    ANSWER_CPU_SECONDS,
    LEFT_OVER_AFTER,
    MAX_INBOX_ATTEMPTS,
    STALE_AFTER,
)
from shared.core.enums import InboxStatus, OutboxKind, SilenceReason, State
from shared.raffles.models import Order
from shared.whatsapp.content import ContentKind, MessageContent, parse_content
from shared.whatsapp.models import InboundMessage, OutboundMessage, WhatsAppContact
from shared.whatsapp.services.inbox import contacts, inbox_queue
from shared.whatsapp.services.outbox import outbox_queue

_log = logs.get_logger(__name__)

MAX_EFFECTS_PER_MESSAGE: Final = 3
"""Most effects of one message; a fourth one would be a loop, which is a bug."""


type CpuClock = Callable[[], float]
"""A function that returns the processor time of this thread in seconds."""


@dataclass(frozen=True, slots=True)
class AnswerResult:
    """The result of answering a buyer.

    Attributes:
        messages: the count of answered messages; more may wait.
        replies: the count of messages that were queued for the buyer.
        has_media: whether a proof's file has to be downloaded.
        has_acted: whether an effect was carried out.

    """

    messages: int = 0
    replies: int = 0
    has_media: bool = False
    has_acted: bool = False

    def __add__(self, other: "AnswerResult") -> "AnswerResult":
        return AnswerResult(
            self.messages + other.messages,
            self.replies + other.replies,
            self.has_media or other.has_media,
            self.has_acted or other.has_acted,
        )


@transaction.atomic(durable=True)
def answer_waiting_messages(
    contact_id: int,
    *,
    now: datetime,
    pivot: int,
    before: int | None = None,
    left_over_since: datetime | None = None,
    counted: CountedAttempt | None = None,
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
    if contact.is_blocked:
        result = _keep_proofs_silently(contact, waiting, now=now, pivot=pivot)
    else:
        released = outbox_queue.release_withheld_messages(contact, now=now)
        result = AnswerResult(replies=released)
        result += _answer_in_order(contact, waiting, now=now, pivot=pivot, cpu_clock=cpu_clock)
    handled = waiting[: result.messages]
    _update_last_inbound(contact, handled, now=now)
    contact.save(update_fields=["state", "context", "last_inbound_at"])
    _mark_processed(handled, now=now)
    return result


def answer_or_record_failure(
    contact_id: int, *, now: datetime, pivot: int, cpu_clock: CpuClock = time.thread_time
) -> AnswerResult | None:
    """Answer a buyer's waiting messages; if one fails, record it for a retry or give it up.

    The messages before the failing one are answered all the same; those after it wait, so that the
    order is kept. After the last attempt the message is FAILED, an alarm is raised and the buyer
    gets an apology.

    Args:
        contact_id: the buyer.
        now: the current time.
        pivot: a random integer from 0 to 2^31-1.
        cpu_clock: the processor time of this thread, in seconds.

    Returns:
        The result, or None if a message failed.

    Raises:
        OperationalError, InterfaceError: the database is unavailable; that is not an attempt.

    """
    since = now - LEFT_OVER_AFTER
    counted: CountedAttempt | None = None
    try:
        try:
            return answer_waiting_messages(
                contact_id, now=now, pivot=pivot, left_over_since=since, cpu_clock=cpu_clock
            )
        except LeftOver as left_over:
            attempts = inbound_failures.count_attempt(contact_id, left_over.message_id, now=now)
            if attempts is None:
                return AnswerResult()
            if attempts > MAX_INBOX_ATTEMPTS:
                return AnswerResult(messages=1, replies=1)
            counted = CountedAttempt(left_over.message_id, alone=attempts > 1)
        return answer_waiting_messages(
            contact_id, now=now, pivot=pivot, counted=counted, cpu_clock=cpu_clock
        )
    except AnswerFailed as failed:
        failure = failed
    except (OperationalError, InterfaceError):
        inbound_failures.take_back_attempt(counted)
        raise
    if isinstance(failure.__cause__, OperationalError | InterfaceError):
        inbound_failures.take_back_attempt(counted)
        raise failure.__cause__  # unchanged: its own cause tells a deadlock from an outage
    _log.error(
        "answer_failed", message_id=failure.message_id, contact_id=contact_id, exc_info=failure
    )
    try:
        answer_waiting_messages(
            contact_id, now=now, pivot=pivot, before=failure.message_id, cpu_clock=cpu_clock
        )
    except AnswerFailed:
        _log.exception("answer_failed_again", contact_id=contact_id)
    inbound_failures.record_failure(contact_id, failure, counted=counted, now=now)
    return None


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


def _update_last_inbound(
    contact: WhatsAppContact, handled: Sequence[InboundMessage], *, now: datetime
) -> None:
    """Set the start of the 24-hour window: the time when the buyer wrote last.

    A `system` message is about the buyer but not from them. A time in the future counts as now.
    """
    for message in handled:
        sent_at = min(message.sent_at, now)
        last = contact.last_inbound_at
        if message.type != "system" and (last is None or sent_at > last):
            contact.last_inbound_at = sent_at


def _mark_processed(handled: Sequence[InboundMessage], *, now: datetime) -> None:
    """Record that messages were handled, and why some got no answer."""
    by_reason: dict[str, list[int]] = {}
    for message in handled:
        by_reason.setdefault(message.error, []).append(message.pk)
    for reason, ids in by_reason.items():
        InboundMessage.objects.filter(pk__in=ids).update(
            status=InboxStatus.PROCESSED, processed_at=now, next_attempt_at=None, error=reason
        )


def _answer_in_order(
    contact: WhatsAppContact,
    waiting: Sequence[InboundMessage],
    *,
    now: datetime,
    pivot: int,
    cpu_clock: CpuClock,
) -> AnswerResult:
    result = AnswerResult()
    stale: InboundMessage | None = None
    skipped: InboundMessage | None = None
    answers = 0
    recent = RecentMessages(waiting)
    cpu_deadline = cpu_clock() + MAX_TRANSACTION_CPU_SECONDS
    for place, message in enumerate(waiting):
        message.error = ""
        turn = InboundTurn(contact, message, now, (pivot + place * 7919) % 2**31)
        with _name_in_logs_and_errors(message):
            content = parse_content(message.payload)
            if content.kind is ContentKind.SYSTEM:  # about the buyer, not from them
                result += AnswerResult(messages=1)
                continue
            if now - message.sent_at > STALE_AFTER and not may_act_when_stale(content):
                stale = message
                result += AnswerResult(messages=1)
                continue
            if recent.is_skipped(place, content):
                skipped, message.error = message, SilenceReason.FLOOD
                result += AnswerResult(messages=1)
                continue
            answered = _answer_message(
                turn,
                content,
                leads_nowhere=partial(recent.leads_nowhere, place),
                cpu_clock=cpu_clock,
            )
            _log.info("answered", type=message.type, state=contact.state)
        result += answered
        answers += 1
        is_full = answers >= MAX_ANSWERS_PER_TRANSACTION or cpu_clock() > cpu_deadline
        if answered.has_acted or is_full:
            break
    if skipped is not None:
        with _name_in_logs_and_errors(skipped):
            turn = InboundTurn(contact, skipped, now, pivot)
            result += AnswerResult(replies=inbound_silence.tell_flood(turn))
    if stale is not None and not result.replies:
        with _name_in_logs_and_errors(stale):
            result += _send_summary(InboundTurn(contact, stale, now, pivot))
    return result


@contextmanager
def _name_in_logs_and_errors(message: InboundMessage) -> Iterator[None]:
    """Add the message's ids to the logs, and raise any error as the failure of this message."""
    with bound_contextvars(correlation_id=message.correlation_id, inbound_id=message.pk):
        try:
            yield
        except Exception as error:
            raise AnswerFailed(message.pk) from error


def _keep_proofs_silently(
    contact: WhatsAppContact, waiting: Sequence[InboundMessage], *, now: datetime, pivot: int
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
            _keep_proof_silently(InboundTurn(contact, message, now, pivot), content)
        return result + AnswerResult(has_media=True, has_acted=True)
    return result


def _keep_proof_silently(turn: InboundTurn, content: MessageContent) -> None:
    event = build_event(content, turn)
    known = facts.gather_facts(
        turn.contact,
        now=turn.now,
        pivot=turn.pivot,
        codes=list_codes(event),
        order_ids=list_order_ids(event),
    )
    if isinstance(event, PictureReceived):
        carry_out_effect(choose_order_for_picture(event, known), turn)


def _answer_message(
    turn: InboundTurn,
    content: MessageContent,
    *,
    leads_nowhere: Callable[[Effect | None], bool],
    cpu_clock: CpuClock,
) -> AnswerResult:
    cpu_deadline = cpu_clock() + ANSWER_CPU_SECONDS
    contact = turn.contact
    before = inbound_silence.forget_old_misses(turn, Context.from_json(contact.context))
    question = inbound_silence.find_open_question(State(contact.state), before)
    if inbound_silence.answers_later_question(content, turn, before):
        return _handle_early_answer(turn, before)
    context = before
    event: ConversationEvent = build_event(content, turn)
    has_media = has_acted = False
    for _ in range(MAX_EFFECTS_PER_MESSAGE + 1):
        known = facts.gather_facts(
            contact,
            now=turn.now,
            pivot=turn.pivot,
            codes=list_codes(event),
            order_ids=list_order_ids(event),
        )
        step = flow.step(State(contact.state), context, event, known)
        if cpu_clock() > cpu_deadline:
            raise TookTooLong(f"message {turn.message.pk} took more than its share")
        if not has_acted and leads_nowhere(step.effect):
            return _fall_silent(turn)
        contact.state, context = step.state, step.context
        contact.context = context.to_json()
        if step.effect is None:
            sent = _queue_replies(step.replies, turn)
            _remember_question(turn, sent, before=before, question_before=question)
            if not sent and context.misses > before.misses:
                _fall_silent(turn)
            return AnswerResult(1, len(sent), has_media=has_media, has_acted=has_acted)
        has_acted, has_media = True, has_media or isinstance(step.effect, KeepProof)
        event = carry_out_effect(step.effect, turn)
    raise EndlessConversation(f"message {turn.message.pk} came to no answer")


def _fall_silent(turn: InboundTurn) -> AnswerResult:
    """Answer nothing to a message that leads nowhere, and let the seller know."""
    turn.message.error = SilenceReason.LOOP
    inbound_silence.sound_loop_alarm(turn)
    return AnswerResult(messages=1)


def _handle_early_answer(turn: InboundTurn, context: Context) -> AnswerResult:
    """Do nothing with a yes or no from before the question; repeat one that was not delivered."""
    question_id = context.question_message_id
    if question_id is not None and inbound_silence.is_on_its_way(question_id):
        turn.message.error = SilenceReason.TOO_EARLY
        return AnswerResult(messages=1)
    contact = turn.contact
    known = facts.gather_facts(contact, now=turn.now, pivot=turn.pivot)
    state, context = reconcile_state(State(contact.state), context, known)
    step = repeat_prompt(state, context.without_open_question(), known)
    contact.state, contact.context = step.state, step.context.to_json()
    sent = _queue_replies(step.replies, turn)
    _remember_question(turn, sent, before=context, question_before="")
    return AnswerResult(1, len(sent))


def _remember_question(
    turn: InboundTurn,
    sent: Sequence[OutboundMessage],
    *,
    before: Context,
    question_before: str,
) -> None:
    """Store which message asked the open question first."""
    contact = turn.contact
    context = Context.from_json(contact.context)
    question = inbound_silence.find_open_question(State(contact.state), context)
    message_id = sent[-1].pk if question and sent else None
    if question and question == question_before:
        message_id = before.question_message_id
    contact.context = context.with_changes(question_message_id=message_id).to_json()


def _queue_replies(replies: Sequence[Reply], turn: InboundTurn) -> list[OutboundMessage]:
    return [
        outbox_queue.enqueue_message(
            turn.contact,
            reply.to_whatsapp_message(),
            key=reply.key,
            kind=OutboxKind.REPLY,
            now=turn.now,
            in_reply_to=turn.message,
            about=reply.about,
            correlation_id=turn.message.correlation_id,
        )
        for reply in replies
    ]


def _send_summary(turn: InboundTurn) -> AnswerResult:
    """Queue one summary of the conversation after messages that are too old to act on."""
    contact = turn.contact
    known = facts.gather_facts(contact, now=turn.now, pivot=turn.pivot)
    state, context = reconcile_state(
        State(contact.state), Context.from_json(contact.context), known
    )
    step = repeat_prompt(state, context, known, note=guidance.build_back_again_note())
    contact.state, contact.context = step.state, step.context.to_json()
    if _has_recent_summary(turn):
        return AnswerResult()
    _queue_replies([_rekey_as_summary(reply) for reply in step.replies], turn)
    return AnswerResult(replies=len(step.replies))


SUMMARY_KEY: Final = "back_again"
"""Key of the summary in the outbox."""


def _rekey_as_summary(reply: Reply) -> Reply:
    return Reply(
        SUMMARY_KEY, reply.body, reply.buttons, reply.rows, reply.list_button, about=reply.about
    )


def _has_recent_summary(turn: InboundTurn) -> bool:
    return OutboundMessage.objects.filter(
        contact=turn.contact, key=SUMMARY_KEY, created_at__gt=turn.now - STALE_AFTER
    ).exists()
