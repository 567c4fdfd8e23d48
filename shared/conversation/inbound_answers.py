"""Answer to one message of a buyer: its meaning, its effects, and the replies that are queued."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from shared.conversation import facts, flow, inbound_silence
from shared.conversation.context import Context
from shared.conversation.effects import InboundTurn, carry_out_effect
from shared.conversation.errors import EndlessConversation, TookTooLong
from shared.conversation.flow.receipt_evidence import choose_order_for_picture
from shared.conversation.flow.reconcile import reconcile_state
from shared.conversation.flow.screens import repeat_prompt
from shared.conversation.inbound_events import build_event, list_codes, list_order_ids
from shared.conversation.texts import guidance
from shared.conversation.values import (
    ConversationEvent,
    Effect,
    KeepProof,
    PictureReceived,
    Reply,
)
from shared.core.constants import ANSWER_CPU_SECONDS, STALE_AFTER
from shared.core.enums import OutboxKind, SilenceReason, State
from shared.whatsapp.content import MessageContent
from shared.whatsapp.models import OutboundMessage
from shared.whatsapp.services.outbox import outbox_queue
from shared.whatsapp.services.outbox.message_claims import ClaimedMessage

SUMMARY_KEY: Final = "back_again"
"""Key of the summary in the outbox."""

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
        queued: those of them that may be sent at once.
        claimed: those of them that the caller of the transaction is to send.
        has_media: whether a proof's file has to be downloaded.
        has_acted: whether an effect was carried out.

    """

    messages: int = 0
    replies: int = 0
    has_media: bool = False
    has_acted: bool = False
    queued: tuple[OutboundMessage, ...] = ()
    claimed: tuple[ClaimedMessage, ...] = ()

    def __add__(self, other: "AnswerResult") -> "AnswerResult":
        return AnswerResult(
            self.messages + other.messages,
            self.replies + other.replies,
            self.has_media or other.has_media,
            self.has_acted or other.has_acted,
            self.queued + other.queued,
            self.claimed + other.claimed,
        )


def answer_message(
    turn: InboundTurn,
    content: MessageContent,
    *,
    leads_nowhere: Callable[[Effect | None], bool],
    cpu_clock: CpuClock,
) -> AnswerResult:
    """Answer one message: carry out its effects, change the conversation, and queue replies.

    Args:
        turn: the message and its buyer, locked; state and context of the contact are changed, and
            the caller saves them.
        content: what the message contains.
        leads_nowhere: whether the message gets no answer if its first effect is the given one.
        cpu_clock: the processor time of this thread, in seconds.

    Raises:
        TookTooLong: the answer took more than `ANSWER_CPU_SECONDS` of processor time.
        EndlessConversation: an effect followed another one too often, which is a bug.

    """
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
            return AnswerResult(
                1, len(sent), has_media=has_media, has_acted=has_acted, queued=tuple(sent)
            )
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
    return AnswerResult(1, len(sent), queued=tuple(sent))


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


def queue_summary(turn: InboundTurn) -> AnswerResult:
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


def _rekey_as_summary(reply: Reply) -> Reply:
    return Reply(
        SUMMARY_KEY, reply.body, reply.buttons, reply.rows, reply.list_button, about=reply.about
    )


def _has_recent_summary(turn: InboundTurn) -> bool:
    return OutboundMessage.objects.filter(
        contact=turn.contact, key=SUMMARY_KEY, created_at__gt=turn.now - STALE_AFTER
    ).exists()


def keep_proof_silently(turn: InboundTurn, content: MessageContent) -> None:
    """Store a proof of a blocked buyer, who is not answered."""
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
