"""Answers to many buyers at once, in one transaction.

A batch answers the first waiting message of each buyer, words or a tap, with the texts that share
its answer, by the same functions as `waiting_messages` does for a buyer alone. It advances all
answers in rounds and resolves the requests of a kind together, so that a statement serves all of
them. Whatever is rare, and everything about receipts, is left to `waiting_messages`, which answers
one contact after the other.

Locks that may wait come first, and never in another order than any other transaction takes them:
the contacts, without waiting, because another gateway may be answering them; then those of
`effect_locks`.

Messages that have waited for longer than `LEFT_OVER_AFTER` are answered in a second transaction,
after their attempts were counted; `waiting_messages` says why.

A batch that fails is rolled back. Its contacts are then answered one by one, and only that counts
as an attempt, so no buyer waits because of another one's message.
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction

from shared.conversation.answering import answer_failures, message_answers
from shared.conversation.answering.answer_requests import (
    RESOLVERS,
    Answering,
    AnswerRequest,
    CarryOut,
    QueueReplies,
    resolve_requests,
)
from shared.conversation.answering.batch_results import BatchResult
from shared.conversation.answering.inbound_records import HandledMessages, save_conversations
from shared.conversation.answering.message_answers import AnswerResult
from shared.conversation.answering.silence import RecentMessages, load_recent_messages
from shared.conversation.answering.text_runs import begin_turn, build_run_content, take_run
from shared.conversation.context import Context
from shared.conversation.effects import InboundTurn
from shared.conversation.errors import EffectAfterEffect, TookTooLong
from shared.conversation.values import CancelOwnOrder, HoldNumbers, HoldRandom, PlaceOrder
from shared.core import logs
from shared.core.constants import ANSWER_CPU_SECONDS, LEFT_OVER_AFTER, STALE_AFTER
from shared.core.deadlocks import is_deadlock
from shared.core.statements.compiled_queries import CompiledQuery, IsIn
from shared.whatsapp.content import ContentKind, MessageContent, parse_content
from shared.whatsapp.models import InboundMessage, OutboundMessage, WhatsAppContact
from shared.whatsapp.predicates import WITHHELD_OUTBOUND
from shared.whatsapp.services.inbox import contacts, inbox_queue
from shared.whatsapp.services.outbox import message_claims

_log = logs.get_logger(__name__)

MAX_BATCH_CPU_SECONDS: Final = 0.25
"""Processor time after which no further answer of a batch is decided."""

MAX_WAITING_MESSAGES: Final = inbox_queue.MAX_FIRST_MESSAGES - 1
"""More waiting messages may be a flood, which `waiting_messages` answers 200 at a time."""

PIVOT_STEP: Final = 1_327_217_885
"""Distance between the pivots of neighbours: 2^31 divided by the golden ratio, to spread them."""

BATCHED_EFFECTS: Final = (HoldRandom, HoldNumbers, PlaceOrder, CancelOwnOrder)
"""Effects that `effect_locks` knows how to lock for; none of them concerns a receipt."""


@dataclass(slots=True, eq=False)
class _Answer:
    """An answer under way.

    Attributes:
        request: what it waits for; None once it is complete.
        result: its result; None until it is complete.

    """

    turn: InboundTurn
    steps: Answering[AnswerResult]
    request: AnswerRequest | None = None
    result: AnswerResult | None = None

    def advance(self, result: Any, *, cpu_clock: Callable[[], float]) -> None:
        """Go on with the result of the last request.

        Raises:
            TookTooLong: this took more than `ANSWER_CPU_SECONDS` of processor time.

        """
        began = cpu_clock()
        with self.turn.bind_logs():
            try:
                self.request = self.steps.send(result)
            except StopIteration as end:
                self.request, self.result = None, end.value
        if cpu_clock() - began > ANSWER_CPU_SECONDS:
            raise TookTooLong(f"message {self.turn.message.pk} took more than its share")


@dataclass(slots=True)
class _Batch:
    """A batch under way; attributes with the names of those of `BatchResult` become these.

    Attributes:
        counted: messages whose attempt was counted beforehand; None: none was so far.
        left_over: the contacts whose attempt must be counted first.

    """

    cpu_clock: Callable[[], float]
    counted: frozenset[int] | None = None
    answers: list[_Answer] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    left_over: list[int] = field(default_factory=list)
    postponed: list[int] = field(default_factory=list)
    answered: AnswerResult = field(default_factory=AnswerResult)
    has_more: bool = False

    def build_result(self) -> BatchResult:
        return BatchResult(
            self.answered, tuple(self.left), tuple(self.postponed), has_more=self.has_more
        )


def answer_contacts(
    contact_ids: Sequence[int],
    *,
    now: datetime,
    pivot: int,
    lease: UUID | None = None,
    cpu_clock: Callable[[], float] = time.thread_time,
) -> BatchResult:
    """Answer the first waiting message of several buyers, with the texts that share its answer.

    Their effects are carried out in the order of `contact_ids`: of two buyers who chose the same
    ticket number the first one gets it.

    Args:
        contact_ids: the buyers.
        now: the current time.
        pivot: a random integer from 0 to 2^31-1.
        lease: the id under which replies are claimed for the caller; None: none are.
        cpu_clock: the processor time of this thread, in seconds.

    Returns:
        The result. If the batch failed, all contacts are left to be answered one by one.

    Raises:
        OperationalError, InterfaceError: the database is unavailable.

    """
    batch = _Batch(cpu_clock)
    answer = partial(_answer_or_leave, now=now, pivot=pivot, lease=lease)
    answer(batch, contact_ids)
    if not batch.left_over:
        return batch.build_result()
    counted = answer_failures.count_first_attempts(batch.left_over, now=now)
    late = _Batch(cpu_clock, counted=frozenset(counted))
    try:
        answer(late, batch.left_over)
    except (OperationalError, InterfaceError):
        answer_failures.take_back_first_attempts(counted)
        raise
    if late.left or late.postponed:
        answer_failures.take_back_first_attempts(counted)
    return batch.build_result() + late.build_result()


def _answer_or_leave(
    batch: _Batch, contact_ids: Sequence[int], *, now: datetime, pivot: int, lease: UUID | None
) -> None:
    """Answer a batch; if it fails, leave all its contacts to be answered one by one."""
    try:
        _answer_batch(batch, contact_ids, now=now, pivot=pivot, lease=lease)
    except (OperationalError, InterfaceError) as error:
        if not (isinstance(error, OperationalError) and is_deadlock(error)):
            raise
        _log.info("batch_collided", contacts=len(contact_ids))
        _leave_all(batch, contact_ids)
    except Exception:  # noqa: BLE001 - each contact records its own failure when it is alone
        _log.exception("batch_failed", contacts=len(contact_ids))
        _leave_all(batch, contact_ids)
    for answer in batch.answers:
        with answer.turn.bind_logs():
            _log.info("answered", type=answer.turn.message.type, state=answer.turn.contact.state)


def _leave_all(batch: _Batch, contact_ids: Sequence[int]) -> None:
    batch.answers, batch.left, batch.left_over, batch.postponed = [], list(contact_ids), [], []
    batch.answered = AnswerResult()


def compute_pivot(pivot: int, *, place: int) -> int:
    """Return the pivot of the buyer at a place of a batch."""
    return (pivot + place * PIVOT_STEP) % 2**31


@transaction.atomic(durable=True)
def _answer_batch(
    batch: _Batch, contact_ids: Sequence[int], *, now: datetime, pivot: int, lease: UUID | None
) -> None:
    _begin_answers(batch, contact_ids, now=now, pivot=pivot)
    if not batch.answers:
        return
    _run_answers(batch)
    turns = [answer.turn for answer in batch.answers]
    save_conversations([HandledMessages(turn.contact, turn.messages) for turn in turns], now=now)
    results = [answer.result for answer in batch.answers if answer.result is not None]
    batch.answered = AnswerResult(
        messages=sum(result.messages for result in results),
        replies=sum(result.replies for result in results),
        has_acted=any(result.has_acted for result in results),
        queued=tuple(message for result in results for message in result.queued),
    )
    if lease is not None:
        locked = {turn.contact.pk: turn.contact for turn in turns}
        claimed = message_claims.claim_queued(
            batch.answered.queued, contacts=locked, now=now, lease=lease
        )
        batch.answered = replace(batch.answered, claimed=tuple(claimed))


# ── who is answered ──────────────────────────────────────────────────────────────────────────────


def _begin_answers(batch: _Batch, contact_ids: Sequence[int], *, now: datetime, pivot: int) -> None:
    """Lock the contacts, read their messages, and prepare the answers to those who get one here."""
    locked = contacts.lock_free_contacts(contact_ids)
    waiting = inbox_queue.list_first_messages(list(locked))
    recent = load_recent_messages(waiting)
    withheld = set(_CONTACTS_WITH_WITHHELD.fetch(contacts=list(waiting)))
    batch.postponed += [contact_id for contact_id in contact_ids if contact_id not in locked]
    counted = batch.counted or frozenset()
    for place, contact_id in enumerate(contact_ids):
        if contact_id not in waiting:
            continue
        contact, messages = locked[contact_id], waiting[contact_id]
        message, content = messages[0], parse_content(messages[0].payload)
        if contact_id in withheld or not (
            _is_usual(contact, messages, counted=counted)
            and _is_word_or_tap(message, content, now=now)
            and not recent[contact_id].is_excess(0)
        ):
            batch.left.append(contact_id)
        elif message.pk not in counted and _is_left_over(messages, now=now):
            uncounted = batch.left_over if batch.counted is None else batch.postponed
            uncounted.append(contact_id)
        else:
            run = take_run(messages, context=Context.from_json(contact.context), counted=counted)
            run = recent[contact_id].end_run_before_flood(0, run)
            batch.has_more = batch.has_more or len(messages) > len(run)
            pivot_here = compute_pivot(pivot, place=place)
            batch.answers.append(
                _begin_answer(contact, run, recent[contact_id], now=now, pivot=pivot_here)
            )


def _begin_answer(
    contact: WhatsAppContact,
    run: Sequence[InboundMessage],
    recent: RecentMessages,
    *,
    now: datetime,
    pivot: int,
) -> _Answer:
    turn = begin_turn(contact, run, now=now, pivot=pivot)
    leads_nowhere = partial(recent.leads_nowhere, 0, messages=len(run))
    content = build_run_content(run)
    steps = message_answers.answer_message(turn, content, leads_nowhere=leads_nowhere)
    return _Answer(turn, steps)


def _is_usual(
    contact: WhatsAppContact, waiting: Sequence[InboundMessage], *, counted: Collection[int]
) -> bool:
    """Whether nothing about a contact and its waiting messages is left to `waiting_messages`."""
    return (
        not contact.is_blocked
        and contact.erased_at is None
        and contact.joined_into_id is None
        and len(waiting) <= MAX_WAITING_MESSAGES
        and not any(
            message.attempts or message.next_attempt_at is not None
            for message in waiting
            if message.pk not in counted
        )
    )


def _is_left_over(waiting: Sequence[InboundMessage], *, now: datetime) -> bool:
    """Whether a message has waited so long that a gateway may have died while answering it."""
    return any(message.received_at < now - LEFT_OVER_AFTER for message in waiting)


def _is_word_or_tap(message: InboundMessage, content: MessageContent, *, now: datetime) -> bool:
    """Whether a message is a text or a tap that may still be acted on."""
    is_stale = now - message.sent_at > STALE_AFTER
    return content.kind in {ContentKind.TEXT, ContentKind.TAP} and not is_stale


_CONTACTS_WITH_WITHHELD: Final = CompiledQuery(
    lambda: (
        OutboundMessage.objects.filter(WITHHELD_OUTBOUND, IsIn("contact_id", "contacts"))
        .order_by()
        .values_list("contact_id", flat=True)
    )
)

# ── rounds ───────────────────────────────────────────────────────────────────────────────────────


def _run_answers(batch: _Batch) -> None:
    """Run all answers to their end; in each round, the requests of one kind are resolved.

    Raises:
        EffectAfterEffect: an answer wants a second effect, whose locks would come too late.

    """
    deadline: float | None = batch.cpu_clock() + MAX_BATCH_CPU_SECONDS
    has_acted = False
    _advance_answers(batch, batch.answers, [None] * len(batch.answers), deadline=deadline)
    while pending := [answer for answer in batch.answers if answer.request is not None]:
        kind = _choose_kind(pending)
        if kind is CarryOut:
            if has_acted:
                raise EffectAfterEffect
            has_acted = True
            _leave_other_effects(batch)
        if kind in {CarryOut, QueueReplies}:
            deadline = None  # from here on they must come to their end
        chosen = [answer for answer in batch.answers if type(answer.request) is kind]
        if chosen:
            results = resolve_requests([answer.request for answer in chosen if answer.request])
            if kind is CarryOut:
                chosen, results = _postpone_waiting_effects(batch, chosen, results)
            _advance_answers(batch, chosen, results, deadline=deadline)


def _choose_kind(pending: Sequence[_Answer]) -> type:
    kinds = {type(answer.request) for answer in pending}
    return next(kind for kind in RESOLVERS if kind in kinds)


def _advance_answers(
    batch: _Batch, answers: Sequence[_Answer], results: Sequence[Any], *, deadline: float | None
) -> None:
    """Go on with answers; after the deadline, all but the first wait for another batch."""
    for place, (answer, result) in enumerate(zip(list(answers), results, strict=True)):
        if deadline is not None and place and batch.cpu_clock() > deadline:
            batch.answers.remove(answer)
            batch.postponed.append(answer.turn.contact.pk)
        else:
            answer.advance(result, cpu_clock=batch.cpu_clock)


def _leave_other_effects(batch: _Batch) -> None:
    """Leave the buyers to `waiting_messages` whose effect is about a receipt, and write nothing."""
    for answer in list(batch.answers):
        request = answer.request
        if isinstance(request, CarryOut) and not isinstance(request.effect, BATCHED_EFFECTS):
            batch.answers.remove(answer)
            batch.left.append(answer.turn.contact.pk)


def _postpone_waiting_effects(
    batch: _Batch, answers: Sequence[_Answer], outcomes: Sequence[Any]
) -> tuple[list[_Answer], list[Any]]:
    """Postpone the buyers whose effect has no outcome so far; nothing of it is written.

    Those who have waited for a minute are left to `waiting_messages`, which waits for some
    milliseconds.

    Returns:
        The other answers and their outcomes.

    """
    waiting = batch.postponed if batch.counted is None else batch.left
    for answer, outcome in zip(answers, outcomes, strict=True):
        if outcome is None:
            batch.answers.remove(answer)
            waiting.append(answer.turn.contact.pk)
    done = [pair for pair in zip(answers, outcomes, strict=True) if pair[1] is not None]
    return [answer for answer, _ in done], [outcome for _, outcome in done]
