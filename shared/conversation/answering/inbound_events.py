"""Events of the conversation from the content of inbound messages."""

from datetime import timedelta
from typing import Final

from django.db.models import Q

from shared.conversation import raffle_links
from shared.conversation.conversation_events import (
    ButtonTapped,
    BuyerInput,
    ConversationEvent,
    LostFileReceived,
    PictureReceived,
    ProofAddedToOrder,
    ProofWithoutOrder,
    TextReceived,
    UnreadableReceived,
    UnsupportedReceived,
)
from shared.conversation.effects import InboundTurn
from shared.conversation.understanding.chat_wishes import ChatWish, find_tapped_wish, find_wish
from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.order_names import find_order_codes
from shared.conversation.understanding.reader import read_text
from shared.core.constants import ALBUM_WINDOW
from shared.core.enums import InboxStatus
from shared.raffles.models import Order, PaymentProof
from shared.whatsapp.content import ContentKind, MessageContent, parse_content
from shared.whatsapp.models import InboundMessage, OutboundMessage

WORDS_BEFORE_WINDOW: Final = timedelta(minutes=2)
"""Time before a picture in which a text may say which order it pays."""
MAX_MESSAGES_BEFORE: Final = 5
"""The most messages before a picture that are read for an order code."""

OTHER_MEDIA_TYPES: Final = (
    "audio/",
    "video/",
    "text/",
    "font/",
    "application/json",
    "application/msword",
    "application/rtf",
    "application/vnd.",
    "application/xml",
    "application/zip",
)
"""Prefixes of the announced media types of documents that are no payment proof.

Phones announce pictures and PDFs under many types, e.g. `application/octet-stream`, or under none.
So every other document is downloaded, and its content decides.
"""

PROOF_FILE_ENDINGS: Final = (
    ".pdf",
    *(f".{ending}" for ending in ("jpg", "jpeg", "png", "webp", "gif", "tif", "tiff")),
    *(f".{ending}" for ending in ("heic", "heif", "avif")),
)
"""Endings of file names for which a document is downloaded whatever its announced type."""


def build_event(content: MessageContent, turn: InboundTurn) -> BuyerInput:
    """Return the event for a message; what is neither text, tap nor proof is unreadable.

    Of an unsupported message WhatsApp shows nothing. Examples are a "view once" photo (131051), and
    the first message from an advertisement to a coexistence number (131060).

    Source: Meta's page "unsupported messages webhook reference".
    """
    if content.kind is ContentKind.TEXT:
        return TextReceived(content.text)
    if content.kind is ContentKind.TAP:
        return ButtonTapped(content.reply_id, content.text)
    if is_proof(content):
        return _build_picture_event(content, turn)
    if content.lost_file:
        return LostFileReceived()
    if content.kind is ContentKind.UNSUPPORTED:
        return UnsupportedReceived(first=turn.contact.last_inbound_at is None)
    return UnreadableReceived(content.kind.value.lower())


def _build_picture_event(content: MessageContent, turn: InboundTurn) -> PictureReceived:
    """Return the event for a picture, with the words and the picture that came before it."""
    texts: list[str] = []
    previous: InboundMessage | None = None
    newest: InboundMessage | None = None
    for message in _list_messages_before(turn):
        newest = newest or message
        before = parse_content(message.payload)
        if is_proof(before):
            previous = message
            break
        if before.kind is ContentKind.TEXT:
            texts.append(before.text)
    is_in_album = previous is not None and previous is newest
    if is_in_album and previous is not None:
        is_in_album = turn.message.sent_at - previous.sent_at <= ALBUM_WINDOW
    return PictureReceived(
        find_order_replied_to(content.replied_to, turn),
        caption=content.text,
        texts_before=tuple(texts),
        previous_order_id=_find_order_of_message(previous) if previous else None,
        is_in_album=is_in_album,
    )


