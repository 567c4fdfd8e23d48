"""Conversion of a buyer's action into the message that Meta would report.

Source: developers.facebook.com/documentation/business-messaging/whatsapp, pages
webhooks/reference/messages and each type below it.
"""

import base64
import binascii
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import filetype

from deploy.sandbox import webhook_payloads
from deploy.sandbox.chat import ChatChoice, ChatEntry, DisplayedMessage, SandboxBuyer
from deploy.sandbox.media import BUYER_FILE_LIFETIME_DAYS, MAX_FILE_BYTES, MediaFile
from deploy.sandbox.state import SandboxState, generate_wamid

ActionFields = Mapping[str, Any]
MessageParts = tuple[dict[str, Any], DisplayedMessage, ChatEntry | None]
"""Keys of the message besides its envelope, its displayed form, and the entry it answers."""

DEFAULT_MIME_TYPES: Final[Mapping[str, str]] = {
    "image": "image/jpeg",
    "document": "application/pdf",
    "audio": "audio/ogg; codecs=opus",
    "video": "video/mp4",
    "sticker": "image/webp",
}


class InvalidControlRequest(Exception):
    """A request to the control interface is not valid; the message says why."""


@dataclass(frozen=True, kw_only=True)
class BuyerAction:
    """A requested action of a buyer; `file` has the bytes of a multipart request."""

    state: SandboxState
    buyer: SandboxBuyer
    request: ActionFields
    file: bytes | None = None
    base_url: str = "http://127.0.0.1/"


def build_chat_entry(action: BuyerAction) -> ChatEntry:
    """Build the chat entry of an action, with the message that Meta would post.

    Raises:
        InvalidControlRequest: the request is not valid.

    """
    state, buyer, request = action.state, action.buyer, action.request
    kind = request.get("type", "text")
    if kind == "again":
        return _find_entry_to_repeat(action)
    rule = MESSAGE_BUILDERS.get(kind, _build_unknown_type)
    content, shown, answered = rule(action)
    answered = _find_replied_entry(action) or answered
    phone_number_id = str(request.get("phone_number_id") or state.options.phone_number_ids[0])
    if phone_number_id not in state.options.phone_number_ids:
        raise InvalidControlRequest(f"there is no business number {phone_number_id} here")
    now = time.time()
    hide_phone = _parse_flag(request.get("hide_phone", buyer.hide_phone))
    envelope = {
        **_build_context(state, request, answered, phone_number_id),
        **webhook_payloads.build_sender(buyer, hide_phone=hide_phone),
        "id": _choose_message_id(action, kind=kind),
        "timestamp": str(int(_parse_timestamp(request.get("timestamp", now)))),
    }
    raw = {**envelope, **content}
    return ChatEntry(
        id=raw["id"],
        side="buyer",
        phone_number_id=phone_number_id,
        shown=shown,
        at=now,
        status="sent",
        raw=raw,
        reply_to=answered.id if answered else None,
        phone_hidden=hide_phone,
    )


def _find_entry_to_repeat(action: BuyerAction) -> ChatEntry:
    entry = action.state.find_entry(action.buyer, action.request.get("of"))
    if entry is None or entry.side != "buyer":
        raise InvalidControlRequest("`of` must name a message of this buyer, by wamid or n")
    return entry


def _parse_timestamp(given: object) -> float:
    if isinstance(given, str) and not given.isdigit():
        try:
            return datetime.fromisoformat(given).timestamp()
        except ValueError:
            raise InvalidControlRequest(
                f"timestamp {given!r} is neither unix seconds nor ISO 8601"
            ) from None
    if not isinstance(given, int | float | str):
        raise InvalidControlRequest("timestamp must be unix seconds or ISO 8601")
    return float(given)


def _find_replied_entry(action: BuyerAction) -> ChatEntry | None:
    reference = action.request.get("reply_to")
    if reference is None:
        return None
    entry = action.state.find_entry(action.buyer, reference)
    if entry is None:
        raise InvalidControlRequest(f"there is no message {reference!r} in this chat to reply to")
    return entry


