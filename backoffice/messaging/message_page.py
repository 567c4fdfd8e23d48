"""Context of the page of one message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from backoffice.messaging import chat_view, delivery_reasons
from backoffice.messaging.channel_actions import ANSWER_AGAIN_PERMISSION, SEND_AGAIN_PERMISSION
from backoffice.messaging.chat_view import Conversation
from backoffice.ui import display
from shared.core.constants import STALE_AFTER
from shared.core.enums import InboxStatus, MessageDeliveryStatus, OutboxKind
from shared.raffles import codes
from shared.raffles.models import Order
from shared.whatsapp.models import DeliveryStatus, InboundMessage, OutboundMessage
from shared.whatsapp.services.business_numbers import is_ours

INBOX_STATUS_BADGES: Final[Mapping[str, tuple[str, str]]] = {
    InboxStatus.RECEIVED: ("Waits for its answer", "info"),
    InboxStatus.PROCESSED: ("Dealt with", "success"),
    InboxStatus.IGNORED: ("Needs no answer", "secondary"),
    InboxStatus.FAILED: ("Could not be answered", "danger"),
}
DELIVERY_LABELS: Final[Mapping[str, str]] = {
    MessageDeliveryStatus.SENT: "Left Meta's servers",
    MessageDeliveryStatus.DELIVERED: "Reached the buyer's phone",
    MessageDeliveryStatus.READ: "Read by the buyer",
    MessageDeliveryStatus.PLAYED: "Played by the buyer",
    MessageDeliveryStatus.FAILED: "Could not be delivered",
}


@dataclass(frozen=True, slots=True)
class MessageHistoryEntry:
    """An entry in the history of a message; `good` is false for a failure."""

    what: str
    at: str
    good: bool = True


@dataclass(frozen=True, slots=True)
class MessageDetailPage:
    """Context of the page of one message, inbound or outbound.

    Attributes:
        state: state of the message.
        style: Bootstrap's style of the state.
        why: reason of the state; empty if there is none.
        buyer: name and phone number.
        buyer_link: URL of the contact; empty without one.
        about: code of the order that the message is about; empty without one.
        about_link: URL of that order.
        bubble: the message as a conversation of one.
        moments: history of the message.
        may_again: whether the message failed and the user may send or answer it again.
        by_hand: wa.me link with the text; empty if not needed or without a phone number.
        raw: the payload as JSON.
        facts: further details as names and values.

    """

    state: str
    style: str
    why: str
    buyer: str
    buyer_link: str
    about: str
    about_link: str
    bubble: Conversation
    moments: Sequence[MessageHistoryEntry]
    may_again: bool
    by_hand: str
    raw: str
    facts: Sequence[tuple[str, str]]


def load_outbound_message_page(
    message: OutboundMessage, *, request: HttpRequest, now: datetime
) -> MessageDetailPage:
    """Return the context of an outbound message's page; the contact must be loaded."""
    order = _find_order(message)
    zone = order.raffle.time_zone if order else settings.TIME_ZONE
    sending_context = delivery_reasons.load_sending_context([message])
    bubble = chat_view.build_single_message_conversation(message, zone=zone, now=now)
    state, style = delivery_reasons.describe_message_state(message)
    failed = delivery_reasons.has_message_failed(message)
    return MessageDetailPage(
        state=state,
        style=style,
        why=delivery_reasons.explain_message_state(message, now=now, context=sending_context),
        buyer=display.format_contact(message.contact),
        buyer_link=_build_contact_url(message.contact_id),
        about=message.about,
        about_link=reverse("admin:raffles_order_change", args=[order.pk]) if order else "",
        bubble=bubble,
        moments=_load_outbound_history(message, zone=zone),
        may_again=failed and request.user.has_perm(SEND_AGAIN_PERMISSION),
        by_hand=(
            chat_view.build_whatsapp_link(message.contact.wa_id, text=bubble.bubbles[0].plain)
            if delivery_reasons.is_buyer_uninformed(message)
            else ""
        ),
        raw=display.format_json(message.payload, sort_keys=True),
        facts=(
            ("Kind", "News" if message.kind == OutboxKind.NOTICE else "Answer"),
            ("Text", message.key),
            ("Tries", str(message.attempts)),
            ("Business number", message.phone_number_id),
            ("Id at Meta", message.wa_message_id or "–"),
            ("Trace", message.correlation_id or "–"),
        ),
    )


