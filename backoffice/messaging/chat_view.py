"""A buyer's conversation as chat bubbles, with buttons and delivery ticks."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from backoffice.messaging import delivery_reasons
from shared.core.enums import (
    InboxStatus,
    MessageDeliveryStatus,
    OutboxKind,
    OutboxStatus,
    SilenceReason,
)
from shared.whatsapp import messages
from shared.whatsapp.content import ContentKind, parse_content
from shared.whatsapp.models import InboundMessage, OutboundMessage
from shared.whatsapp.services.inbox.app_messages import APP_KEY
from shared.whatsapp.services.outbox.message_status import is_superseded

BOT_NAME: Final = "Bot"
"""Author of the messages that no person wrote."""

_PICTURE_PLACEHOLDER: Final = "[picture]"
_BOLD_PATTERN: Final = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])")


class DeliveryTick(StrEnum):
    """Delivery state of one of our messages, shown beside its time."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    UNKNOWN = "unknown"
    WITHHELD = "withheld"
    STALE = "stale"
    FAILED = "failed"


TICK_LABELS: Final[Mapping[DeliveryTick, str]] = {
    DeliveryTick.QUEUED: "waits to be sent",
    DeliveryTick.SENT: "sent",
    DeliveryTick.DELIVERED: "delivered",
    DeliveryTick.READ: "read",
    DeliveryTick.UNKNOWN: "handed over, not confirmed yet",
    DeliveryTick.WITHHELD: "waits until the buyer writes",
    DeliveryTick.STALE: "not sent",
    DeliveryTick.FAILED: "not delivered",
}

TICK_BY_OUTBOX_STATUS: Final[Mapping[str, DeliveryTick]] = {
    OutboxStatus.QUEUED: DeliveryTick.QUEUED,
    OutboxStatus.SENDING: DeliveryTick.QUEUED,
    OutboxStatus.SENT: DeliveryTick.SENT,
    OutboxStatus.UNKNOWN: DeliveryTick.UNKNOWN,
    OutboxStatus.WITHHELD: DeliveryTick.WITHHELD,
    OutboxStatus.STALE: DeliveryTick.STALE,
    OutboxStatus.FAILED: DeliveryTick.FAILED,
}

_TICK_BY_DELIVERY: Final[Mapping[str, DeliveryTick]] = {
    MessageDeliveryStatus.FAILED: DeliveryTick.FAILED,
    MessageDeliveryStatus.DELIVERED: DeliveryTick.DELIVERED,
    MessageDeliveryStatus.READ: DeliveryTick.READ,
    MessageDeliveryStatus.PLAYED: DeliveryTick.READ,
}

_TICKS_NOT_RECEIVED: Final = frozenset(
    {DeliveryTick.WITHHELD, DeliveryTick.STALE, DeliveryTick.FAILED}
)

CONTENT_KIND_LABELS: Final[Mapping[ContentKind, tuple[str, str]]] = {
    ContentKind.IMAGE: ("fa-image", "Picture"),
    ContentKind.DOCUMENT: ("fa-file-alt", "Document"),
    ContentKind.AUDIO: ("fa-microphone", "Voice message"),
    ContentKind.VIDEO: ("fa-video", "Video"),
    ContentKind.STICKER: ("fa-sticky-note", "Sticker"),
    ContentKind.LOCATION: ("fa-map-marker-alt", "Place"),
    ContentKind.CONTACTS: ("fa-address-card", "Contact card"),
    ContentKind.ORDER: ("fa-shopping-cart", "Catalogue order"),
    ContentKind.SYSTEM: ("fa-info-circle", "From WhatsApp"),
    ContentKind.REACTION: ("fa-smile", "Reacted"),
    ContentKind.EDIT: ("fa-pen", "Changed an earlier message"),
    ContentKind.REVOKE: ("fa-ban", "Deleted an earlier message"),
    ContentKind.UNSUPPORTED: ("fa-question-circle", "WhatsApp did not pass this message on"),
    ContentKind.OTHER: ("fa-question-circle", "Another kind of message"),
}
"""Icon and label of content that is not plain text."""


SILENCE_REASON_LABELS: Final[Mapping[str, str]] = {
    SilenceReason.FLOOD: "Not answered: the buyer sent too many messages at once.",
    SilenceReason.LOOP: "Not answered: the chat went in circles.",
    SilenceReason.TOO_EARLY: "Not taken as an answer: written before the question was sent.",
    SilenceReason.PERSON: "For a person: the bot was quiet.",
    SilenceReason.STOPPED: "Not answered: STOP was confirmed before.",
}


