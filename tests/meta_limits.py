"""Second implementation of Meta's message limits, to check what `messages` builds.

It shares no code with `messages`, so that one mistake cannot be in both. Limits: Meta's pages
"Text messages", "Image messages", "Interactive reply buttons messages", "Interactive list
messages" and "Send messages".
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_ENVELOPE_KEYS: Final = frozenset(
    {"messaging_product", "recipient_type", "to", "recipient", "biz_opaque_callback_data", "type"}
)
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_LINK: Final = re.compile(r"https?://\S+")
_VISIBLE: Final = re.compile(r"[^\s\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def find_message_faults(message: Mapping[str, Any]) -> list[str]:
    """Return every reason for which Meta would refuse a message, with or without its recipient."""
    return list(_check_message(message))


def _check_message(message: Mapping[str, Any]) -> Iterator[str]:
    try:
        json.dumps(message, allow_nan=False)
    except (TypeError, ValueError) as error:
        yield f"cannot be written as JSON: {error}"
        return
    kind = str(message.get("type"))
    yield from _check_unknown_keys(message, known=_ENVELOPE_KEYS | {kind}, where="message")
    if "messaging_product" in message:
        yield from _check_envelope(message)
    body = message.get(kind)
    check = {"text": _check_text, "image": _check_image, "interactive": _check_interactive}.get(
        kind
    )
    if check is None or not isinstance(body, Mapping):
        yield f"type {kind} is not one this program sends, or has no body"
    else:
        yield from check(body)


def _check_envelope(message: Mapping[str, Any]) -> Iterator[str]:
    if message["messaging_product"] != "whatsapp":
        yield "messaging_product is not whatsapp"
    if ("to" in message) == ("recipient" in message):
        yield "needs either to or recipient"
    if "to" in message and not _PHONE.fullmatch(str(message["to"])):
        yield "to is no phone number with +"
    if "recipient" in message:
        yield from _check_words(message["recipient"], limit=160, where="recipient", line=True)
    if "biz_opaque_callback_data" in message:
        yield from _check_words(
            message["biz_opaque_callback_data"], limit=512, where="biz_opaque_callback_data"
        )


def _check_text(body: Mapping[str, Any]) -> Iterator[str]:
    yield from _check_unknown_keys(body, known={"body", "preview_url"}, where="text")
    yield from _check_words(body.get("body"), limit=4096, where="text body")


def _check_image(body: Mapping[str, Any]) -> Iterator[str]:
    yield from _check_unknown_keys(body, known={"id", "link", "caption"}, where="image")
    if ("id" in body) == ("link" in body):
        yield "image needs either id or link"
    if "link" in body and not _LINK.fullmatch(str(body["link"])):
        yield "image link is no address"
    if "id" in body:
        yield from _check_words(body["id"], limit=255, where="image id", line=True)
    if "caption" in body:
        yield from _check_words(body["caption"], limit=1024, where="caption")


def _check_interactive(body: Mapping[str, Any]) -> Iterator[str]:
    kind = body.get("type")
    known = {"type", "header", "body", "footer", "action"}
    yield from _check_unknown_keys(body, known=known, where="interactive")
    if kind not in ("button", "list"):
        yield f"interactive type {kind} is not one this program sends"
        return
    limit = 1024 if kind == "button" else 4096
    yield from _check_words(
        _get_at_path(body, "body", "text"), limit=limit, where="interactive body"
    )
    if "header" in body:
        yield from _check_header(body["header"], text_only=kind == "list")
    if "footer" in body:
        yield from _check_words(
            _get_at_path(body, "footer", "text"), limit=60, where="footer", line=True
        )
    yield from _check_buttons(body) if kind == "button" else _check_list(body)


def _check_header(header: Any, *, text_only: bool) -> Iterator[str]:
    kind = _get_at_path(header, "type")
    if kind == "text":
        yield from _check_words(_get_at_path(header, "text"), limit=60, where="header", line=True)
    elif kind == "image" and not text_only:
        image = _get_at_path(header, "image")
        yield from _check_image(image) if isinstance(image, Mapping) else ("header has no image",)
    else:
        yield f"header type {kind} is not allowed here"


def _check_buttons(body: Mapping[str, Any]) -> Iterator[str]:
    buttons = _get_at_path(body, "action", "buttons") or []
    if not 1 <= len(buttons) <= 3:
        yield f"{len(buttons)} buttons instead of 1 to 3"
    replies = [_get_at_path(button, "reply") for button in buttons]
    for reply in replies:
        yield from _check_words(_get_at_path(reply, "id"), limit=256, where="button id")
        yield from _check_words(
            _get_at_path(reply, "title"), limit=20, where="button title", line=True
        )
    yield from _check_repeated([_get_at_path(reply, "id") for reply in replies], where="button id")
    yield from _check_repeated(
        [_get_at_path(reply, "title") for reply in replies], where="button title"
    )


def _check_list(body: Mapping[str, Any]) -> Iterator[str]:
    yield from _check_words(
        _get_at_path(body, "action", "button"), limit=20, where="list button", line=True
    )
    sections = _get_at_path(body, "action", "sections") or []
    if not 1 <= len(sections) <= 10:
        yield f"{len(sections)} sections instead of 1 to 10"
    for section in sections:
        yield from _check_words(
            _get_at_path(section, "title"), limit=24, where="section title", line=True
        )
        if not _get_at_path(section, "rows"):
            yield "a section without rows"
    rows = [row for section in sections for row in _get_at_path(section, "rows") or []]
    if len(rows) > 10:
        yield f"{len(rows)} rows instead of 10 at most"
    for row in rows:
        yield from _check_words(_get_at_path(row, "id"), limit=200, where="row id")
        yield from _check_words(_get_at_path(row, "title"), limit=24, where="row title", line=True)
        if _get_at_path(row, "description") is not None:
            yield from _check_words(
                _get_at_path(row, "description"), limit=72, where="description", line=True
            )
    yield from _check_repeated([_get_at_path(row, "id") for row in rows], where="row id")


def _check_words(value: Any, *, limit: int, where: str, line: bool = False) -> Iterator[str]:
    if not isinstance(value, str) or not _VISIBLE.search(value):
        yield f"{where} is empty"
        return
    length = sum(2 if ord(char) > 0xFFFF else 1 for char in value)
    if length > limit:
        yield f"{where} has {length} characters, {limit} are allowed"
    if _CONTROL.search(value) or (line and "\n" in value):
        yield f"{where} has a character that is not allowed"


def _check_repeated(values: Sequence[Any], *, where: str) -> Iterator[str]:
    yield from (f"{where} repeats" for _, times in Counter(map(str, values)).items() if times > 1)


def _check_unknown_keys(
    value: Mapping[str, Any], *, known: set[str] | frozenset[str], where: str
) -> Iterator[str]:
    yield from (f"{where} has an unknown key {key}" for key in value if key not in known)


def _get_at_path(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
