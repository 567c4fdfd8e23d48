"""Meta's rules for interactive messages: reply buttons, lists, link buttons, contact requests.

Sources: developers.facebook.com/documentation/business-messaging/whatsapp/messages/
interactive-reply-buttons-messages, interactive-list-messages, interactive-cta-url-messages.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from deploy.sandbox import graph_errors
from deploy.sandbox.graph_api import fields
from deploy.sandbox.graph_api.attachments import MediaKnown, check_attachment

ROOT: Final = "interactive"
ACTION: Final = "interactive['action']"
BUTTON_BODY: Final = 1024
LIST_BODY: Final = 4096
SHORT_TEXT: Final = 60  # header and footer
MAX_BUTTONS: Final = 3
BUTTON_ID: Final = 256
BUTTON_TITLE: Final = 20
MAX_SECTIONS: Final = 10
MAX_ROWS: Final = 10
SECTION_TITLE: Final = 24
ROW_ID: Final = 200
ROW_TITLE: Final = 24
ROW_DESCRIPTION: Final = 72
PICTURE_HEADERS: Final = frozenset({"text", "image", "video", "document"})


def check(interactive: Mapping[str, Any], *, known: MediaKnown) -> None:
    """Refuse an `interactive` object that Meta would refuse."""
    kind = fields.string(interactive, "type", path=f"{ROOT}['type']")
    rule = RULES.get(str(kind))
    if rule is None:
        raise graph_errors.wrong(
            f"Param {ROOT}['type'] must be one of {{{', '.join(RULES).upper()}}}."
        )
    fields.only(interactive, {"type", "header", "body", "footer", "action"}, path=ROOT)
    rule(interactive, known)
    if "footer" in interactive:
        footer = fields.mapping(interactive, "footer", path=f"{ROOT}['footer']")
        _text(footer, path=f"{ROOT}['footer']", label="Footer text", maximum=SHORT_TEXT)


def _button(interactive: Mapping[str, Any], known: MediaKnown) -> None:
    _header(interactive, allowed=PICTURE_HEADERS, known=known)
    _body(interactive, maximum=BUTTON_BODY)
    action = fields.mapping(interactive, "action", path=ACTION)
    fields.only(action, {"buttons"}, path=ACTION)
    buttons = fields.array(action, "buttons", path=f"{ACTION}['buttons']")
    if not 1 <= len(buttons) <= MAX_BUTTONS:
        raise graph_errors.invalid(
            f"Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: {MAX_BUTTONS}"
        )
    replies = [_reply(button, place) for place, button in enumerate(buttons)]
    fields.unique([reply_id for reply_id, _ in replies], label="button id")
    fields.unique([title for _, title in replies], label="button title")


def _reply(button: Mapping[str, Any], place: int) -> tuple[str, str]:
    path = f"{ACTION}['buttons'][{place}]"
    fields.only(button, {"type", "reply"}, path=path)
    if fields.string(button, "type", path=f"{path}['type']") != "reply":
        raise graph_errors.invalid("Button type must be reply")
    reply = fields.mapping(button, "reply", path=f"{path}['reply']")
    fields.only(reply, {"id", "title"}, path=f"{path}['reply']")
    reply_id = fields.identifier(
        reply, path=f"{path}['reply']", label="Button id", maximum=BUTTON_ID
    )
    title = fields.text(
        reply,
        "title",
        path=f"{path}['reply']['title']",
        label="Button title",
        maximum=BUTTON_TITLE,
    )
    return reply_id, title


def _list(interactive: Mapping[str, Any], known: MediaKnown) -> None:
    _header(interactive, allowed=frozenset({"text"}), known=known)
    _body(interactive, maximum=LIST_BODY)
    action = fields.mapping(interactive, "action", path=ACTION)
    fields.only(action, {"button", "sections"}, path=ACTION)
    fields.text(
        action,
        "button",
        path=f"{ACTION}['button']",
        label="Action button label",
        maximum=BUTTON_TITLE,
    )
    sections = fields.array(action, "sections", path=f"{ACTION}['sections']")
    if not 1 <= len(sections) <= MAX_SECTIONS:
        raise graph_errors.invalid(
            f"Invalid section count. Min allowed sections: 1, Max allowed sections: {MAX_SECTIONS}"
        )
    ids = [row_id for place, section in enumerate(sections) for row_id in _section(section, place)]
    if len(ids) > MAX_ROWS:
        raise graph_errors.invalid(f"Total row count exceed max allowed count: {MAX_ROWS}")
    fields.unique(ids, label="row id")


def _section(section: Mapping[str, Any], place: int) -> list[str]:
    path = f"{ACTION}['sections'][{place}]"
    fields.only(section, {"title", "rows"}, path=path)
    if section.get("title") in (None, ""):
        raise graph_errors.GraphRefused(131008, details=f"{path}['title'] is required")
    fields.text(
        section, "title", path=f"{path}['title']", label="Section title", maximum=SECTION_TITLE
    )
    rows = fields.array(section, "rows", path=f"{path}['rows']")
    if not rows:
        raise graph_errors.invalid("Invalid row count. Min allowed rows: 1")
    return [_row(row, path=f"{path}['rows'][{number}]") for number, row in enumerate(rows)]


def _row(row: Mapping[str, Any], *, path: str) -> str:
    fields.only(row, {"id", "title", "description"}, path=path)
    row_id = fields.identifier(row, path=path, label="Row id", maximum=ROW_ID)
    title = fields.string(row, "title", path=f"{path}['title']") or ""
    if fields.length(title) > ROW_TITLE:
        raise graph_errors.invalid(f"Row title is too long. Max length is {ROW_TITLE}")
    fields.text(row, "title", path=f"{path}['title']", label="Row title", maximum=ROW_TITLE)
    fields.text(
        row,
        "description",
        path=f"{path}['description']",
        label="Row description",
        maximum=ROW_DESCRIPTION,
        optional=True,
    )
    return row_id


def _cta_url(interactive: Mapping[str, Any], known: MediaKnown) -> None:
    _header(interactive, allowed=PICTURE_HEADERS, known=known)
    _body(interactive, maximum=BUTTON_BODY)
    action = fields.mapping(interactive, "action", path=ACTION)
    fields.only(action, {"name", "parameters"}, path=ACTION)
    if fields.string(action, "name", path=f"{ACTION}['name']") != "cta_url":
        raise graph_errors.invalid("Action name must be cta_url")
    path = f"{ACTION}['parameters']"
    parameters = fields.mapping(action, "parameters", path=path)
    fields.only(parameters, {"display_text", "url"}, path=path)
    fields.text(
        parameters,
        "display_text",
        path=f"{path}['display_text']",
        label="Button display text",
        maximum=BUTTON_TITLE,
    )
    url = fields.string(parameters, "url", path=f"{path}['url']") or ""
    fields.web_address(url, path=f"{path}['url']")


def _request(name: str) -> Callable[[Mapping[str, Any], MediaKnown], None]:
    def rule(interactive: Mapping[str, Any], known: MediaKnown) -> None:
        _header(interactive, allowed=frozenset(), known=known)
        _body(interactive, maximum=BUTTON_BODY)
        action = fields.mapping(interactive, "action", path=ACTION)
        if fields.string(action, "name", path=f"{ACTION}['name']") != name:
            raise graph_errors.invalid(f"Action name must be {name}")

    return rule


def _header(interactive: Mapping[str, Any], *, allowed: frozenset[str], known: MediaKnown) -> None:
    if "header" not in interactive:
        return
    path = f"{ROOT}['header']"
    header = fields.mapping(interactive, "header", path=path)
    kind = fields.string(header, "type", path=f"{path}['type']") or ""
    if kind not in allowed:
        raise graph_errors.invalid(f"Header type {kind} is not supported for this interactive type")
    fields.only(header, {"type", kind}, path=path)
    if kind == "text":
        fields.text(header, "text", path=f"{path}['text']", label="Header text", maximum=SHORT_TEXT)
    else:
        attachment = fields.mapping(header, kind, path=f"{path}['{kind}']")
        check_attachment(
            attachment, kind=kind, path=f"{path}['{kind}']", known=known, caption=False
        )


def _body(interactive: Mapping[str, Any], *, maximum: int) -> None:
    body = fields.mapping(interactive, "body", path=f"{ROOT}['body']")
    _text(body, path=f"{ROOT}['body']", label="Body text", maximum=maximum)


def _text(holder: Mapping[str, Any], *, path: str, label: str, maximum: int) -> None:
    fields.only(holder, {"text"}, path=path)
    fields.text(holder, "text", path=f"{path}['text']", label=label, maximum=maximum)


RULES: Final[Mapping[str, Callable[[Mapping[str, Any], MediaKnown], None]]] = {
    "button": _button,
    "list": _list,
    "cta_url": _cta_url,
    "request_contact_info": _request("request_contact_info"),
    "location_request_message": _request("send_location"),
}