@dataclass(frozen=True, slots=True)
class ChatBubble:
    """A message in the chat.

    Attributes:
        key: primary key of the message.
        ours: whether we sent it; the buyer's messages are on the left.
        at: when the buyer sent it, or when we queued it.
        clock: the same in the page's time zone: "15:42".
        text: the text as HTML.
        plain: the text without formatting.
        day: "Sun 22 Nov 2026" for the first message of a day, else empty.
        kind: label of the content if it is not plain text: "Picture".
        icon: icon of that kind.
        tapped: whether the buyer tapped a button instead of typing.
        chips: titles of the buttons or rows below it.
        tick: delivery state; None for the buyer's messages.
        state: the tick as text.
        author: who wrote one of ours: "Bot", or a person's name; empty for the buyer's messages.
        person: whether a person wrote it and not the bot.
        trouble: why it was not answered, sent or delivered; empty if all is well.
        aside: that it was for a person, once it does not wait for one any more.
        notice: whether it is news (`OutboxKind.NOTICE`) and not a reply, and was not withdrawn.

    """

    key: int
    ours: bool
    at: datetime
    clock: str
    text: SafeString
    plain: str
    day: str = ""
    kind: str = ""
    icon: str = ""
    tapped: bool = False
    chips: tuple[str, ...] = ()
    tick: DeliveryTick | None = None
    state: str = ""
    author: str = ""
    person: bool = False
    trouble: str = ""
    aside: str = ""
    notice: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """The latest messages of a conversation, oldest first.

    Attributes:
        contact_id: the contact's primary key.
        bubbles: the messages.
        earlier: whether there are older messages.
        untold: our latest news, if the buyer did not receive it.

    """

    contact_id: int
    bubbles: tuple[ChatBubble, ...]
    earlier: bool
    untold: ChatBubble | None


def load_conversation(contact_id: int, *, zone: str, limit: int = 40) -> Conversation:
    """Return the latest messages of a conversation, from two queries.

    Args:
        contact_id: primary key of the contact.
        zone: IANA name of the page's time zone.
        limit: maximum number of messages.

    """
    now = timezone.now()
    inbound = _query_inbound_messages(contact_id)[: limit + 1]
    outbound = _query_outbound_messages(contact_id)[: limit + 1]
    bubbles = [_build_inbound_bubble(message, zone=zone) for message in inbound]
    bubbles += [_build_outbound_bubble(message, zone=zone, now=now) for message in outbound]
    bubbles.sort(key=lambda bubble: (bubble.at, bubble.ours, bubble.key))
    notices = [bubble for bubble in bubbles if bubble.notice]
    untold = notices[-1] if notices and notices[-1].tick in _TICKS_NOT_RECEIVED else None
    return Conversation(
        contact_id=contact_id,
        bubbles=tuple(_add_day_separators(bubbles[-limit:], zone=zone)),
        earlier=len(bubbles) > limit,
        untold=untold,
    )


def build_single_message_conversation(
    message: InboundMessage | OutboundMessage, *, zone: str, now: datetime
) -> Conversation:
    """Return a conversation of one message; an outbound message must have its contact loaded."""
    if isinstance(message, OutboundMessage):
        bubble = _build_outbound_bubble(message, zone=zone, now=now)
    else:
        bubble = _build_inbound_bubble(message, zone=zone)
    (dated_bubble,) = _add_day_separators([bubble], zone=zone)
    return Conversation(message.contact_id or 0, (dated_bubble,), earlier=False, untold=None)


def build_whatsapp_link(phone_number: str | None, *, text: str = "") -> str:
    """Return the link that opens WhatsApp with a buyer, for a message by hand.

    Args:
        phone_number: digits with the country code, such as a contact's `wa_id`; None if the buyer
            hides it.
        text: the beginning of the message.

    Returns:
        The URL at wa.me; empty without a phone number.

    """
    if not phone_number:
        return ""
    return f"https://wa.me/{phone_number}" + (f"?text={quote(text)}" if text else "")


def _query_inbound_messages(contact_id: int) -> Any:
    messages_in = InboundMessage.objects.filter(contact_id=contact_id)
    columns = ("type", "text", "payload", "sent_at", "status", "error", "contact__wants_person_at")
    return messages_in.select_related("contact").only(*columns).order_by("-sent_at", "-id")


def _query_outbound_messages(contact_id: int) -> Any:
    messages_out = OutboundMessage.objects.filter(contact_id=contact_id)
    unused = ("contact__context", "callback_data", "correlation_id", "about")
    return messages_out.select_related("contact").defer(*unused).order_by("-created_at", "-id")


