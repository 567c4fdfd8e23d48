"""How a chat looks in a terminal: bubbles left and right, bold words, numbered buttons, ticks."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from rich.align import Align
from rich.box import ROUNDED
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

type Entry = Mapping[str, Any]
"""A message as `GET /sandbox/buyers/{wa_id}/messages` gives it."""

TICKS: Final[Mapping[str, tuple[str, str]]] = {
    "sent": ("✓", "dim"),
    "delivered": ("✓✓", "dim"),
    "read": ("✓✓", "bright_blue"),
    "failed": ("not delivered", "red"),
}
MARKUP: Final[Mapping[str, str]] = {"*": "bold", "_": "italic", "~": "strike", "`": "cyan"}
_MARKED: Final = re.compile(r"(?<![\w*_~`])([*_~`])(?=\S)([^\n]+?)(?<=\S)\1(?![\w*_~`])")
_WIDEST: Final = 60


def styled(words: str) -> Text:
    """Render WhatsApp's markup: *bold*, _italic_, ~struck through~ and `as typed`."""
    text, at = Text(), 0
    for found in _MARKED.finditer(words):
        text.append(words[at : found.start()])
        inner = styled(found[2])
        inner.stylize(MARKUP[found[1]])
        text.append_text(inner)
        at = found.end()
    return text.append(words[at:])


def choices(entry: Entry) -> list[Mapping[str, Any]]:
    """Give the buttons or rows of a message, in order; each has an `index` from 1."""
    return [*entry["buttons"], *entry["rows"]]


def face(entry: Entry) -> list[Text]:
    """Give the lines of a message as a person sees them, without its frame."""
    lines = [Text(f"[{what}]", "dim") for what in _attachments(entry)]
    if entry["header"]:
        lines.append(Text(entry["header"], "bold"))
    if entry["text"]:
        lines.append(styled(entry["text"]))
    if entry["footer"]:
        lines.append(Text(entry["footer"], "dim"))
    if entry["link"]:
        lines.append(Text(f"{entry['link']['title']}: {entry['link']['url']}", "bright_blue"))
    return [*lines, *(_choice(choice) for choice in choices(entry))] or [Text(f"[{entry['type']}]")]


def _attachments(entry: Entry) -> Iterator[str]:
    if entry["picture"]:
        yield "picture"
    elif entry["file"]:
        yield "file"
    elif entry["type"] not in {"text", "tap", "button", "list", "cta_url"} and entry["text"]:
        yield str(entry["type"])


def _choice(choice: Mapping[str, Any]) -> Text:
    line = Text.assemble((f"[{choice['index']}] ", "bright_blue"), (choice["title"], "bold"))
    if choice.get("description"):
        line.append(f" · {choice['description']}", "dim")
    return line


def show(console: Console, entry: Entry) -> None:
    """Print a message: a bubble in a terminal, plain lines elsewhere."""
    if console.is_terminal:
        console.print(_bubble(entry, width=console.width))
    else:
        _plainly(console, entry)


def _bubble(entry: Entry, *, width: int) -> RenderableType:
    mine = entry["from"] == "buyer"
    panel = Panel(
        Group(*face(entry)),
        box=ROUNDED,
        expand=False,
        width=None,
        border_style="green" if mine else "white",
        subtitle=_corner(entry),
        subtitle_align="right",
        padding=(0, 1),
    )
    room = max(0, width - _WIDEST)
    frame = (0, 0, 0, room) if mine else (0, room, 0, 0)
    return Align(Padding(panel, frame, expand=False), "right" if mine else "left")


def _corner(entry: Entry) -> Text:
    when = datetime.fromisoformat(entry["at"]).astimezone()
    corner = Text(f"{when:%H:%M}", "dim")
    if entry["from"] == "buyer" or entry["status"] == "failed":
        tick, style = TICKS.get(entry["status"], ("", ""))
        corner.append(f" {tick}", style)
    return corner


def _plainly(console: Console, entry: Entry) -> None:
    mine = entry["from"] == "buyer"
    first, further = ("▶ ", "  ") if mine else ("◀ ", "  ")
    margin = " " * 40 if mine else ""
    lines = [line for part in face(entry) for line in part.plain.splitlines() or [""]]
    for index, line in enumerate(lines):
        console.print(Text(margin + (further if index else first) + line), soft_wrap=True)
