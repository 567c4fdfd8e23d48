"""Answer to one message of a buyer: its meaning, its effects, and the replies that are queued.

The functions are generators that yield what they need of the database; see `answer_requests`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, assert_never

from shared.conversation import attribution, flow
from shared.conversation.answering import silence
from shared.conversation.answering.answer_requests import (
    Answering,
    CarryOut,
    GatherFacts,
    LoadQuestion,
    LookUp,
    QueueReplies,
    SoundLoopAlarm,
)
from shared.conversation.answering.inbound_events import build_event, list_codes, list_order_ids
from shared.conversation.context import Context
from shared.conversation.conversation_events import ConversationEvent, PictureReceived
from shared.conversation.effects import InboundTurn
from shared.conversation.errors import EndlessConversation
from shared.conversation.facts.values import Facts
from shared.conversation.flow.handover import asks_person
from shared.conversation.flow.receipt_evidence import choose_order_for_picture
from shared.conversation.flow.reconcile import reconcile_state
from shared.conversation.flow.screens import repeat_prompt
from shared.conversation.texts import guidance
from shared.conversation.values import ContactChange, Effect, KeepProof, Lookup, Reply, Step
from shared.core import config
from shared.core.constants import STALE_AFTER
from shared.core.enums import PauseReason, SilenceReason, State
from shared.whatsapp.content import ContentKind, MessageContent, parse_content
from shared.whatsapp.models import OutboundMessage, WhatsAppContact
from shared.whatsapp.services import handover, opt_out
from shared.whatsapp.services.outbox.message_claims import ClaimedMessage
from shared.whatsapp.signals import person_wanted

SUMMARY_KEY: Final = "back_again"
"""Key of the summary in the outbox."""

ALWAYS_HONOURED: Final = frozenset({ContactChange.STOP, ContactChange.ASK_PERSON})
"""Changes that are made however much their buyer wrote before; each is answered once."""

MAX_EFFECTS_PER_MESSAGE: Final = 3
"""Most effects and lookups of one message; a fourth one would be a loop, which is a bug."""


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
    leads_nowhere: Callable[[Effect | Lookup | None], bool],
) -> Answering[AnswerResult]:
    """Answer one message: carry out its effects, change the conversation, and queue replies.

    Args:
        turn: the message and its buyer, locked; state and context of the contact are changed, and
            the caller saves them. Texts before it that share its answer share its `error`.
        content: what the message contains, or all these texts together.
        leads_nowhere: whether the message gets no answer if its first effect or lookup is the
            given one.

    Raises:
        EndlessConversation: an effect followed another one too often, which is a bug.

    """
    _note_sources_of_earlier(turn)
    note_source(turn, content)
    answered = yield from _answer_content(turn, content, leads_nowhere=leads_nowhere)
    for message in turn.earlier:
        message.error = turn.message.error
    return replace(answered, messages=len(turn.messages))


def _answer_content(
    turn: InboundTurn,
    content: MessageContent,
    *,
    leads_nowhere: Callable[[Effect | Lookup | None], bool],
) -> Answering[AnswerResult]:
    contact = turn.contact
    before = silence.forget_old_misses(turn, Context.from_json(contact.context))
    open_question = silence.find_open_question(State(contact.state), before)
    may_answer_question = silence.is_yes_or_no(content) and not handover.is_paused(
        contact, now=turn.now
    )
    if before.question_message_id is not None and may_answer_question:
        question: OutboundMessage | None = yield LoadQuestion(turn, before.question_message_id)
        if question is not None and silence.was_written_before(turn, question):
            return (yield from _handle_early_answer(turn, before, question))
    context = before
    event: ConversationEvent = build_event(content, turn)
    has_media = has_acted = False
    for done in range(MAX_EFFECTS_PER_MESSAGE + 1):
        known: Facts = yield GatherFacts(turn, list_codes(event), list_order_ids(event))
        step = flow.step(State(contact.state), context, event, known)
        may_repeat = not (done or step.silence or step.contact_change in ALWAYS_HONOURED)
        if may_repeat and leads_nowhere(step.effect or step.lookup):
            return (yield from _fall_silent(turn))
        contact.state, context = step.state, step.context
        contact.context = context.to_json()
        _note_step(turn, step)
        if step.lookup is not None:
            event = yield LookUp(turn, step.lookup)
        elif step.effect is None:
            sent: list[OutboundMessage] = yield QueueReplies(turn, step.replies)
            _remember_question(turn, sent, before=before, question_before=open_question)
            if not sent and context.misses > before.misses:
                yield from _fall_silent(turn)
            return AnswerResult(
                1, len(sent), has_media=has_media, has_acted=has_acted, queued=tuple(sent)
            )
        else:
            has_acted, has_media = True, has_media or isinstance(step.effect, KeepProof)
            event = yield CarryOut(turn, step.effect)
    raise EndlessConversation(f"message {turn.message.pk} came to no answer")


def note_source(turn: InboundTurn, content: MessageContent) -> None:
    """Keep by which link or ad the buyer came, if the message says it."""
    message = turn.message
    attribution.note_source(
        turn.contact, content, message.payload, sent_at=min(message.sent_at, turn.now)
    )


def leave_to_person(turn: InboundTurn, content: MessageContent) -> None:
    """Keep a message without an answer because a person answers; list its buyer if it asks."""
    turn.message.error = SilenceReason.PERSON
    is_text = content.kind is ContentKind.TEXT
    if asks_person(content.text) if is_text else content.kind is not ContentKind.TAP:
        _change_contact(turn, ContactChange.WAIT_FOR_PERSON)


def _note_sources_of_earlier(turn: InboundTurn) -> None:
    for message in turn.earlier:
        note_source(replace(turn, message=message, earlier=()), parse_content(message.payload))


def _note_step(turn: InboundTurn, step: Step) -> None:
    """Note on contact and message what a step says beside its state and replies."""
    contact = turn.contact
    if step.confirms_age and contact.adult_confirmed_at is None:
        contact.adult_confirmed_at = min(turn.message.sent_at, turn.now)
    if step.contact_change is not None:
        _change_contact(turn, step.contact_change)
    if step.silence is not None:
        turn.message.error = step.silence


def _change_contact(turn: InboundTurn, change: ContactChange) -> None:
    """Change a contact as a step says; its columns are saved with the conversation."""
    contact, now = turn.contact, turn.now
    sent_at = min(turn.message.sent_at, now)
    waited = contact.wants_person_at is not None
    match change:
        case ContactChange.ASK_PERSON:
            hours = config.get_settings().person_pause_hours
            handover.pause_bot(contact, now=now, hours=hours, reason=PauseReason.ASKED)
            handover.wait_for_person(contact, since=sent_at)
        case ContactChange.WAIT_FOR_PERSON:
            handover.wait_for_person(contact, since=sent_at)
        case ContactChange.RESUME:
            handover.resume_bot(contact, now=now)
        case ContactChange.STOP:
            opt_out.stop(contact, at=sent_at, now=now)
        case ContactChange.START:
            opt_out.start(contact, at=sent_at)
            handover.resume_bot(contact, now=now)
        case _:
            assert_never(change)
    if contact.wants_person_at is not None and not waited:
        person_wanted.send(sender=WhatsAppContact, contact=contact, now=now)


def _fall_silent(turn: InboundTurn) -> Answering[AnswerResult]:
    """Answer nothing to a message that leads nowhere, and let the seller know."""
    turn.message.error = SilenceReason.LOOP
    yield SoundLoopAlarm(turn)
    return AnswerResult(messages=1)


def _handle_early_answer(
    turn: InboundTurn, context: Context, question: OutboundMessage
) -> Answering[AnswerResult]:
    """Do nothing with a yes or no from before the question; repeat one that was not delivered."""
    if silence.is_on_its_way(question):
        turn.message.error = SilenceReason.TOO_EARLY
        return AnswerResult(messages=1)
    contact = turn.contact
    known: Facts = yield GatherFacts(turn)
    state, context = reconcile_state(State(contact.state), context, known)
    step = repeat_prompt(state, context.without_open_question(), known)
    contact.state, contact.context = step.state, step.context.to_json()
    sent: list[OutboundMessage] = yield QueueReplies(turn, step.replies)
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
    question = silence.find_open_question(State(contact.state), context)
    message_id = sent[-1].pk if question and sent else None
    if question and question == question_before:
        message_id = before.question_message_id
    contact.context = context.with_changes(question_message_id=message_id).to_json()


def queue_summary(turn: InboundTurn) -> Answering[AnswerResult]:
    """Queue one summary of the conversation after messages that are too old to act on."""
    contact = turn.contact
    known: Facts = yield GatherFacts(turn)
    state, context = reconcile_state(
        State(contact.state), Context.from_json(contact.context), known
    )
    step = repeat_prompt(state, context, known, note=guidance.build_back_again_note())
    contact.state, contact.context = step.state, step.context.to_json()
    if _has_recent_summary(turn):
        return AnswerResult()
    yield QueueReplies(turn, tuple(map(_rekey_as_summary, step.replies)))
    return AnswerResult(replies=len(step.replies))


def _rekey_as_summary(reply: Reply) -> Reply:
    return Reply(
        SUMMARY_KEY, reply.body, reply.buttons, reply.rows, reply.list_button, about=reply.about
    )


def _has_recent_summary(turn: InboundTurn) -> bool:
    return OutboundMessage.objects.filter(
        contact=turn.contact, key=SUMMARY_KEY, created_at__gt=turn.now - STALE_AFTER
    ).exists()


def keep_proof_silently(turn: InboundTurn, content: MessageContent) -> Answering[None]:
    """Store a proof of a blocked buyer, who is not answered."""
    event = build_event(content, turn)
    known: Facts = yield GatherFacts(turn, list_codes(event), list_order_ids(event))
    if isinstance(event, PictureReceived):
        yield CarryOut(turn, choose_order_for_picture(event, known))
