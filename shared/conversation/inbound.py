"""Answers a buyer: their waiting messages in order, in one transaction, or not at all.

One message must not stop the product, whatever is in it. One that raises an error is tried again
and then given up. So is one that takes more than its share of processor time: that is looked at
between the steps of an answer, because no thread can be interrupted from outside. Time that passes
in the database does not count, so a slow database gives up nobody's message.

And if the whole process hangs or dies, nothing can be noted afterwards. So a message that has
waited suspiciously long is noted as a failed try before it is answered, which costs a transaction
that messages answered in time do not pay. After one such try it is answered alone, so that no
other message is counted for it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from structlog.contextvars import bound_contextvars

from shared.conversation import facts, flow
from shared.conversation.effects import InboundTurn, carry_out_effect
from shared.conversation.errors import AnswerFailed, EndlessConversation, LeftOver, TookTooLong
from shared.conversation.flow.reconcile import reconcile_state
from shared.conversation.flow.screens import repeat_prompt
from shared.conversation.parsing import ChatCommand, parse_command
from shared.conversation.texts import guidance
from shared.conversation.values import (
    ButtonTapped,
    BuyerInput,
    Context,
    ConversationEvent,
    KeepProof,
    PictureReceived,
    Reply,
    TextReceived,
    UnreadableReceived,
)
from shared.core import logs, retry
from shared.core.constants import (
    ANSWER_CPU_SECONDS,
    LEFT_OVER_AFTER,
    MAX_INBOX_ATTEMPTS,
    STALE_AFTER,
)
from shared.core.enums import InboxStatus, OrderStatus, OutboxKind, State
from shared.raffles.models import Order
from shared.whatsapp.content import ContentKind, MessageContent, parse_content
from shared.whatsapp.models import InboundMessage, OutboundMessage, WhatsAppContact
from shared.whatsapp.services import alarms
from shared.whatsapp.services.inbox import contacts, inbox_queue
from shared.whatsapp.services.outbox import outbox_queue

_log = logs.get_logger(__name__)

MAX_EFFECTS_PER_MESSAGE: Final = 3
"""Effects one message may lead to; a fourth would be a loop, which is a bug and an alarm."""

PROOF_MEDIA_TYPES: Final = ("image/", "application/pdf")
"""What a payment proof may announce itself as; its content decides later."""


type CpuClock = Callable[[], float]
"""Processor time of this thread in seconds, such as `time.thread_time`."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A message whose try was counted before it began.

    Attributes:
        message_id: the message.
        alone: whether no other message is answered with it.

    """

    message_id: int
    alone: bool


@dataclass(frozen=True, slots=True)
class AnswerResult:
    """What came of answering a buyer.

    Attributes:
        messages: how many of their messages were dealt with; more may wait.
        replies: how many messages were queued for them.
        media: whether a proof's file is to be fetched.
        acted: whether an order was acted on.

    """

    messages: int = 0
    replies: int = 0
    media: bool = False
    acted: bool = False

    def __add__(self, other: "AnswerResult") -> "AnswerResult":
        return AnswerResult(
            self.messages + other.messages,
            self.replies + other.replies,
            self.media or other.media,
            self.acted or other.acted,
        )


@transaction.atomic(durable=True)
def answer_waiting_messages(
    contact_id: int,
    *,
    now: datetime,
    pivot: int,
    before: int | None = None,
    left_over_since: datetime | None = None,
    begun: Begun | None = None,
    cpu_clock: CpuClock = time.thread_time,
) -> AnswerResult:
    """Answer a buyer's waiting messages by the time they were sent.

    Ends with the first that acted on an order: ticket numbers are locked in one global order only
    within one hold, so a transaction must not go on to the next. The rest is for the next call.

    Args:
        contact_id: the buyer.
        now: the clock.
        pivot: a die from 0 to 2^31-1.
        before: stop at this message, which failed by itself and waits for another try.
        left_over_since: messages received before that are left over; None: none is.
        begun: the message that is tried now although it is noted to be tried later.
        cpu_clock: processor time of this thread, in seconds.

    Raises:
        AnswerFailed: for the first message that cannot be answered; nothing was changed.
        LeftOver: a message is left over; nothing was changed.
        OperationalError, InterfaceError: the database is away, or the transaction met another.

    """
    contact = contacts.lock_contact(contact_id)
    waiting = _select_due_messages(
        inbox_queue.list_unanswered_messages(contact_id), now=now, before=before, begun=begun
    )
    if not waiting:
        return AnswerResult()
    if left_over_since and any(message.received_at < left_over_since for message in waiting):
        raise LeftOver(waiting[0].pk)
    if contact.is_blocked:
        done = _keep_proofs_silently(contact, waiting, now=now, pivot=pivot)
    else:
        released = outbox_queue.release_withheld_messages(contact, now=now)
        done = AnswerResult(replies=released)
        done += _answer_in_order(contact, waiting, now=now, pivot=pivot, cpu_clock=cpu_clock)
    handled = waiting[: done.messages]
    _update_last_inbound(contact, handled, now=now)
    contact.save(update_fields=["state", "context", "last_inbound_at"])
    InboundMessage.objects.filter(pk__in=[message.pk for message in handled]).update(
        status=InboxStatus.PROCESSED, processed_at=now, next_attempt_at=None, error=""
    )
    return done


def answer_or_record_failure(
    contact_id: int, *, now: datetime, pivot: int, cpu_clock: CpuClock = time.thread_time
) -> AnswerResult | None:
    """Answer a buyer; where that fails, note it so that it is tried again and then given up.

    What was written before the failing message is answered all the same; what was written after
    it waits, so that the order holds. After the last try the message is FAILED, an alarm says so
    and the buyer gets an apology.

    Returns:
        What was answered, or None if a message failed.

    Raises:
        OperationalError, InterfaceError: the database is away; that counts as no try.

    """
    since = now - LEFT_OVER_AFTER
    begun: Begun | None = None
    try:
        try:
            return answer_waiting_messages(
                contact_id, now=now, pivot=pivot, left_over_since=since, cpu_clock=cpu_clock
            )
        except LeftOver as found:
            attempts = _begin_left_over(contact_id, found.message_id, now=now)
            if attempts is None:
                return AnswerResult()
            if attempts > MAX_INBOX_ATTEMPTS:
                return AnswerResult(messages=1, replies=1)
            begun = Begun(found.message_id, alone=attempts > 1)
        return answer_waiting_messages(
            contact_id, now=now, pivot=pivot, begun=begun, cpu_clock=cpu_clock
        )
    except AnswerFailed as failed:
        failure = failed
    except (OperationalError, InterfaceError):
        _take_back(begun)
        raise
    if isinstance(failure.__cause__, OperationalError | InterfaceError):
        _take_back(begun)
        raise failure.__cause__  # as it came: what caused it tells a deadlock from an outage
    _log.error(
        "answer_failed", message_id=failure.message_id, contact_id=contact_id, exc_info=failure
    )
    try:
        answer_waiting_messages(
            contact_id, now=now, pivot=pivot, before=failure.message_id, cpu_clock=cpu_clock
        )
    except AnswerFailed:
        _log.exception("answer_failed_again", contact_id=contact_id)
    _record_failure(contact_id, failure, begun=begun, now=now)
    return None


def _select_due_messages(
    waiting: Sequence[InboundMessage], *, now: datetime, before: int | None, begun: Begun | None
) -> list[InboundMessage]:
    """Take messages up to the first that must wait; those behind it wait as long."""
    due: list[InboundMessage] = []
    for place, message in enumerate(waiting):
        retry_at = message.next_attempt_at
        if message.pk == before:
            break
        if begun is not None and message.pk == begun.message_id:
            if begun.alone:
                return [message]
        elif retry_at is not None and retry_at > now:
            behind = [later.pk for later in waiting[place + 1 :]]
            InboundMessage.objects.filter(pk__in=behind).update(next_attempt_at=retry_at)
            break
        due.append(message)
    return due


def _update_last_inbound(
    contact: WhatsAppContact, waiting: Sequence[InboundMessage], *, now: datetime
) -> None:
    """Move the start of the 24 h window: it counts from the time of what the buyer wrote.

    A `system` message tells of the buyer and is not theirs; a clock that is ahead opens nothing
    beyond now.
    """
    for message in waiting:
        written = min(message.sent_at, now)
        known = contact.last_inbound_at
        if message.type != "system" and (known is None or written > known):
            contact.last_inbound_at = written


def _answer_in_order(
    contact: WhatsAppContact,
    waiting: Sequence[InboundMessage],
    *,
    now: datetime,
    pivot: int,
    cpu_clock: CpuClock,
) -> AnswerResult:
    done = AnswerResult()
    stale: InboundMessage | None = None
    share_ends = cpu_clock() + ANSWER_CPU_SECONDS
    for place, message in enumerate(waiting):
        turn = InboundTurn(contact, message, now, (pivot + place * 7919) % 2**31)
        with _answering(message):
            said = parse_content(message.payload)
            if now - message.sent_at > STALE_AFTER and not _may_act_when_stale(said):
                stale = message
                done += AnswerResult(messages=1)
                continue
            answered = _answer_message(turn, said, cpu_clock=cpu_clock)
            _log.info("answered", type=message.type, state=contact.state)
        done += answered
        if answered.acted or cpu_clock() > share_ends:
            break
    if stale is not None and not done.replies:
        with _answering(stale):
            done += _send_summary(InboundTurn(contact, stale, now, pivot))
    return done


@contextmanager
def _answering(message: InboundMessage) -> Iterator[None]:
    """Name the message in the logs, and as what failed if anything does."""
    with bound_contextvars(correlation_id=message.correlation_id, inbound_id=message.pk):
        try:
            yield
        except Exception as error:
            raise AnswerFailed(message.pk) from error


def _keep_proofs_silently(
    contact: WhatsAppContact, waiting: Sequence[InboundMessage], *, now: datetime, pivot: int
) -> AnswerResult:
    """Answer a blocked buyer nothing, yet lose no payment: what they send while they owe is kept.

    Of several orders that want payment a person chooses, as for any proof that fits none.
    """
    done = AnswerResult()
    for message in waiting:
        done += AnswerResult(messages=1)
        with _answering(message):
            said = parse_content(message.payload)
        owed = Order.objects.filter(contact=contact, status=OrderStatus.PENDING_PAYMENT)
        keys = list(owed.values_list("pk", flat=True)[:2])
        if not keys or not _is_proof(said):
            continue
        turn = InboundTurn(contact, message, now, pivot)
        meant = _find_order_replied_to(said.replied_to, turn)
        only = keys[0] if len(keys) == 1 else None
        with _answering(message):
            carry_out_effect(KeepProof(meant if meant in keys else only), turn)
        return done + AnswerResult(media=True, acted=True)
    return done


def _may_act_when_stale(said: MessageContent) -> bool:
    """Whether a message acts however late it comes: a proof, or an exact CANCEL."""
    if _is_proof(said):
        return True
    heard = parse_command(said.text) if said.kind is ContentKind.TEXT else None
    return heard is not None and heard.command is ChatCommand.CANCEL and heard.surely


def _answer_message(
    turn: InboundTurn, said: MessageContent, *, cpu_clock: CpuClock
) -> AnswerResult:
    share_ends = cpu_clock() + ANSWER_CPU_SECONDS
    contact = turn.contact
    event: ConversationEvent = _build_event(said, turn)
    media = acted = False
    for _ in range(MAX_EFFECTS_PER_MESSAGE + 1):
        known = facts.gather_facts(contact, now=turn.now, pivot=turn.pivot)
        step = flow.step(State(contact.state), Context.from_json(contact.context), event, known)
        if cpu_clock() > share_ends:
            raise TookTooLong(f"message {turn.message.pk} took more than its share")
        contact.state, contact.context = step.state, step.context.as_json()
        if step.effect is None:
            _queue_replies(step.replies, turn)
            return AnswerResult(messages=1, replies=len(step.replies), media=media, acted=acted)
        acted, media = True, media or isinstance(step.effect, KeepProof)
        event = carry_out_effect(step.effect, turn)
    raise EndlessConversation(f"message {turn.message.pk} came to no answer")


def _build_event(said: MessageContent, turn: InboundTurn) -> BuyerInput:
    if said.kind is ContentKind.TEXT:
        return TextReceived(said.text)
    if said.kind is ContentKind.TAP:
        return ButtonTapped(said.reply_id, said.text)
    if _is_proof(said):
        return PictureReceived(_find_order_replied_to(said.replied_to, turn))
    return UnreadableReceived(said.kind.value.lower())


def _is_proof(said: MessageContent) -> bool:
    if said.media is None or said.kind not in {ContentKind.IMAGE, ContentKind.DOCUMENT}:
        return False
    return said.kind is ContentKind.IMAGE or said.media.mime_type.startswith(PROOF_MEDIA_TYPES)


def _find_order_replied_to(wa_message_id: str, turn: InboundTurn) -> int | None:
    """Find the order a message of ours was about, when the buyer replied to that message."""
    if not wa_message_id:
        return None
    about = OutboundMessage.objects.filter(
        wa_message_id=wa_message_id, contact=turn.contact
    ).values_list("about", flat=True)
    code = about.first()
    if not code:
        return None
    mine = Order.objects.filter(code=code, contact=turn.contact)
    return mine.values_list("pk", flat=True).first()


def _queue_replies(replies: Sequence[Reply], turn: InboundTurn) -> None:
    for reply in replies:
        outbox_queue.enqueue_message(
            turn.contact,
            reply.message(),
            key=reply.key,
            kind=OutboxKind.REPLY,
            now=turn.now,
            in_reply_to=turn.message,
            about=reply.about,
            correlation_id=turn.message.correlation_id,
        )


def _send_summary(turn: InboundTurn) -> AnswerResult:
    """Say once where the buyer stands, after messages too old to act upon."""
    contact = turn.contact
    known = facts.gather_facts(contact, now=turn.now, pivot=turn.pivot)
    state, context = reconcile_state(
        State(contact.state), Context.from_json(contact.context), known
    )
    step = repeat_prompt(state, context, known, note=guidance.build_back_again_note())
    contact.state, contact.context = step.state, step.context.as_json()
    if _has_recent_summary(turn):
        return AnswerResult()
    _queue_replies([_rekey_as_summary(reply) for reply in step.replies], turn)
    return AnswerResult(replies=len(step.replies))


SUMMARY_KEY: Final = "back_again"


def _rekey_as_summary(reply: Reply) -> Reply:
    return Reply(
        SUMMARY_KEY, reply.body, reply.buttons, reply.rows, reply.list_button, about=reply.about
    )


def _has_recent_summary(turn: InboundTurn) -> bool:
    return OutboundMessage.objects.filter(
        contact=turn.contact, key=SUMMARY_KEY, created_at__gt=turn.now - STALE_AFTER
    ).exists()


# ── a message that fails by itself ────────────────────────────────────────────────────────────


UNFINISHED: Final = "Unfinished"
"""Error of a message whose try was begun; it stays if the process dies of it."""


@transaction.atomic(durable=True)
def _begin_left_over(contact_id: int, message_id: int, *, now: datetime) -> int | None:
    """Note a try as failed before it begins, so that it counts even if this process dies of it.

    Until the next try is due no other gateway begins one.

    Returns:
        Which try it is; one more than `MAX_INBOX_ATTEMPTS` if the message was given up instead.
        None if another gateway has begun or answered it.

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
    message.next_attempt_at = _next_try(message, now=now)
    message.save(update_fields=["attempts", "error", "next_attempt_at"])
    return message.attempts