def _build_context(
    state: SandboxState, request: ActionFields, answered: ChatEntry | None, phone_number_id: str
) -> dict[str, Any]:
    if _parse_flag(request.get("forwarded")):
        return {"context": {"forwarded": True}}
    if answered is None:
        return {}
    author = (
        state.options.get_display_number(phone_number_id)
        if answered.side == "business"
        else str(answered.raw.get("from", ""))
    )
    return {"context": {"from": author, "id": answered.id}}


def _build_text(action: BuyerAction) -> MessageParts:
    text = action.request.get("text")
    if isinstance(text, Mapping):
        text = text.get("body")
    if not isinstance(text, str):
        raise InvalidControlRequest("`text` must be a string")
    return {"type": "text", "text": {"body": text}}, DisplayedMessage(type="text", text=text), None


def _build_tap(action: BuyerAction) -> MessageParts:
    entry, choice = _find_tapped_choice(action.buyer, action.request)
    if choice in entry.shown.rows:
        reply = {"id": choice.id, "title": choice.title}
        if choice.description:
            reply["description"] = choice.description
        interactive: dict[str, Any] = {"type": "list_reply", "list_reply": reply}
    else:
        reply = {"id": choice.id, "title": choice.title}
        interactive = {"type": "button_reply", "button_reply": reply}
    shown = DisplayedMessage(type="tap", text=choice.title)
    return {"type": "interactive", "interactive": interactive}, shown, entry


def _find_tapped_choice(buyer: SandboxBuyer, request: ActionFields) -> tuple[ChatEntry, ChatChoice]:
    of = request.get("of")
    entries = [
        entry
        for entry in buyer.chat.list_newest_first()
        if entry.side == "business" and (of is None or of in (entry.id, entry.n))
    ]
    tests = _build_choice_matchers(request)
    for test in tests:
        for entry in entries:
            for choice in (*entry.shown.buttons, *entry.shown.rows):
                if test(choice):
                    return entry, choice
    seen = [
        f"{choice.title!r} ({choice.id})"
        for entry in entries[:3]
        for choice in (*entry.shown.buttons, *entry.shown.rows)
    ]
    wanted = {key: request[key] for key in ("id", "title", "index", "of") if key in request}
    raise InvalidControlRequest(
        f"nothing to tap fits {wanted}; there are: {', '.join(seen) or 'none'}"
    )


def _choose_message_id(action: BuyerAction, *, kind: str) -> str:
    """Return the id that was asked for, else a new one; a tap's id is that of its button."""
    wanted = None if MESSAGE_BUILDERS.get(kind) is _build_tap else action.request.get("id")
    return str(wanted or generate_wamid(action.buyer.wa_id))


def _build_choice_matchers(request: ActionFields) -> list[Callable[[ChatChoice], bool]]:
    """Return the predicates that find the tapped choice, the most exact one first."""
    if "id" in request:
        return [lambda choice: choice.id == request["id"]]
    if "title" in request:
        title = str(request["title"])
        folded = title.casefold()
        return [
            lambda choice: choice.title == title,
            lambda choice: choice.title.casefold() == folded,
        ]
    if "index" in request:
        return [lambda choice: choice.index == request["index"]]
    raise InvalidControlRequest("a tap needs one of id, title and index")


def _make_file_builder(kind: str) -> Callable[[BuyerAction], MessageParts]:
    def rule(action: BuyerAction) -> MessageParts:
        request = action.request
        medium = _find_or_store_file(action, kind=kind)
        content: dict[str, Any] = {
            "mime_type": medium.mime_type,
            "sha256": request.get("sha256") or medium.sha256_base64,
            "id": medium.id,
        }
        for key in ("caption", "filename"):
            if request.get(key):
                content[key] = str(request[key])
        if kind == "audio":
            content["voice"] = _parse_flag(request.get("voice", True))
        if kind == "sticker":
            content["animated"] = _parse_flag(request.get("animated", False))
        if _parse_flag(request.get("with_url")):
            seconds = action.state.behaviour.media_url_seconds
            content["url"] = action.state.media.create_url(
                medium, base_url=action.base_url, seconds=seconds, now=time.time()
            )
        described = action.state.describe_media(medium.id)
        pictured = kind in {"image", "sticker"}
        shown = DisplayedMessage(
            type=kind,
            text=str(request.get("caption") or ""),
            picture=described if pictured else None,
            file=None if pictured else described,
        )
        return {"type": kind, kind: content}, shown, None

    return rule


