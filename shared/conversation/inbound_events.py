"""Events of the conversation from the content of inbound messages."""

from typing import Final

from shared.conversation.effects import InboundTurn
from shared.conversation.parsing import parse_command
from shared.conversation.values import (
    ButtonTapped,
    BuyerInput,
    LostFileReceived,
    PictureReceived,
    TextReceived,
    UnreadableReceived,
    UnsupportedReceived,
)
from shared.conversation.vocabulary import ChatCommand
from shared.raffles.models import Order
from shared.whatsapp.content import ContentKind, MessageContent
from shared.whatsapp.models import OutboundMessage

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
        return PictureReceived(find_order_replied_to(content.replied_to, turn))
    if content.lost_file:
        return LostFileReceived()
    if content.kind is ContentKind.UNSUPPORTED:
        return UnsupportedReceived(first=turn.contact.last_inbound_at is None)
    return UnreadableReceived(content.kind.value.lower())


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

    That is a proof, an exact CANCEL, or something that WhatsApp does not show us: it may be a
    proof, and is silent where none is awaited.
    """
    if is_proof(content) or content.lost_file or content.kind is ContentKind.UNSUPPORTED:
        return True
    parsed = parse_command(content.text) if content.kind is ContentKind.TEXT else None
    return parsed is not None and parsed.command is ChatCommand.CANCEL and parsed.is_certain


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