def _take_back(begun: Begun | None) -> None:
    """Count no try where the database went away; if it is still away, the try counts."""
    if begun is None:
        return
    with suppress(OperationalError, InterfaceError):
        InboundMessage.objects.filter(pk=begun.message_id, attempts__gt=0).update(
            attempts=F("attempts") - 1, next_attempt_at=None
        )


@transaction.atomic(durable=True)
def _record_failure(
    contact_id: int, failure: AnswerFailed, *, begun: Begun | None, now: datetime
) -> None:
    contact = contacts.lock_contact(contact_id)
    message = InboundMessage.objects.get(pk=failure.message_id)
    if message.status != InboxStatus.RECEIVED:
        return
    if begun is None or begun.message_id != message.pk:
        message.attempts += 1
    message.error = " ".join(_list_error_kinds(failure))[:500]
    if message.attempts < MAX_INBOX_ATTEMPTS:
        message.next_attempt_at = _next_try(message, now=now)
    else:
        _give_up_message(contact, message, now=now)
    message.save(update_fields=["attempts", "error", "next_attempt_at", "status", "processed_at"])


def _next_try(message: InboundMessage, *, now: datetime) -> datetime:
    return now + retry.compute_exponential_wait(
        message.attempts, base=timedelta(seconds=1), cap=timedelta(seconds=30)
    )


def _list_error_kinds(failure: AnswerFailed) -> Iterator[str]:
    """Name the kinds of error, not their words: those may quote what the buyer wrote."""
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
        reply.message(),
        key=reply.key,
        kind=OutboxKind.REPLY,
        now=now,
        in_reply_to=message,
        correlation_id=message.correlation_id,
    )
