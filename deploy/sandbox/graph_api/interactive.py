"""Meta's rules for interactive messages: reply buttons, lists, link buttons, contact requests.

Sources: developers.facebook.com/documentation/business-messaging/whatsapp/messages/
interactive-reply-buttons-messages, interactive-list-messages, interactive-cta-url-messages.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from deploy.sandbox import graph_errors
from deploy.sandbox.graph_api import fields
from deploy.sandbox.graph_api.attachments import FindMimeType, check_attachment

ROOT_PATH: Final = "interactive"
ACTION_PATH: Final = "interactive['action']"
MAX_BUTTON_BODY_LENGTH: Final = 1024
MAX_LIST_BODY_LENGTH: Final = 4096
MAX_SHORT_TEXT_LENGTH: Final = 60  # header and footer
MAX_BUTTONS: Final = 3
MAX_BUTTON_ID_LENGTH: Final = 256
MAX_BUTTON_TITLE_LENGTH: Final = 20
MAX_SECTIONS: Final = 10
MAX_ROWS: Final = 10
MAX_SECTION_TITLE_LENGTH: Final = 24
MAX_ROW_ID_LENGTH: Final = 200
MAX_ROW_TITLE_LENGTH: Final = 24
MAX_ROW_DESCRIPTION_LENGTH: Final = 72
MEDIA_HEADER_TYPES: Final = frozenset({"text", "image", "video", "document"})


def check_interactive(interactive: Mapping[str, Any], *, find_mime_type: FindMimeType) -> None:
    """Check an `interactive` object.

    Raises:
        GraphApiRefusal: Meta would refuse it.

    """
    kind = fields.read_string(interactive, "type", path=f"{ROOT_PATH}['type']")
    rule = CHECKS_BY_TYPE.get(str(kind))
    if rule is None:
        raise graph_errors.build_schema_error(
            f"Param {ROOT_PATH}['type'] must be one of {{{', '.join(CHECKS_BY_TYPE).upper()}}}."
        )
    fields.check_known_keys(
        interactive, {"type", "header", "body", "footer", "action"}, path=ROOT_PATH
    )
    rule(interactive, find_mime_type)
    if "footer" in interactive:
        footer = fields.read_object(interactive, "footer", path=f"{ROOT_PATH}['footer']")
        _check_text(
            footer,
            path=f"{ROOT_PATH}['footer']",
            label="Footer text",
            maximum=MAX_SHORT_TEXT_LENGTH,
        )


def _check_reply_buttons(interactive: Mapping[str, Any], find_mime_type: FindMimeType) -> None:
    _check_header(interactive, allowed=MEDIA_HEADER_TYPES, find_mime_type=find_mime_type)
    _check_body(interactive, maximum=MAX_BUTTON_BODY_LENGTH)
    action = fields.read_object(interactive, "action", path=ACTION_PATH)
    fields.check_known_keys(action, {"buttons"}, path=ACTION_PATH)
    buttons = fields.read_array(action, "buttons", path=f"{ACTION_PATH}['buttons']")
    if not 1 <= len(buttons) <= MAX_BUTTONS:
        raise graph_errors.build_invalid_value_error(
            f"Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: {MAX_BUTTONS}"
        )
    replies = [_check_reply(button, place) for place, button in enumerate(buttons)]
    fields.check_unique([reply_id for reply_id, _ in replies], label="button id")
    fields.check_unique([title for _, title in replies], label="button title")


def _check_reply(button: Mapping[str, Any], place: int) -> tuple[str, str]:
    path = f"{ACTION_PATH}['buttons'][{place}]"
    fields.check_known_keys(button, {"type", "reply"}, path=path)
    if fields.read_string(button, "type", path=f"{path}['type']") != "reply":
        raise graph_errors.build_invalid_value_error("Button type must be reply")
    reply = fields.read_object(button, "reply", path=f"{path}['reply']")
    fields.check_known_keys(reply, {"id", "title"}, path=f"{path}['reply']")
    reply_id = fields.read_identifier(
        reply, path=f"{path}['reply']", label="Button id", maximum=MAX_BUTTON_ID_LENGTH
    )
    title = fields.read_text(
        reply,
        "title",
        path=f"{path}['reply']['title']",
        label="Button title",
        maximum=MAX_BUTTON_TITLE_LENGTH,
    )
    return reply_id, title


def _check_list(interactive: Mapping[str, Any], find_mime_type: FindMimeType) -> None:
    _check_header(interactive, allowed=frozenset({"text"}), find_mime_type=find_mime_type)
    _check_body(interactive, maximum=MAX_LIST_BODY_LENGTH)
    action = fields.read_object(interactive, "action", path=ACTION_PATH)
    fields.check_known_keys(action, {"button", "sections"}, path=ACTION_PATH)
    fields.read_text(
        action,
        "button",
        path=f"{ACTION_PATH}['button']",
        label="Action button label",
        maximum=MAX_BUTTON_TITLE_LENGTH,
    )
    sections = fields.read_array(action, "sections", path=f"{ACTION_PATH}['sections']")
    if not 1 <= len(sections) <= MAX_SECTIONS:
        raise graph_errors.build_invalid_value_error(
            f"Invalid section count. Min allowed sections: 1, Max allowed sections: {MAX_SECTIONS}"
        )
    ids = [
        row_id
        for place, section in enumerate(sections)
        for row_id in _check_section(section, place)
    ]
    if len(ids) > MAX_ROWS:
        raise graph_errors.build_invalid_value_error(
            f"Total row count exceed max allowed count: {MAX_ROWS}"
        )
    fields.check_unique(ids, label="row id")


def _check_section(section: Mapping[str, Any], place: int) -> list[str]:
    path = f"{ACTION_PATH}['sections'][{place}]"
    fields.check_known_keys(section, {"title", "rows"}, path=path)
    if section.get("title") in (None, ""):
        raise graph_errors.GraphApiRefusal(131008, details=f"{path}['title'] is required")
    fields.read_text(
        section,
        "title",
        path=f"{path}['title']",
        label="Section title",
        maximum=MAX_SECTION_TITLE_LENGTH,
    )
    rows = fields.read_array(section, "rows", path=f"{path}['rows']")
    if not rows:
        raise graph_errors.build_invalid_value_error("Invalid row count. Min allowed rows: 1")
    return [_check_row(row, path=f"{path}['rows'][{number}]") for number, row in enumerate(rows)]


def _check_row(row: Mapping[str, Any], *, path: str) -> str:
    fields.check_known_keys(row, {"id", "title", "description"}, path=path)
    row_id = fields.read_identifier(row, path=path, label="Row id", maximum=MAX_ROW_ID_LENGTH)
    title = fields.read_string(row, "title", path=f"{path}['title']") or ""
    if fields.measure_text(title) > MAX_ROW_TITLE_LENGTH:
        raise graph_errors.build_invalid_value_error(
            f"Row title is too long. Max length is {MAX_ROW_TITLE_LENGTH}"
        )
    fields.read_text(
        row, "title", path=f"{path}['title']", label="Row title", maximum=MAX_ROW_TITLE_LENGTH
    )
    fields.read_text(
        row,
        "description",
        path=f"{path}['description']",
        label="Row description",
        maximum=MAX_ROW_DESCRIPTION_LENGTH,
        optional=True,
    )
    return row_id


def _check_cta_url(interactive: Mapping[str, Any], find_mime_type: FindMimeType) -> None:
    _check_header(interactive, allowed=MEDIA_HEADER_TYPES, find_mime_type=find_mime_type)
    _check_body(interactive, maximum=MAX_BUTTON_BODY_LENGTH)
    action = fields.read_object(interactive, "action", path=ACTION_PATH)
    fields.check_known_keys(action, {"name", "parameters"}, path=ACTION_PATH)
    if fields.read_string(action, "name", path=f"{ACTION_PATH}['name']") != "cta_url":
        raise graph_errors.build_invalid_value_error("Action name must be cta_url")
    path = f"{ACTION_PATH}['parameters']"
    parameters = fields.read_object(action, "parameters", path=path)
    fields.check_known_keys(parameters, {"display_text", "url"}, path=path)
    fields.read_text(
        parameters,
        "display_text",
        path=f"{path}['display_text']",
        label="Button display text",
        maximum=MAX_BUTTON_TITLE_LENGTH,
    )
    url = fields.read_string(parameters, "url", path=f"{path}['url']") or ""
    fields.check_web_address(url, path=f"{path}['url']")


def _make_request_check(name: str) -> Callable[[Mapping[str, Any], FindMimeType], None]:
    def rule(interactive: Mapping[str, Any], find_mime_type: FindMimeType) -> None:
        _check_header(interactive, allowed=frozenset(), find_mime_type=find_mime_type)
        _check_body(interactive, maximum=MAX_BUTTON_BODY_LENGTH)
        action = fields.read_object(interactive, "action", path=ACTION_PATH)
        if fields.read_string(action, "name", path=f"{ACTION_PATH}['name']") != name:
            raise graph_errors.build_invalid_value_error(f"Action name must be {name}")

    return rule


def _check_header(
    interactive: Mapping[str, Any], *, allowed: frozenset[str], find_mime_type: FindMimeType
) -> None:
    if "header" not in interactive:
        return
    path = f"{ROOT_PATH}['header']"
    header = fields.read_object(interactive, "header", path=path)
    kind = fields.read_string(header, "type", path=f"{path}['type']") or ""
    if kind not in allowed:
        raise graph_errors.build_invalid_value_error(
            f"Header type {kind} is not supported for this interactive type"
        )
    fields.check_known_keys(header, {"type", kind}, path=path)
    if kind == "text":
        fields.read_text(
            header,
            "text",
            path=f"{path}['text']",
            label="Header text",
            maximum=MAX_SHORT_TEXT_LENGTH,
        )
    else:
        attachment = fields.read_object(header, kind, path=f"{path}['{kind}']")
        check_attachment(
            attachment,
            kind=kind,
            path=f"{path}['{kind}']",
            find_mime_type=find_mime_type,
            caption=False,
        )


def _check_body(interactive: Mapping[str, Any], *, maximum: int) -> None:
    body = fields.read_object(interactive, "body", path=f"{ROOT_PATH}['body']")
    _check_text(body, path=f"{ROOT_PATH}['body']", label="Body text", maximum=maximum)


def _check_text(holder: Mapping[str, Any], *, path: str, label: str, maximum: int) -> None:
    fields.check_known_keys(holder, {"text"}, path=path)
    fields.read_text(holder, "text", path=f"{path}['text']", label=label, maximum=maximum)


CHECKS_BY_TYPE: Final[Mapping[str, Callable[[Mapping[str, Any], FindMimeType], None]]] = {
    "button": _check_reply_buttons,
    "list": _check_list,
    "cta_url": _check_cta_url,
    "request_contact_info": _make_request_check("request_contact_info"),
    "location_request_message": _make_request_check("send_location"),
}
