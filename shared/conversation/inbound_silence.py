"""Messages that are kept without an answer, and how buyer and seller hear of it.

The reason is stored in `InboundMessage.error`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

from shared.conversation import inbound_limits
from shared.conversation.buyer_texts import parsing
from shared.conversation.context import Context
from shared.conversation.effects import InboundTurn
from shared.conversation.inbound_events import is_proof, may_act_when_stale
from shared.conversation.inbound_limits import RecentMessage
from shared.conversation.texts import guidance
from shared.conversation.values import CancelOwnOrder, Effect, PlaceOrder
from shared.core.enums import InboxStatus, OutboxKind, OutboxStatus, SilenceReason, State
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

    def __init__(self, waiting: Sequence[InboundMessage]) -> None:
        first = waiting[0]
        self._contact_id = first.contact_id
        before = (
            InboundMessage.objects.filter(
                Q(sent_at__lt=first.sent_at) | Q(sent_at=first.sent_at, pk__lt=first.pk),
                contact_id=first.contact_id,
                sent_at__gt=first.sent_at - inbound_limits.LOOP_WINDOW,
                sent_at__lte=first.sent_at,
            )
            .exclude(status=InboxStatus.IGNORED)
            .order_by("-sent_at", "-pk")
            .values_list("type", "text", "sent_at")[: inbound_limits.MAX_RECENT_MESSAGES]
        )
        earlier = [RecentMessage(*row) for row in before][::-1]
        self._place_of_first = len(earlier)
        self._recent = [
            *earlier,
            *(RecentMessage(each.type, each.text, each.sent_at) for each in waiting),
        ]

    def is_skipped(self, place: int, content: MessageContent) -> bool:
        """Return whether a waiting message is skipped because its buyer floods.

        Receipts never are, an exact CANCEL only if there is nothing to cancel, and taps only if no
        person can tap so fast.
        """
        at = self._place_of_first + place
        if not inbound_limits.is_excess(self._recent, at) or is_proof(content):
            return False
        if content.kind is ContentKind.TAP:
            return inbound_limits.are_taps_excess(self._recent, at)
        if may_act_when_stale(content):
            live = Order.objects.filter(contact_id=self._contact_id, status__in=Order.LIVE)
            return not live.exists()
        return True

    def leads_nowhere(self, place: int, effect: Effect | None) -> bool:
        """Return whether a waiting message is a text that came again and again.

        Args:
            place: the index of the message.
            effect: the effect of its answer, which is progress; None: it has none.

        """
        at = self._place_of_first + place
        if isinstance(effect, PlaceOrder | CancelOwnOrder):
            return False
        if inbound_limits.are_texts_excess(self._recent, at):
            return True
        return effect is None and inbound_limits.is_same_again(self._recent, at)


def tell_flood(turn: InboundTurn) -> int:
    """Tell a buyer once that they write faster than they are answered, and sound an alarm.

    Returns:
        The number of queued messages, 0 or 1.

    """
    contact = turn.contact
    reply = guidance.build_slow_down_message()
    told = OutboundMessage.objects.filter(
        contact=contact, key=reply.key, created_at__gt=turn.now - inbound_limits.FLOOD_TOLD_FOR
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
        detail=f"Contact {contact.pk} sent more than {inbound_limits.FLOOD_MESSAGES} messages in a "
        "minute. The others are kept and not answered; receipts, taps and CANCEL still work.",
        phone_number_id=contact.phone_number_id,
        now=turn.now,
    )
    return 1


def sound_loop_alarm(turn: InboundTurn) -> None:
    """Sound an alarm because the bot says nothing more to a buyer, once in a while."""
    contact = turn.contact
    since = turn.message.sent_at - inbound_limits.LOOP_WINDOW
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
    if last is None or turn.message.sent_at - last <= inbound_limits.MISSES_LAPSE:
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


def answers_later_question(content: MessageContent, turn: InboundTurn, context: Context) -> bool:
    """Return whether a message is a yes or no that was written before the open question was sent.

    Clocks of Meta's messages have whole seconds; an answer in the same second counts.
    """
    if content.kind is not ContentKind.TEXT or context.question_message_id is None:
        return False
    if not (parsing.is_yes(content.text) or parsing.is_no(content.text)):
        return False
    question = OutboundMessage.objects.filter(
        pk=context.question_message_id, contact=turn.contact
    ).first()
    return question is not None and _is_before(turn.message, question, now=turn.now)


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


def is_on_its_way(message_id: int) -> bool:
    """Return whether a message of ours was sent or will be, so that it need not be repeated."""
    lost = (OutboxStatus.STALE, OutboxStatus.FAILED, OutboxStatus.WITHHELD)
    return OutboundMessage.objects.filter(pk=message_id).exclude(status__in=lost).exists()
