"""Messages in the format of the Graph API, built so that every limit of Meta's holds.

A value that is too long is cut, and no builder fails.

Limits: Meta's pages "Text messages", "Image messages", "Interactive reply buttons messages",
"Interactive list messages" and "Send messages". Meta does not say how an emoji counts and refuses
the whole message when a title is too long, so lengths are the larger of code points and UTF-16
units, and texts are cut between graphemes.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Final

import regex

from shared.whatsapp.errors import NoAddressee

type Message = dict[str, Any]

TEXT_LIMIT: Final = 4096
CAPTION_LIMIT: Final = 1024
BUTTONS_BODY_LIMIT: Final = 1024
LIST_BODY_LIMIT: Final = 4096
HEADER_LIMIT: Final = 60
FOOTER_LIMIT: Final = 60
MAX_BUTTONS: Final = 3
BUTTON_ID_LIMIT: Final = 256
BUTTON_TITLE_LIMIT: Final = 20
MAX_ROWS: Final = 10
ROW_ID_LIMIT: Final = 200
ROW_TITLE_LIMIT: Final = 24
ROW_DESCRIPTION_LIMIT: Final = 72
SECTION_TITLE_LIMIT: Final = 24
CALLBACK_DATA_LIMIT: Final = 512
MEDIA_ID_LIMIT: Final = 255

ELLIPSIS: Final = "…"
"""The placeholder for a required text that is blank, since Meta refuses an empty one."""

_DEFAULT_LIST_BUTTON: Final = "Choose"
_DEFAULT_SECTION: Final = "Options"

_GRAPHEME: Final = regex.compile(r"\X")
_PHONE: Final = regex.compile(r"[1-9][0-9]{6,14}")
_FORBIDDEN_CHARACTERS: Final = regex.compile(r"[\p{Cc}\p{Cs}--[\n\t]]", regex.VERSION1)
_LINK: Final = regex.compile(r"https?://\S{1,2000}")
_BLANK_CHARACTERS: Final = frozenset("\ufe0e\ufe0f\u115f\u1160\u2800\u3164\uffa0")
"""Letters, marks and symbols that are invisible despite their category."""
_BLANK_CATEGORIES: Final = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs"})


@dataclass(frozen=True, slots=True)
class ReplyButton:
    """A reply button: the id that is sent back when it is tapped, and its title."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class ListRow:
    """A row of a list: the id that is sent back when it is tapped, and its texts."""

    id: str
    title: str
    description: str = ""


def build_text(body: str, *, preview_url: bool = False) -> Message:
    """Return a text message.

    Args:
        body: the text, cut to 4,096 characters.
        preview_url: whether WhatsApp shows a preview of the first link.

    """
    return {
        "type": "text",
        "text": {"preview_url": preview_url, "body": _require_text(body, limit=TEXT_LIMIT)},
    }


def build_buttons(
    body: str,
    *,
    buttons: Sequence[ReplyButton],
    header: str = "",
    picture_link: str = "",
    footer: str = "",
) -> Message:
    """Return a message with one to three buttons.

    A button with a repeated id is dropped, a repeated title gets a number. More than three buttons
    become a list, and no button at all a text message.

    Args:
        body: the text, cut to 1,024 characters.
        buttons: the buttons.
        header: bold text above the body; with a picture, the beginning of the body.
        picture_link: the address of a picture that is shown instead of the header.
        footer: small text below the body.

    """
    kept = _drop_repeated_ids(
        [ListRow(button.id, button.title) for button in buttons], limit=BUTTON_ID_LIMIT
    )
    if not kept:
        return build_text(_join_parts(header, body, footer))
    if len(kept) > MAX_BUTTONS:
        return build_list(body, button="", rows=kept, header=header, footer=footer)
    replies = [
        {"type": "reply", "reply": {"id": button.id, "title": button.title}}
        for button in _make_titles_unique(kept)
    ]
    link = _accept_link(picture_link)
    text = _join_parts(header, body) if link else body
    interactive: dict[str, Any] = {
        "type": "button",
        "body": {"text": _require_text(text, limit=BUTTONS_BODY_LIMIT)},
        "action": {"buttons": replies},
    }
    if link:
        interactive["header"] = {"type": "image", "image": {"link": link}}
    return _build_interactive(interactive, header="" if link else header, footer=footer)