def _build_inbound_bubble(message: InboundMessage, *, zone: str) -> ChatBubble:
    content = parse_content(message.payload)
    plain = message.text or content.text
    known = content.kind is not ContentKind.OTHER or not plain
    icon, kind = CONTENT_KIND_LABELS.get(content.kind, ("", "")) if known else ("", "")
    failed = message.status == InboxStatus.FAILED
    is_for_person = message.error == SilenceReason.PERSON and not failed
    waits = is_for_person and _waits_for_person(message)
    return ChatBubble(
        key=message.pk,
        ours=False,
        at=message.sent_at,
        clock=_format_time(message.sent_at, zone=zone),
        text=render_whatsapp_text(plain),
        plain=plain,
        kind=kind,
        icon=icon,
        tapped=content.kind is ContentKind.TAP,
        trouble=(
            "It could not be answered; the buyer was told so."
            if failed
            else _build_trouble(message, is_for_person=is_for_person, waits=waits)
        ),
        aside=explain_silence(message) if is_for_person and not waits else "",
    )


def _build_trouble(message: InboundMessage, *, is_for_person: bool, waits: bool) -> str:
    if is_for_person:
        return "It waits for a person." if waits else ""
    return explain_silence(message)


def _waits_for_person(message: InboundMessage) -> bool:
    """Return whether a message is one of those since which its buyer waits for a person."""
    since = None if message.contact is None else message.contact.wants_person_at
    return since is not None and message.sent_at >= since


def explain_silence(message: InboundMessage) -> str:
    """Return why a message was kept without an answer; empty if it was answered."""
    if message.status != InboxStatus.PROCESSED:
        return ""
    return SILENCE_REASON_LABELS.get(message.error, "")


def _build_outbound_bubble(message: OutboundMessage, *, zone: str, now: datetime) -> ChatBubble:
    tick = _choose_tick(message)
    plain, chips, picture = _parse_outbound_payload(message.payload)
    icon, kind = ("fa-image", "Picture") if picture else ("", "")
    if message.key == APP_KEY:  # as Meta shows it to us, so it is read like a buyer's message
        content = parse_content(message.payload)
        plain = content.text
        icon, kind = CONTENT_KIND_LABELS.get(content.kind, ("", ""))
    return ChatBubble(
        key=message.pk,
        ours=True,
        at=message.created_at,
        clock=_format_time(message.created_at, zone=zone),
        text=render_whatsapp_text(plain),
        plain=plain,
        kind=kind,
        icon=icon,
        chips=chips,
        tick=tick,
        state=TICK_LABELS[tick],
        author=message.written_by or BOT_NAME,
        person=bool(message.written_by),
        trouble=_explain_tick(message, tick, now=now),
        notice=message.kind == OutboxKind.NOTICE and not is_superseded(message),
    )


def render_whatsapp_text(text: str) -> SafeString:
    """Return the text as HTML: escaped, with WhatsApp's *bold*."""
    return mark_safe(_BOLD_PATTERN.sub(r"<strong>\1</strong>", escape(text)))  # noqa: S308 - escaped


def _choose_tick(message: OutboundMessage) -> DeliveryTick:
    tick = TICK_BY_OUTBOX_STATUS[message.status]
    if tick is DeliveryTick.SENT:
        return _TICK_BY_DELIVERY.get(message.delivery, tick)
    return tick


def _explain_tick(message: OutboundMessage, tick: DeliveryTick, *, now: datetime) -> str:
    """Return why a message is not where it should be; waiting in the queue is normal."""
    if tick is DeliveryTick.QUEUED:
        return ""
    return delivery_reasons.explain_message_state(message, now=now)


def _parse_outbound_payload(payload: Mapping[str, Any]) -> tuple[str, tuple[str, ...], bool]:
    """Return the text of an outbound payload, its button titles, and whether it has a picture."""
    match payload:
        case {"type": "interactive", "interactive": {"action": _}}:
            interactive: Mapping[str, Any] = payload["interactive"]
            preview = messages.render_preview(
                {**payload, "interactive": {**interactive, "action": {}}}
            )
            picture = preview.startswith(_PICTURE_PLACEHOLDER)
            text = preview.removeprefix(_PICTURE_PLACEHOLDER).lstrip("\n")
            return text, tuple(_list_button_titles(interactive["action"])), picture
        case {"type": "image"}:
            return (
                messages.render_preview(payload).removeprefix(_PICTURE_PLACEHOLDER).strip(),
                (),
                True,
            )
        case _:
            return messages.render_preview(payload), (), False


def _list_button_titles(action: Mapping[str, Any]) -> Iterable[str]:
    match action:
        case {"buttons": [*choices]}:
            yield from (str(choice["reply"]["title"]) for choice in choices)
        case {"sections": [*sections]}:
            yield from (str(row["title"]) for section in sections for row in section["rows"])


def _add_day_separators(bubbles: Sequence[ChatBubble], *, zone: str) -> Iterable[ChatBubble]:
    previous_day = ""
    for bubble in bubbles:
        local = bubble.at.astimezone(ZoneInfo(zone))
        day = f"{local:%a} {local.day} {local:%b %Y}"
        yield bubble if day == previous_day else replace(bubble, day=day)
        previous_day = day


def _format_time(at: datetime, *, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M}"