def _list_messages_before(turn: InboundTurn) -> list[InboundMessage]:
    """Return the buyer's last messages before this one within `WORDS_BEFORE_WINDOW`."""
    sent_at = turn.message.sent_at
    earlier = InboundMessage.objects.filter(
        contact=turn.contact, sent_at__range=(sent_at - WORDS_BEFORE_WINDOW, sent_at)
    )
    earlier = earlier.exclude(status=InboxStatus.IGNORED)
    earlier = earlier.filter(Q(sent_at__lt=sent_at) | Q(pk__lt=turn.message.pk))
    return list(earlier.order_by("-sent_at", "-pk")[:MAX_MESSAGES_BEFORE])


def _find_order_of_message(message: InboundMessage) -> int | None:
    """Return the id of the order whose proof came with a message."""
    proofs = PaymentProof.objects.filter(
        phone_number_id=message.phone_number_id, wa_message_id=message.wa_message_id
    )
    return proofs.values_list("order_id", flat=True).first()


def list_codes(event: ConversationEvent) -> tuple[str, ...]:
    """Return what may be order codes in the words of an event."""
    match event:
        case TextReceived(text):
            return find_order_codes(text)
        case PictureReceived():
            texts = (event.caption, *event.texts_before)
            return tuple(code for text in texts for code in find_order_codes(text))
        case _:
            return ()


def list_order_ids(event: ConversationEvent) -> tuple[int, ...]:
    """Return the ids of the orders that an event is about, apart from those it names by a code."""
    match event:
        case PictureReceived():
            ids = (event.order_id, event.previous_order_id)
            return tuple(order_id for order_id in ids if order_id is not None)
        case ProofAddedToOrder():
            return (event.order_id, *event.also)
        case ProofWithoutOrder():
            return event.order_ids
        case _:
            return ()


def is_proof(content: MessageContent) -> bool:
    """Return whether a message may be a payment proof: a picture or a PDF.

    The announced type only decides whether a file is downloaded; its content is checked then.
    """
    media = content.media
    if media is None or content.kind not in {ContentKind.IMAGE, ContentKind.DOCUMENT}:
        return False
    return (
        content.kind is ContentKind.IMAGE
        or media.filename.strip().lower().endswith(PROOF_FILE_ENDINGS)
        or not media.mime_type.startswith(OTHER_MEDIA_TYPES)
    )


def may_act_when_stale(content: MessageContent) -> bool:
    """Return whether a message is answered however old it is.

    That is a proof, an exact CANCEL, STOP or START, the wish for a person, or something that
    WhatsApp does not show us: it may be a proof, and is silent where none is awaited.
    """
    if is_proof(content) or content.lost_file or content.kind is ContentKind.UNSUPPORTED:
        return True
    return find_chat_wish(content) is not None or _says_cancel(content)


def _says_cancel(content: MessageContent) -> bool:
    if content.kind is not ContentKind.TEXT:
        return False
    reading = read_text(raffle_links.remove_link(content.text))
    return reading.intent is Intent.CANCEL and not reading.doubts


def says_stop(content: MessageContent) -> bool:
    """Return whether a message is a STOP, as a word or as a button of a template."""
    return find_chat_wish(content) is Intent.STOP


def find_chat_wish(content: MessageContent) -> ChatWish | None:
    """Return the wish of a message about the chat itself."""
    match content.kind:
        case ContentKind.TEXT:
            return find_wish(raffle_links.remove_link(content.text))
        case ContentKind.TAP:
            return find_tapped_wish(content.reply_id, content.text)
        case _:
            return None


def find_order_replied_to(wa_message_id: str, turn: InboundTurn) -> int | None:
    """Return the id of the order that a message of ours was about, if the buyer replied to it."""
    if not wa_message_id:
        return None
    sent = OutboundMessage.objects.filter(wa_message_id=wa_message_id, contact=turn.contact)
    code = sent.values_list("about", flat=True).first()
    if not code:
        return None
    orders = Order.objects.filter(code=code, contact=turn.contact)
    return orders.values_list("pk", flat=True).first()
