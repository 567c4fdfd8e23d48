"""Content of a message: its kind, text, tapped button and file."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from shared.whatsapp.json_reader import (
    read_integer,
    read_items,
    read_mapping,
    read_string,
)

_MEDIA_ID_LIMIT: Final = 255
_SHA256_HEX: Final = re.compile(r"[0-9a-fA-F]{64}")
_SHA256_LENGTH: Final = 32
_DOWNLOAD_FAILED_CODE: Final = 131052
"""Meta could not load the sender's file; source: Meta's page "Error codes"."""


class ContentKind(StrEnum):
    """The kinds of messages that a conversation distinguishes."""

    TEXT = "TEXT"
    TAP = "TAP"
    IMAGE = "IMAGE"
    DOCUMENT = "DOCUMENT"
    AUDIO = "AUDIO"
    VIDEO = "VIDEO"
    STICKER = "STICKER"
    LOCATION = "LOCATION"
    CONTACTS = "CONTACTS"
    ORDER = "ORDER"
    SYSTEM = "SYSTEM"
    REACTION = "REACTION"
    EDIT = "EDIT"
    REVOKE = "REVOKE"
    UNSUPPORTED = "UNSUPPORTED"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class MediaRef:
    """A file that is stored at Meta.

    Attributes:
        media_id: the id by which it can be fetched for seven days.
        mime_type: the announced type without parameters, not to be trusted.
        sha256: the announced hash of its bytes in hex, or empty.
        filename: the name that the buyer's phone sent, not to be trusted.

    """

    media_id: str
    mime_type: str
    sha256: str
    filename: str


@dataclass(frozen=True, slots=True)
class MessageContent:
    """A message in the conversation's terms.

    Attributes:
        kind: its kind.
        text: its readable text: body, caption, title of the button, emoji.
        reply_id: the id of the tapped button or row.
        media: its file, if it has one that can be fetched.
        replied_to: the id of the message it answers, reacts to, edits or revokes.
        lost_file: whether it came with a picture or document that Meta could not pass on.

    """

    kind: ContentKind
    text: str = ""
    reply_id: str = ""
    media: MediaRef | None = None
    replied_to: str = ""
    lost_file: bool = False


def parse_content(payload: Mapping[str, Any]) -> MessageContent:
    """Return the content of a stored message, without anything missing or malformed."""
    kind = read_string(payload, "type") or _guess_type(payload)
    parse = _PARSERS.get(kind, _parse_other)
    content = parse(payload, read_string(payload, "context", "id"))
    return replace(content, lost_file=True) if _has_lost_file(content, payload) else content


def _has_lost_file(content: MessageContent, payload: Mapping[str, Any]) -> bool:
    if content.media is not None:
        return False
    if content.kind in {ContentKind.IMAGE, ContentKind.DOCUMENT}:
        return True
    errors = map(read_mapping, read_items(payload.get("errors")))
    return any(read_integer(error.get("code")) == _DOWNLOAD_FAILED_CODE for error in errors)


def normalise_sha256(value: str) -> str:
    """Return a SHA-256 in hex, which Meta sends as Base64 or hex; empty if it is neither."""
    if _SHA256_HEX.fullmatch(value):
        return value.lower()
    try:
        digest = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return digest.hex() if len(digest) == _SHA256_LENGTH else ""


def _guess_type(payload: Mapping[str, Any]) -> str:
    return next((kind for kind in _PARSERS if kind in payload), "")


def _parse_text(payload: Mapping[str, Any], replied_to: str) -> MessageContent:
    return MessageContent(
        ContentKind.TEXT, read_string(payload, "text", "body"), replied_to=replied_to
    )


def _parse_interactive(payload: Mapping[str, Any], replied_to: str) -> MessageContent:
    interactive = read_mapping(payload, "interactive")
    for kind in ("button_reply", "list_reply"):
        reply = read_mapping(interactive, kind)
        if reply_id := read_string(reply, "id"):
            return MessageContent(
                ContentKind.TAP,
                read_string(reply, "title"),
                reply_id=reply_id,
                replied_to=replied_to,
            )
    return MessageContent(ContentKind.OTHER, replied_to=replied_to)


def _parse_template_button(payload: Mapping[str, Any], replied_to: str) -> MessageContent:
    button = read_mapping(payload, "button")
    title = read_string(button, "text")
    reply_id = read_string(button, "payload") or title
    return MessageContent(ContentKind.TAP, title, reply_id=reply_id, replied_to=replied_to)


def _make_media_parser(kind: ContentKind) -> Callable[[Mapping[str, Any], str], MessageContent]:
    def parse(payload: Mapping[str, Any], replied_to: str) -> MessageContent:
        file = read_mapping(payload, kind.lower())
        caption = read_string(file, "caption")
        return MessageContent(kind, caption, media=_parse_media_ref(file), replied_to=replied_to)

    return parse


def _parse_media_ref(file: Mapping[str, Any]) -> MediaRef | None:
    media_id = read_string(file, "id")
    if not media_id or len(media_id) > _MEDIA_ID_LIMIT:
        return None
    return MediaRef(
        media_id=media_id,
        mime_type=read_string(file, "mime_type").partition(";")[0].strip().lower()[:100],
        sha256=normalise_sha256(read_string(file, "sha256")),
        filename=read_string(file, "filename")[-200:],  # the end, which tells its type
    )


def _parse_location(payload: Mapping[str, Any], replied_to: str) -> MessageContent:
    place = read_mapping(payload, "location")
    name = ", ".join(filter(None, (read_string(place, "name"), read_string(place, "address"))))
    coordinates = f"{place.get('latitude')}, {place.get('longitude')}" if place else ""
    return MessageContent(ContentKind.LOCATION, name or coordinates, replied_to=replied_to)


def _parse_contacts(payload: Mapping[str, Any], replied_to: str) -> MessageContent:
    names = (
        read_string(card, "name", "formatted_name") for card in read_items(payload.get("contacts"))
    )
    return MessageContent(
        ContentKind.CONTACTS, ", ".join(filter(None, names)), replied_to=replied_to
    )


def _parse_order(payload: Mapping[str, Any], replied_to: str) -> MessageContent:
    return MessageContent(
        ContentKind.ORDER, read_string(payload, "order", "text"), replied_to=replied_to
    )


def _parse_system(payload: Mapping[str, Any], replied_to: str) -> MessageContent:
    return MessageContent(
        ContentKind.SYSTEM, read_string(payload, "system", "body"), replied_to=replied_to
    )


def _parse_reaction(payload: Mapping[str, Any], _: str) -> MessageContent:
    reaction = read_mapping(payload, "reaction")
    return MessageContent(
        ContentKind.REACTION,
        read_string(reaction, "emoji"),
        replied_to=read_string(reaction, "message_id"),
    )


def _parse_edit(payload: Mapping[str, Any], _: str) -> MessageContent:
    edit = read_mapping(payload, "edit")
    message = read_mapping(edit, "message")
    kind = read_string(message, "type")
    text = read_string(message, kind, "body") or read_string(message, kind, "caption")
    return MessageContent(
        ContentKind.EDIT, text, replied_to=read_string(edit, "original_message_id")
    )


def _parse_revoke(payload: Mapping[str, Any], _: str) -> MessageContent:
    return MessageContent(
        ContentKind.REVOKE, replied_to=read_string(payload, "revoke", "original_message_id")
    )


def _parse_unsupported(_: Mapping[str, Any], replied_to: str) -> MessageContent:
    return MessageContent(ContentKind.UNSUPPORTED, replied_to=replied_to)


def _parse_other(_: Mapping[str, Any], replied_to: str) -> MessageContent:
    return MessageContent(ContentKind.OTHER, replied_to=replied_to)


_PARSERS: Final[Mapping[str, Callable[[Mapping[str, Any], str], MessageContent]]] = {
    "text": _parse_text,
    "interactive": _parse_interactive,
    "button": _parse_template_button,
    "image": _make_media_parser(ContentKind.IMAGE),
    "document": _make_media_parser(ContentKind.DOCUMENT),
    "audio": _make_media_parser(ContentKind.AUDIO),
    "video": _make_media_parser(ContentKind.VIDEO),
    "sticker": _make_media_parser(ContentKind.STICKER),
    "location": _parse_location,
    "contacts": _parse_contacts,
    "order": _parse_order,
    "system": _parse_system,
    "reaction": _parse_reaction,
    "edit": _parse_edit,
    "revoke": _parse_revoke,
    "unsupported": _parse_unsupported,
}
