"""Messages that are kept without an answer, and how buyer and seller hear of it.

The reason is stored in `InboundMessage.error`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from django.db import models
from django.db.models import F, Window
from django.db.models.functions import RowNumber

from shared.conversation.answering import answer_limits
from shared.conversation.answering.answer_limits import RecentMessage
from shared.conversation.answering.inbound_events import (
    find_chat_wish,
    is_proof,
    may_act_when_stale,
    says_stop,
)
from shared.conversation.context import Context
from shared.conversation.effects import InboundTurn
from shared.conversation.texts import guidance
from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.reader import read_text
from shared.conversation.values import CancelOwnOrder, Effect, Lookup, PlaceOrder
from shared.core.enums import InboxStatus, OutboxKind, OutboxStatus, SilenceReason, State
from shared.core.statements.compiled_queries import CompiledQuery, IsIn, Parameter
from shared.raffles.models import Order
from shared.whatsapp.content import ContentKind, MessageContent
from shared.whatsapp.models import InboundMessage, OutboundMessage
from shared.whatsapp.services import alarms
from shared.whatsapp.services.outbox import outbox_queue

SEND_LATENCY: Final = timedelta(seconds=30)
"""The most time between the arrival of a message of ours and the record that Meta accepted it."""

USUAL_QUEUE_TIME: Final = timedelta(seconds=10)
"""A question that was queued longer ago, and not sent so far, has not been read."""


class RecentMessages:
    """A buyer's waiting messages, and those before them, as they were written one by one."""

    def __init__(
        self, waiting: Sequence[InboundMessage], *, before: Sequence[RecentMessage]
    ) -> None:
        """Put the messages together.

        Args:
            waiting: the waiting messages.
            before: those before them, as `load_messages_before` returns them.

        """
        self._contact_id = waiting[0].contact_id
        self._place_of_first = len(before)
        self._recent = [
            *before,
            *(RecentMessage(each.type, each.text, each.sent_at) for each in waiting),
        ]

    def is_excess(self, place: int) -> bool:
        """Return whether a waiting message is one of more than are answered."""
        return answer_limits.is_excess(self._recent, self._place_of_first + place)

    def is_skipped(self, place: int, content: MessageContent) -> bool:
        """Return whether a waiting message is skipped because its buyer floods.

        Receipts and STOP never are, an exact CANCEL only if there is nothing to cancel, and taps
        only if no person can tap so fast.
        """
        if not self.is_excess(place) or is_proof(content) or says_stop(content):
            return False
        if content.kind is ContentKind.TAP:
            return answer_limits.are_taps_excess(self._recent, self._place_of_first + place)
        if may_act_when_stale(content) and find_chat_wish(content) is None:
            live = Order.objects.filter(contact_id=self._contact_id, status__in=Order.LIVE)
            return not live.exists()
        return True

    def end_run_before_flood(
        self, place: int, run: Sequence[InboundMessage]
    ) -> Sequence[InboundMessage]:
        """Return the texts that share an answer, up to the first of more than are answered.

        Args:
            place: the index of the first one.
            run: the texts; the first one is answered.

        """
        answered = takewhile(lambda at: not self.is_excess(place + at), range(1, len(run)))
        return run[: 1 + len(list(answered))]

    def leads_nowhere(
        self, place: int, effect: Effect | Lookup | None, *, messages: int = 1
    ) -> bool:
        """Return whether a waiting message is a text that came again and again.

        Args:
            place: the index of the message.
            effect: the effect of its answer, which is progress, or what it looks up, which may
                have changed since the last time ("who won"); None: it has neither.
            messages: how many messages from there on get one answer; they count once.

        """
        at = self._place_of_first + place
        if isinstance(effect, PlaceOrder | CancelOwnOrder):
            return False
        if answer_limits.are_texts_excess(self._recent, at):
            return True
        if effect is not None:
            return False
        return answer_limits.is_same_again(self._recent, at, messages=messages)


def load_recent_messages(
    waiting: Mapping[int, Sequence[InboundMessage]],
) -> dict[int, RecentMessages]:
    """Return the recent messages of several buyers; keys and waiting messages are by contact."""
    if not waiting:
        return {}
    before = load_messages_before([messages[0] for messages in waiting.values()])
    return {
        contact_id: RecentMessages(messages, before=earlier)
        for (contact_id, messages), earlier in zip(waiting.items(), before, strict=True)
    }


def load_messages_before(firsts: Sequence[InboundMessage]) -> list[list[RecentMessage]]:
    """Return the messages that several buyers wrote within `LOOP_WINDOW` before a message.

    Args:
        firsts: a message of each buyer.

    Returns:
        For each, the last `MAX_RECENT_MESSAGES` before it, in the order in which they were written.

    """
    window = answer_limits.LOOP_WINDOW
    rows = _RECENT_MESSAGES.fetch(
        contacts=[first.contact_id for first in firsts],
        since=min(first.sent_at for first in firsts) - window,
    )
    by_contact: dict[int | None, list[tuple[datetime, int, RecentMessage]]] = {}
    for contact_id, pk, type_, text, sent_at in rows:
        message = (sent_at, pk, RecentMessage(type_, text, sent_at))
        by_contact.setdefault(contact_id, []).append(message)
    return [
        [
            message
            for sent_at, pk, message in by_contact.get(first.contact_id, ())
            if (sent_at, pk) < (first.sent_at, first.pk) and sent_at > first.sent_at - window
        ]
        for first in firsts
    ]