def _find_or_store_file(action: BuyerAction, *, kind: str) -> MediaFile:
    state, request = action.state, action.request
    now = time.time()
    if request.get("media_id"):
        medium = state.media.find_file(str(request["media_id"]), now=now)
        if medium is None:
            raise InvalidControlRequest(f"there is no media {request['media_id']}")
        return medium
    content = action.file if action.file is not None else _decode_content(request.get("content"))
    if len(content) > MAX_FILE_BYTES:
        raise InvalidControlRequest(f"a file has at most {MAX_FILE_BYTES} bytes")
    mime_type = str(
        request.get("mime_type") or filetype.guess_mime(content[:8192]) or DEFAULT_MIME_TYPES[kind]
    )
    phone_number_id = str(request.get("phone_number_id") or state.options.phone_number_ids[0])
    return state.media.store_file(
        content,
        mime_type=mime_type,
        phone_number_id=phone_number_id,
        days=BUYER_FILE_LIFETIME_DAYS,
        now=now,
    )


def _decode_content(content: object) -> bytes:
    if not isinstance(content, str):
        raise InvalidControlRequest(
            "a file needs `content` (base64), `media_id` or a multipart `file`"
        )
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error:
        raise InvalidControlRequest("`content` is not base64") from None


def _parse_flag(given: object) -> bool:
    return str(given).lower() in {"true", "1"}


def _build_location(action: BuyerAction) -> MessageParts:
    request = action.request
    keys = ("latitude", "longitude", "name", "address", "url")
    location = {key: request[key] for key in keys if key in request}
    if not {"latitude", "longitude"} <= location.keys():
        raise InvalidControlRequest("a location needs latitude and longitude")
    shown = DisplayedMessage(type="location", text=str(request.get("name", "")))
    return {"type": "location", "location": location}, shown, None


def _build_reaction(action: BuyerAction) -> MessageParts:
    request = action.request
    entry = action.state.find_entry(action.buyer, request.get("of"))
    if entry is None:
        raise InvalidControlRequest(
            "a reaction needs `of`: the wamid or n of a message in this chat"
        )
    reaction = {"message_id": entry.id}
    if request.get("emoji"):
        reaction["emoji"] = str(request["emoji"])
    shown = DisplayedMessage(type="reaction", text=reaction.get("emoji", ""))
    return {"type": "reaction", "reaction": reaction}, shown, None


def _build_raw_message(action: BuyerAction) -> MessageParts:
    message = action.request.get("message")
    if not isinstance(message, Mapping):
        raise InvalidControlRequest("`message` must be a JSON object")
    return dict(message), DisplayedMessage(type=str(message.get("type", "raw"))), None


def _build_unknown_type(action: BuyerAction) -> MessageParts:
    request = action.request
    kind = request.get("type")
    if not isinstance(kind, str) or not kind:
        raise InvalidControlRequest("`type` must be a word")
    content: dict[str, Any] = {"type": kind}
    for key in (kind, "errors"):
        if key in request:
            content[key] = request[key]
    return content, DisplayedMessage(type=kind), None


MESSAGE_BUILDERS: Final[Mapping[str, Callable[[BuyerAction], MessageParts]]] = {
    "text": _build_text,
    "tap": _build_tap,
    "button": _build_tap,
    "list": _build_tap,
    **{kind: _make_file_builder(kind) for kind in DEFAULT_MIME_TYPES},
    "location": _build_location,
    "reaction": _build_reaction,
    "raw": _build_raw_message,
}