def load_inbound_message_page(
    message: InboundMessage, *, request: HttpRequest, now: datetime
) -> MessageDetailPage:
    """Return the context of an inbound message's page; the contact, if any, must be loaded."""
    state, style = INBOX_STATUS_BADGES[message.status]
    failed = message.status == InboxStatus.FAILED
    contact = message.contact
    return MessageDetailPage(
        state=state,
        style=style,
        why=_explain_inbox_status(message, now=now),
        buyer=display.format_contact(contact) if contact else "nobody named",
        buyer_link=_build_contact_url(contact.pk) if contact else "",
        about="",
        about_link="",
        bubble=chat_view.build_single_message_conversation(
            message, zone=settings.TIME_ZONE, now=now
        ),
        moments=_build_inbound_history(message),
        may_again=failed and request.user.has_perm(ANSWER_AGAIN_PERMISSION),
        by_hand=chat_view.build_whatsapp_link(contact.wa_id) if contact and failed else "",
        raw=display.format_json(message.payload, sort_keys=True),
        facts=(
            ("Kind", message.type),
            ("Tries", str(message.attempts)),
            ("Business number", message.phone_number_id),
            ("Id at Meta", message.wa_message_id),
            ("Trace", message.correlation_id or "–"),
        ),
    )


def _find_order(message: OutboundMessage) -> Order | None:
    if codes.normalise_code(message.about) is None:
        return None
    return Order.objects.select_related("raffle").filter(code=message.about).first()


def _build_contact_url(contact_id: int) -> str:
    return reverse("admin:whatsapp_whatsappcontact_change", args=[contact_id])


def _load_outbound_history(message: OutboundMessage, *, zone: str) -> list[MessageHistoryEntry]:
    entries = [MessageHistoryEntry("Written", display.format_time(message.created_at, zone=zone))]
    if message.sent_at is not None:
        entries.append(
            MessageHistoryEntry("Accepted by Meta", display.format_time(message.sent_at, zone=zone))
        )
    entries += [
        MessageHistoryEntry(
            DELIVERY_LABELS.get(status.status, status.status.capitalize()),
            display.format_time(status.occurred_at, zone=zone),
            good=status.status != MessageDeliveryStatus.FAILED,
        )
        for status in _query_delivery_statuses(message)
    ]
    return entries


def _query_delivery_statuses(message: OutboundMessage) -> QuerySet[DeliveryStatus]:
    statuses = DeliveryStatus.objects.filter(
        phone_number_id=message.phone_number_id, wa_message_id=message.wa_message_id
    )
    return statuses.order_by("occurred_at", "pk") if message.wa_message_id else statuses.none()


def _build_inbound_history(message: InboundMessage) -> list[MessageHistoryEntry]:
    entries = [
        MessageHistoryEntry("Written by the buyer", display.format_time(message.sent_at)),
        MessageHistoryEntry("Stored by us", display.format_time(message.received_at)),
    ]
    if message.processed_at is not None:
        failed = message.status == InboxStatus.FAILED
        done = "Given up, with an apology to the buyer" if failed else "Dealt with"
        entries.append(
            MessageHistoryEntry(done, display.format_time(message.processed_at), good=not failed)
        )
    return entries


def _explain_inbox_status(message: InboundMessage, *, now: datetime) -> str:
    match InboxStatus(message.status):
        case InboxStatus.FAILED:
            old = now - message.sent_at > STALE_AFTER
            then = (
                "Answered again, a payment proof is kept; anything else this old is summed up."
                if old
                else "Answered again, it acts as if it had just come."
            )
            return (
                f"The program failed {message.attempts} times ({message.error}). The buyer got an "
                f"apology. {then}"
            )
        case InboxStatus.RECEIVED if message.contact_id is None:
            return "It names no sender, so nobody can be answered."
        case InboxStatus.RECEIVED if message.attempts:
            return f"Tried {message.attempts} times so far ({message.error}); tried again shortly."
        case InboxStatus.IGNORED if not is_ours(message.phone_number_id):
            return (
                "It came for a business number that is not in META_PHONE_NUMBER_ID, so nobody is "
                "answered."
            )
        case InboxStatus.IGNORED:
            return "Reactions, edits and the like are kept and not answered."
        case InboxStatus.PROCESSED:
            return chat_view.explain_silence(message)
        case InboxStatus.RECEIVED:
            return ""