_RECENT_MESSAGES: Final = CompiledQuery(
    lambda: (
        InboundMessage.objects.filter(
            IsIn("contact_id", "contacts"),
            sent_at__gt=Parameter("since", models.DateTimeField()),
        )
        .exclude(status__in=(InboxStatus.IGNORED, InboxStatus.RECEIVED))
        .exclude(error=SilenceReason.PERSON)
        .alias(
            newest=Window(
                RowNumber(),
                partition_by=F("contact_id"),
                order_by=[F("sent_at").desc(), F("id").desc()],
            )
        )
        .filter(newest__lte=answer_limits.MAX_RECENT_MESSAGES)
        .order_by("sent_at", "id")
        .values_list("contact_id", "id", "type", "text", "sent_at")
    )
)
"""The last messages of buyers, without those that were for a person."""


def tell_flood(turn: InboundTurn) -> int:
    """Tell a buyer once that they write faster than they are answered, and sound an alarm.

    Returns:
        The number of queued messages, 0 or 1.

    """
    contact = turn.contact
    reply = guidance.build_slow_down_message()
    told = OutboundMessage.objects.filter(
        contact=contact, key=reply.key, created_at__gt=turn.now - answer_limits.FLOOD_TOLD_FOR
    )
    if told.exists():
        return 0
    outbox_queue.enqueue_message(
        contact,
        reply.to_whatsapp_message(),
        key=reply.key,
        kind=OutboxKind.REPLY,
        now=turn.now,
        in_reply_to=turn.message,
        correlation_id=turn.message.correlation_id,
    )
    alarms.sound_alarm(
        f"flood:{contact.pk}",
        title="A buyer sends more messages than are answered",
        detail=f"Contact {contact.pk} sent more than {answer_limits.FLOOD_MESSAGES} messages in a "
        "minute. The others are kept and not answered; receipts, taps and CANCEL still work.",
        phone_number_id=contact.phone_number_id,
        now=turn.now,
    )
    return 1


def sound_loop_alarm(turn: InboundTurn) -> None:
    """Sound an alarm because the bot says nothing more to a buyer, once in a while."""
    contact = turn.contact
    since = turn.message.sent_at - answer_limits.LOOP_WINDOW
    if contact.inbound_messages.filter(sent_at__gt=since, error=SilenceReason.LOOP).exists():
        return
    alarms.sound_alarm(
        f"chat_loop:{contact.pk}",
        title="The bot fell silent in a chat",
        detail=f"Contact {contact.pk} wrote again and again what leads nowhere. The bot answers "
        "the next text that it understands, tap or receipt.",
        phone_number_id=contact.phone_number_id,
        now=turn.now,
    )


def forget_old_misses(turn: InboundTurn, context: Context) -> Context:
    """Forget what was not understood if the buyer has not written for long."""
    last = turn.contact.last_inbound_at
    if last is None or turn.message.sent_at - last <= answer_limits.MISSES_LAPSE:
        return context
    return context.with_changes(misses=0)


# ── questions ────────────────────────────────────────────────────────────────────────────────────


def find_open_question(state: State, context: Context) -> str:
    """Return what identifies the open question to which a yes is an answer; empty without one."""
    if context.yes_button_id:
        return context.yes_button_id
    if state is State.CONFIRM_RESERVATION and context.draft_order_id is not None:
        return f"confirm {context.draft_order_id}"
    return ""


def is_yes_or_no(content: MessageContent) -> bool:
    """Return whether a message answers a question with yes or no."""
    if content.kind is not ContentKind.TEXT:
        return False
    return read_text(content.text).intent in {Intent.YES, Intent.NO, Intent.KEEP}


def load_questions(places: Sequence[tuple[int, int]]) -> list[OutboundMessage | None]:
    """Return messages that asked a question; None for those of another buyer.

    Args:
        places: the id of each buyer and of the message.

    """
    found = OutboundMessage.objects.in_bulk([message_id for _, message_id in places])
    loaded = [(contact_id, found.get(message_id)) for contact_id, message_id in places]
    return [
        question if question is not None and question.contact_id == contact_id else None
        for contact_id, question in loaded
    ]


def was_written_before(turn: InboundTurn, question: OutboundMessage) -> bool:
    """Return whether a message was written before the question to its buyer was sent.

    Clocks of Meta's messages have whole seconds; an answer in the same second counts.
    """
    return _is_before(turn.message, question, now=turn.now)


def _is_before(message: InboundMessage, question: OutboundMessage, *, now: datetime) -> bool:
    if message.received_at < question.created_at:
        return True
    asked_at = question.created_at
    if question.sent_at is not None:
        asked_at = max(asked_at, question.sent_at - SEND_LATENCY)
    elif _was_never_sent(question) and now - question.created_at > USUAL_QUEUE_TIME:
        return True
    return message.sent_at < asked_at.replace(microsecond=0)


def _was_never_sent(question: OutboundMessage) -> bool:
    waits = (OutboxStatus.QUEUED, OutboxStatus.WITHHELD, OutboxStatus.STALE)
    return question.status in waits and not question.attempts and not question.unknown_sends


def is_on_its_way(question: OutboundMessage) -> bool:
    """Return whether a message of ours was sent or will be, so that it need not be repeated."""
    lost = (OutboxStatus.STALE, OutboxStatus.FAILED, OutboxStatus.WITHHELD)
    return question.status not in lost