def build_list(
    body: str,
    *,
    button: str,
    rows: Sequence[ListRow],
    section: str = "",
    header: str = "",
    footer: str = "",
) -> Message:
    """Return a message with a list of one to ten rows.

    Rows with a repeated id and rows after the tenth are dropped; without rows it is a text
    message.

    Args:
        body: the text, cut to 4,096 characters.
        button: the title of the button that opens the list.
        rows: the rows.
        section: the title above the rows, which Meta requires.
        header: bold text above the body.
        footer: small text below the body.

    """
    kept = _drop_repeated_ids(rows, limit=ROW_ID_LIMIT)
    if not kept:
        return build_text(_join_parts(header, body, footer))
    interactive = {
        "type": "list",
        "body": {"text": _require_text(body, limit=LIST_BODY_LIMIT)},
        "action": {
            "button": _fit_line(button, limit=BUTTON_TITLE_LIMIT) or _DEFAULT_LIST_BUTTON,
            "sections": [
                {
                    "title": _fit_line(section, limit=SECTION_TITLE_LIMIT) or _DEFAULT_SECTION,
                    "rows": [_build_row(row) for row in kept[:MAX_ROWS]],
                }
            ],
        },
    }
    return _build_interactive(interactive, header=header, footer=footer)


def build_image(*, link: str = "", media_id: str = "", caption: str = "") -> Message:
    """Return a picture message, or a text message if there is no picture.

    Args:
        link: the address of the picture, used without a media id.
        media_id: the id of the picture at Meta.
        caption: the text below it, cut to 1,024 characters.

    """
    known_id = _fit_line(media_id, limit=MEDIA_ID_LIMIT)
    picture = {"id": known_id} if known_id else {"link": _accept_link(link)}
    if not any(picture.values()):
        return build_text(caption)
    text = _fit_text(caption, limit=CAPTION_LIMIT)
    return {"type": "image", "image": picture | ({"caption": text} if text else {})}


def address_message(
    message: Mapping[str, Any], *, wa_id: str | None, user_id: str | None, callback_data: str
) -> Message:
    """Return the full body for the Graph API.

    A phone number is written with `+`, since Meta otherwise prefixes the business's own country
    code. A user id goes into `recipient`, since Meta accepts it in `to` and never delivers it.

    Args:
        message: a message built by one of the functions above.
        wa_id: the buyer's phone number without `+`, preferred.
        user_id: the buyer's business-scoped user id.
        callback_data: the data that every status webhook of this message contains.

    Raises:
        NoAddressee: the message can be sent to neither of the keys.

    """
    if wa_id and _PHONE.fullmatch(wa_id):
        addressee = {"to": "+" + wa_id}
    elif user_id:
        addressee = {"recipient": user_id}
    else:
        raise NoAddressee
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **addressee,
        **message,
        "biz_opaque_callback_data": _cut_text(callback_data, CALLBACK_DATA_LIMIT),
    }


