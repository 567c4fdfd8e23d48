"""How a message of the business looks on the buyer's phone."""

from collections.abc import Callable, Mapping
from typing import Any

from deploy.sandbox.chat import Choice, Shown

Message = Mapping[str, Any]
DescribeMedia = Callable[[str], Mapping[str, str]]
"""Tells of a media id where its bytes are and of what type they are."""


def shown(body: Message, *, describe: DescribeMedia) -> Shown:
    """Show an accepted `/messages` body."""
    kind = str(body.get("type", "text")).lower()
    if kind == "interactive":
        return _interactive(body["interactive"], describe)
    if kind == "text":
        return Shown(type="text", text=body["text"]["body"])
    content = body[kind]
    if kind in {"image", "sticker"}:
        picture = _file(content, describe)
        return Shown(type=kind, text=content.get("caption", ""), picture=picture)
    if kind in {"document", "audio", "video"}:
        file = _file(content, describe)
        return Shown(type=kind, text=content.get("caption", ""), file=file)
    if kind == "reaction":
        return Shown(type=kind, text=content["emoji"])
    if kind == "location":
        return Shown(type=kind, text=content.get("name", ""))
    return Shown(type=kind)


def _interactive(interactive: Message, describe: DescribeMedia) -> Shown:
    header = interactive.get("header", {})
    kind = interactive["type"]
    action = interactive["action"]
    header_kind = header.get("type", "text")
    media = None if header_kind == "text" else _file(header[header_kind], describe)
    return Shown(
        type=kind,
        text=interactive["body"]["text"],
        header=header.get("text", ""),
        footer=interactive.get("footer", {}).get("text", ""),
        picture=media if header_kind == "image" else None,
        file=media if header_kind != "image" else None,
        label=action.get("button", ""),
        buttons=_buttons(action) if kind == "button" else (),
        rows=_rows(action) if kind == "list" else (),
        link=_link(action) if kind == "cta_url" else None,
    )


def _buttons(action: Message) -> tuple[Choice, ...]:
    replies = [button["reply"] for button in action["buttons"]]
    return tuple(
        Choice(index=index, id=reply["id"], title=reply["title"])
        for index, reply in enumerate(replies, start=1)
    )


def _rows(action: Message) -> tuple[Choice, ...]:
    rows = [(section["title"], row) for section in action["sections"] for row in section["rows"]]
    return tuple(
        Choice(
            index=index,
            id=row["id"],
            title=row["title"],
            description=row.get("description") or "",
            section=section,
        )
        for index, (section, row) in enumerate(rows, start=1)
    )


def _link(action: Message) -> dict[str, str]:
    parameters = action["parameters"]
    return {"title": parameters["display_text"], "url": parameters["url"]}


def _file(content: Message, describe: DescribeMedia) -> Mapping[str, str]:
    if "link" in content:
        return {"link": content["link"]}
    return describe(content["id"])
