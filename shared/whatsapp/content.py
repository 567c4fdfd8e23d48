"""What a message says: its kind, its words, what was tapped, and its file."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from shared.whatsapp.json_reader import items, mapping, string

_MEDIA_ID_LIMIT: Final = 255
_SHA256_HEX: Final = re.compile(r"[0-9a-fA-F]{64}")
_SHA256_BYTES: Final = 32


class ContentKind(StrEnum):
    """The kinds of message a conversation tells apart."""

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
    """A file that waits at Meta.

    Attributes:
        media_id: what it is asked for by, for seven days.
        mime_type: as Meta says, without parameters; not to be trusted.
        sha256: of its bytes as announced, in hex, or nothing.
        filename: as the buyer's phone says; not to be trusted.

    """

    media_id: str
    mime_type: str
    sha256: str
    filename: str


@dataclass(frozen=True, slots=True)
class Content:
    """A message in the conversation's terms.

    Attributes:
        kind: what it is.
        text: what a person reads of it: body, caption, title of the button, emoji.
        reply_id: the id of what was tapped.
        media: its file, when it has one that can be fetched.
        replied_to: the id of the message it answers, reacts to, edits or revokes.

    """

    kind: ContentKind
    text: str = ""
    reply_id: str = ""
    media: MediaRef | None = None
    replied_to: str = ""


def content(payload: Mapping[str, Any]) -> Content:
    """Read what a stored message says; whatever is missing or malformed is left out."""
    kind = string(payload, "type") or _guessed(payload)
    read = _READERS.get(kind, _other)
    return read(payload, string(payload, "context", "id"))


def sha256_hex(value: str) -> str:
    """Write a SHA-256 as hex, which Meta gives as base64 or hex; nothing if it is neither."""
    if _SHA256_HEX.fullmatch(value):
        return value.lower()
    try:
        digest = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return digest.hex() if len(digest) == _SHA256_BYTES else ""


def _guessed(payload: Mapping[str, Any]) -> str:
    return next((kind for kind in _READERS if kind in payload), "")


def _text(payload: Mapping[str, Any], replied_to: str) -> Content:
    return Content(ContentKind.TEXT, string(payload, "text", "body"), replied_to=replied_to)


def _interactive(payload: Mapping[str, Any], replied_to: str) -> Content:
    interactive = mapping(payload, "interactive")
    for kind in ("button_reply", "list_reply"):
        reply = mapping(interactive, kind)
        if reply_id := string(reply, "id"):
            return Content(
                ContentKind.TAP, string(reply, "title"), reply_id=reply_id, replied_to=replied_to
            )
    return Content(ContentKind.OTHER, replied_to=replied_to)


def _template_button(payload: Mapping[str, Any], replied_to: str) -> Content:
    button = mapping(payload, "button")
    title = string(button, "text")
    reply_id = string(button, "payload") or title
    return Content(ContentKind.TAP, title, reply_id=reply_id, replied_to=replied_to)


def _media(kind: ContentKind) -> Callable[[Mapping[str, Any], str], Content]:
    def read(payload: Mapping[str, Any], replied_to: str) -> Content:
        file = mapping(payload, kind.lower())
        caption = string(file, "caption")
        return Content(kind, caption, media=_media_ref(file), replied_to=replied_to)

    return read


def _media_ref(file: Mapping[str, Any]) -> MediaRef | None:
    media_id = string(file, "id")
    if not media_id or len(media_id) > _MEDIA_ID_LIMIT:
        return None
    return MediaRef(
        media_id=media_id,
        mime_type=string(file, "mime_type").partition(";")[0].strip().lower()[:100],
        sha256=sha256_hex(string(file, "sha256")),
        filename=string(file, "filename")[:200],
    )


def _location(payload: Mapping[str, Any], replied_to: str) -> Content:
    place = mapping(payload, "location")
    words = ", ".join(filter(None, (string(place, "name"), string(place, "address"))))
    spot = f"{place.get('latitude')}, {place.get('longitude')}" if place else ""
    return Content(ContentKind.LOCATION, words or spot, replied_to=replied_to)


def _contacts(payload: Mapping[str, Any], replied_to: str) -> Content:
    names = (string(card, "name", "formatted_name") for card in items(payload.get("contacts")))
    return Content(ContentKind.CONTACTS, ", ".join(filter(None, names)), replied_to=replied_to)


def _order(payload: Mapping[str, Any], replied_to: str) -> Content:
    return Content(ContentKind.ORDER, string(payload, "order", "text"), replied_to=replied_to)


def _system(payload: Mapping[str, Any], replied_to: str) -> Content:
    return Content(ContentKind.SYSTEM, string(payload, "system", "body"), replied_to=replied_to)


def _reaction(payload: Mapping[str, Any], _: str) -> Content:
    reaction = mapping(payload, "reaction")
    return Content(
        ContentKind.REACTION, string(reaction, "emoji"), replied_to=string(reaction, "message_id")
    )


def _edit(payload: Mapping[str, Any], _: str) -> Content:
    edit = mapping(payload, "edit")
    message = mapping(edit, "message")
    kind = string(message, "type")
    words = string(message, kind, "body") or string(message, kind, "caption")
    return Content(ContentKind.EDIT, words, replied_to=string(edit, "original_message_id"))


def _revoke(payload: Mapping[str, Any], _: str) -> Content:
    return Content(ContentKind.REVOKE, replied_to=string(payload, "revoke", "original_message_id"))


def _unsupported(_: Mapping[str, Any], replied_to: str) -> Content:
    return Content(ContentKind.UNSUPPORTED, replied_to=replied_to)


def _other(_: Mapping[str, Any], replied_to: str) -> Content:
    return Content(ContentKind.OTHER, replied_to=replied_to)


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any], str], Content]]] = {
    "text": _text,
    "interactive": _interactive,
    "button": _template_button,
    "image": _media(ContentKind.IMAGE),
    "document": _media(ContentKind.DOCUMENT),
    "audio": _media(ContentKind.AUDIO),
    "video": _media(ContentKind.VIDEO),
    "sticker": _media(ContentKind.STICKER),
    "location": _location,
    "contacts": _contacts,
    "order": _order,
    "system": _system,
    "reaction": _reaction,
    "edit": _edit,
    "revoke": _revoke,
    "unsupported": _unsupported,
}