def measure_length(value: str) -> int:
    """Return the length of a text: code points or UTF-16 units, whichever are more."""
    if value.isascii():
        return len(value)
    return max(len(value), len(value.encode("utf-16-le", "surrogatepass")) // 2)


def is_blank(value: str) -> bool:
    """Return whether a text has no visible character."""
    return all(
        char in _BLANK_CHARACTERS or unicodedata.category(char) in _BLANK_CATEGORIES
        for char in value
    )


def render_preview(message: Mapping[str, Any]) -> str:
    """Return a stored message as plain text, for lists of messages."""
    match message:
        case {"type": "text", "text": {"body": str(body)}}:
            return body
        case {"type": "image", "image": {**picture}}:
            return f"[picture] {picture.get('caption', '')}".strip()
        case {"type": "interactive", "interactive": {"action": _}}:
            return "\n".join(part for part in _list_visible_parts(message["interactive"]) if part)
        case _:
            return f"[{message.get('type', 'message')}]"


def _list_visible_parts(interactive: Mapping[str, Any]) -> Iterator[str]:
    match interactive.get("header"):
        case {"type": "text", "text": str(text)}:
            yield text
        case {"type": "image"}:
            yield "[picture]"
    for part in ("body", "footer"):
        match interactive.get(part):
            case {"text": str(text)}:
                yield text
    match interactive.get("action"):
        case {"buttons": [*choices]}:
            yield " ".join(f"[{choice['reply']['title']}]" for choice in choices)
        case {"button": button, "sections": [*sections]}:
            yield f"[{button}]"
            yield from (f"- {row['title']}" for section in sections for row in section["rows"])


def _build_interactive(interactive: dict[str, Any], *, header: str, footer: str) -> Message:
    if head := _fit_line(header, limit=HEADER_LIMIT):
        interactive["header"] = {"type": "text", "text": head}
    if foot := _fit_line(footer, limit=FOOTER_LIMIT):
        interactive["footer"] = {"text": foot}
    return {"type": "interactive", "interactive": interactive}


def _build_row(row: ListRow) -> dict[str, str]:
    built = {"id": row.id, "title": _fit_line(row.title, limit=ROW_TITLE_LIMIT) or ELLIPSIS}
    if description := _fit_line(row.description, limit=ROW_DESCRIPTION_LIMIT):
        built["description"] = description
    return built


def _drop_repeated_ids(choices: Sequence[ListRow], *, limit: int) -> list[ListRow]:
    first: dict[str, ListRow] = {}
    for choice in choices:
        key = _cut_text(choice.id, limit)
        if not is_blank(key):
            first.setdefault(key, replace(choice, id=key))
    return list(first.values())


def _make_titles_unique(choices: Sequence[ListRow]) -> Iterator[ReplyButton]:
    used: set[str] = set()
    for choice in choices:
        title = next(
            variant
            for variant in _generate_title_variants(choice.title)
            if variant.casefold() not in used
        )
        used.add(title.casefold())
        yield ReplyButton(choice.id, title)


def _generate_title_variants(title: str) -> Iterator[str]:
    yield _fit_line(title, limit=BUTTON_TITLE_LIMIT) or ELLIPSIS
    for number in count(2):
        ending = f" {number}"
        yield (_fit_line(title, limit=BUTTON_TITLE_LIMIT - len(ending)) or ELLIPSIS) + ending


def _require_text(value: str, *, limit: int) -> str:
    return _fit_text(value, limit=limit) or ELLIPSIS


def _fit_line(value: str, *, limit: int) -> str:
    return _fit_text(" ".join(value.split()), limit=limit)


def _fit_text(value: str, *, limit: int) -> str:
    clean = _clean_text(value).strip()
    if is_blank(clean):
        return ""
    if measure_length(clean) <= limit:
        return clean
    return _cut_text(clean, limit - measure_length(ELLIPSIS)).rstrip() + ELLIPSIS


def _cut_text(value: str, limit: int) -> str:
    clean = _clean_text(value)
    if measure_length(clean) <= limit:
        return clean
    end = used = 0
    # Searched up to the limit only, since a single grapheme may have a million marks.
    for grapheme in _GRAPHEME.finditer(clean, endpos=limit + 1):
        used += measure_length(grapheme.group())
        if used > limit:
            break
        end = grapheme.end()
    return clean[:end]


def _clean_text(value: str) -> str:
    """Remove what Meta or JSON does not allow: control characters and lone surrogates."""
    return _FORBIDDEN_CHARACTERS.sub("", value)


def _join_parts(*parts: str) -> str:
    return "\n\n".join(part for part in parts if not is_blank(part))


def _accept_link(value: str) -> str:
    return value if _LINK.fullmatch(value) and value.isprintable() else ""
