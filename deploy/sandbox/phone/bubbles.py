"""How a chat looks in a terminal: bubbles left and right, bold words, numbered buttons, ticks."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from rich.align import Align
from rich.box import ROUNDED
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from deploy.sandbox.client import SeenMessage, TappableChoice

STATUS_TICKS: Final[Mapping[str, tuple[str, str]]] = {
    "sent": ("✓", "dim"),
    "delivered": ("✓✓", "dim"),
    "read": ("✓✓", "bright_blue"),
    "failed": ("not delivered", "red"),
}
MARKUP_STYLES: Final[Mapping[str, str]] = {"*": "bold", "_": "italic", "~": "strike", "`": "cyan"}
_MARKUP_PATTERN: Final = re.compile(r"(?<![\w*_~`])([*_~`])(?=\S)([^\n]+?)(?<=\S)\1(?![\w*_~`])")
TEXT_ONLY_TYPES: Final = frozenset({"text", "tap", "button", "list", "cta_url"})
"""Types of message that show nothing but words."""
_MAX_BUBBLE_CELLS: Final = 60
_MIN_BUBBLE_CELLS: Final = 10
"""Cells inside a bubble, so that time and ticks fit below."""


def render_markup(words: str) -> Text:
    """Render WhatsApp's markup: *bold*, _italic_, ~struck through~ and `as typed`."""
    text, at = Text(), 0
    for found in _MARKUP_PATTERN.finditer(words):
        text.append(words[at : found.start()])
        inner = render_markup(found[2])
        inner.stylize(MARKUP_STYLES[found[1]])
        text.append_text(inner)
        at = found.end()
    return text.append(words[at:])


def render_message_lines(message: SeenMessage) -> list[Text]:
    """Give the lines of a message as a person sees them, without its frame."""
    lines = [Text(f"[{what}]", "dim") for what in _describe_attachments(message)]
    if message.header:
        lines.append(Text(message.header, "bold"))
    if message.text:
        lines.append(render_markup(message.text))
    if message.footer:
        lines.append(Text(message.footer, "dim"))
    if message.link:
        lines.append(Text(f"{message.link['title']}: {message.link['url']}", "bright_blue"))
    return [*lines, *(_render_choice(choice) for choice in message.choices)]


def _describe_attachments(message: SeenMessage) -> Iterator[str]:
    if message.picture or message.type == "image":
        yield "picture"
    elif message.file or message.type not in TEXT_ONLY_TYPES:
        yield message.type


def _render_choice(choice: TappableChoice) -> Text:
    line = Text.assemble((f"[{choice.index}] ", "bright_blue"), (choice.title, "bold"))
    if choice.description:
        line.append(f" · {choice.description}", "dim")
    return line


def print_message(console: Console, message: SeenMessage) -> None:
    """Print a message: a bubble in a terminal, plain lines elsewhere."""
    if console.is_terminal:
        console.print(_build_bubble(message, width=console.width))
    else:
        _print_plain_message(console, message)


def _build_bubble(message: SeenMessage, *, width: int) -> RenderableType:
    mine = message.sender == "buyer"
    lines = render_message_lines(message)
    lines[0].pad_right(max(0, _MIN_BUBBLE_CELLS - max(line.cell_len for line in lines)))
    panel = Panel(
        Group(*lines),
        box=ROUNDED,
        expand=False,
        width=None,
        border_style="green" if mine else "white",
        subtitle=_render_time_and_ticks(message),
        subtitle_align="right",
        padding=(0, 1),
    )
    room = max(0, width - _MAX_BUBBLE_CELLS)
    frame = (0, 0, 0, room) if mine else (0, room, 0, 0)
    return Align(Padding(panel, frame, expand=False), "right" if mine else "left")


def _render_time_and_ticks(message: SeenMessage) -> Text:
    when = datetime.fromisoformat(message.at).astimezone()
    corner = Text(f"{when:%H:%M}", "dim")
    if message.sender == "buyer" or message.status == "failed":
        tick, style = STATUS_TICKS.get(message.status, ("", ""))
        corner.append(f" {tick}", style)
    return corner


def _print_plain_message(console: Console, message: SeenMessage) -> None:
    mine = message.sender == "buyer"
    first, further = ("▶ ", "  ") if mine else ("◀ ", "  ")
    margin = " " * 40 if mine else ""
    lines = [
        line for part in render_message_lines(message) for line in part.plain.splitlines() or [""]
    ]
    for index, line in enumerate(lines):
        console.print(Text(margin + (further if index else first) + line), soft_wrap=True)
