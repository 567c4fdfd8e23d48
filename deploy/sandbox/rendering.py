"""Rendering of a message of the business as the buyer's phone shows it."""

from collections.abc import Callable, Mapping
from typing import Any

from deploy.sandbox.chat import ChatChoice, DisplayedMessage

MessageBody = Mapping[str, Any]
DescribeMedia = Callable[[str], Mapping[str, str]]
"""Returns the address and the type of a media id."""


def render_message(body: MessageBody, *, describe: DescribeMedia) -> DisplayedMessage:
    """Return the displayed form of an accepted `/messages` body."""
    kind = str(body.get("type", "text")).lower()
    if kind == "interactive":
        return _render_interactive(body["interactive"], describe)
    if kind == "text":
        return DisplayedMessage(type="text", text=body["text"]["body"])
    content = body[kind]
    if kind in {"image", "sticker"}:
        picture = _render_file(content, describe)
        return DisplayedMessage(type=kind, text=content.get("caption", ""), picture=picture)
    if kind in {"document", "audio", "video"}:
        file = _render_file(content, describe)
        return DisplayedMessage(type=kind, text=content.get("caption", ""), file=file)
    if kind == "reaction":
        return DisplayedMessage(type=kind, text=content["emoji"])
    if kind == "location":
        return DisplayedMessage(type=kind, text=content.get("name", ""))
    return DisplayedMessage(type=kind)


def _render_interactive(interactive: MessageBody, describe: DescribeMedia) -> DisplayedMessage:
    header = interactive.get("header", {})
    kind = interactive["type"]
    action = interactive["action"]
    header_kind = header.get("type", "text")
    media = None if header_kind == "text" else _render_file(header[header_kind], describe)
    return DisplayedMessage(
        type=kind,
        text=interactive["body"]["text"],
        header=header.get("text", ""),
        footer=interactive.get("footer", {}).get("text", ""),
        picture=media if header_kind == "image" else None,
        file=media if header_kind != "image" else None,
        label=action.get("button", ""),
        buttons=_render_buttons(action) if kind == "button" else (),
        rows=_render_rows(action) if kind == "list" else (),
        link=_render_link(action) if kind == "cta_url" else None,
    )


def _render_buttons(action: MessageBody) -> tuple[ChatChoice, ...]:
    replies = [button["reply"] for button in action["buttons"]]
    return tuple(
        ChatChoice(index=index, id=reply["id"], title=reply["title"])
        for index, reply in enumerate(replies, start=1)
    )


def _render_rows(action: MessageBody) -> tuple[ChatChoice, ...]:
    rows = [(section["title"], row) for section in action["sections"] for row in section["rows"]]
    return tuple(
        ChatChoice(
            index=index,
            id=row["id"],
            title=row["title"],
            description=row.get("description") or "",
            section=section,
        )
        for index, (section, row) in enumerate(rows, start=1)
    )


def _render_link(action: MessageBody) -> dict[str, str]:
    parameters = action["parameters"]
    return {"title": parameters["display_text"], "url": parameters["url"]}


def _render_file(content: MessageBody, describe: DescribeMedia) -> Mapping[str, str]:
    if "link" in content:
        return {"link": content["link"]}
    return describe(content["id"])
