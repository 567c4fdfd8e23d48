"""Requests of an answer to the database, for one buyer or for many at a time.

An answer (`message_answers`) is a generator: it yields a request where it needs the database, and
goes on with the result. So the same answer is given to a buyer alone, whose requests are resolved
one by one, and to many buyers together, whose requests of a kind are resolved by the same few
statements (`answer_batches`).
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.conversation import effects, lookups
from shared.conversation.answering import silence
from shared.conversation.conversation_events import EffectOutcome, LookupOutcome
from shared.conversation.effects import InboundTurn
from shared.conversation.errors import TookTooLong
from shared.conversation.facts import gathering
from shared.conversation.facts.gathering import FactsQuestion
from shared.conversation.facts.values import Facts
from shared.conversation.values import Effect, Lookup, Reply
from shared.core.constants import ANSWER_CPU_SECONDS
from shared.core.enums import OutboxKind
from shared.whatsapp.models import OutboundMessage
from shared.whatsapp.services.outbox import outbox_queue
from shared.whatsapp.services.outbox.outbox_queue import NewMessage


@dataclass(frozen=True, slots=True)
class LoadQuestion:
    """Load the message that asked the open question; the result is None if there is none."""

    turn: InboundTurn
    message_id: int


@dataclass(frozen=True, slots=True)
class GatherFacts:
    """Gather the facts about the buyer; the result are `Facts`.

    Attributes:
        codes: what may be codes of orders that the event names.
        order_ids: other orders that the event is about.

    """

    turn: InboundTurn
    codes: tuple[str, ...] = ()
    order_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class LookUp:
    """Read what a step asks for; the result is the outcome."""

    turn: InboundTurn
    lookup: Lookup


@dataclass(frozen=True, slots=True)
class CarryOut:
    """Carry out an effect; the result is its outcome, or None if it is left for later."""

    turn: InboundTurn
    effect: Effect


@dataclass(frozen=True, slots=True)
class QueueReplies:
    """Queue replies; the result is the list of queued messages."""

    turn: InboundTurn
    replies: tuple[Reply, ...]


@dataclass(frozen=True, slots=True)
class SoundLoopAlarm:
    """Let the seller know that the buyer gets no answer any more; the result is None."""

    turn: InboundTurn


type AnswerRequest = LoadQuestion | GatherFacts | LookUp | CarryOut | QueueReplies | SoundLoopAlarm
type Answering[Result] = Generator[AnswerRequest, Any, Result]
"""An answer under way: it yields requests, is sent their results, and returns its own result."""


def resolve_requests(requests: Sequence[AnswerRequest]) -> list[Any]:
    """Return the results of requests of one kind, each from another buyer.

    Raises:
        DatabaseError: the transaction is broken.

    """
    return RESOLVERS[type(requests[0])](requests)


def _load_questions(requests: Sequence[LoadQuestion]) -> list[OutboundMessage | None]:
    return silence.load_questions(
        [(request.turn.contact.pk, request.message_id) for request in requests]
    )


def _gather_facts(requests: Sequence[GatherFacts]) -> list[Facts]:
    questions = [
        FactsQuestion(request.turn.contact, request.turn.pivot, request.codes, request.order_ids)
        for request in requests
    ]
    return gathering.gather_facts_of_buyers(questions, now=requests[0].turn.now)


def _look_up(requests: Sequence[LookUp]) -> list[LookupOutcome]:
    return lookups.look_up_all(
        [(request.lookup, request.turn.contact, request.turn.pivot) for request in requests],
        now=requests[0].turn.now,
    )


def _carry_out_effects(requests: Sequence[CarryOut]) -> list[EffectOutcome | None]:
    return effects.carry_out_effects([(request.effect, request.turn) for request in requests])


def _queue_replies(requests: Sequence[QueueReplies]) -> list[list[OutboundMessage]]:
    queued = outbox_queue.enqueue_messages(
        [
            NewMessage(
                contact=request.turn.contact,
                message=reply.to_whatsapp_message(),
                key=reply.key,
                kind=OutboxKind.REPLY,
                in_reply_to=request.turn.message,
                about=reply.about,
                correlation_id=request.turn.message.correlation_id,
            )
            for request in requests
            for reply in request.replies
        ],
        now=requests[0].turn.now,
    )
    remaining = iter(queued)
    return [[next(remaining) for _ in request.replies] for request in requests]


def _sound_loop_alarms(requests: Sequence[SoundLoopAlarm]) -> list[None]:
    for request in requests:
        with request.turn.bind_logs():
            silence.sound_loop_alarm(request.turn)
    return [None for _ in requests]


RESOLVERS: Final[Mapping[type, Callable[[Sequence[Any]], list[Any]]]] = {
    LoadQuestion: _load_questions,
    GatherFacts: _gather_facts,
    LookUp: _look_up,
    CarryOut: _carry_out_effects,
    QueueReplies: _queue_replies,
    SoundLoopAlarm: _sound_loop_alarms,
}
"""The function for each kind of request, in the order in which a batch resolves them.

What only reads comes first, so that all effects of a batch are carried out together.
"""


type CpuClock = Callable[[], float]
"""A function that returns the processor time of this thread in seconds."""


def answer_alone[Result](answering: Answering[Result], *, cpu_clock: CpuClock) -> Result:
    """Run an answer to its end and return its result.

    Raises:
        TookTooLong: it took more than `ANSWER_CPU_SECONDS` of processor time.

    """
    cpu_deadline = cpu_clock() + ANSWER_CPU_SECONDS
    result = None
    while True:
        try:
            request = answering.send(result)
        except StopIteration as end:
            answered: Result = end.value
            return answered
        if cpu_clock() > cpu_deadline:
            raise TookTooLong("an answer took more than its share")
        [result] = resolve_requests([request])
