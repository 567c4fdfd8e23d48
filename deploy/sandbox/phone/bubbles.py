"""Chat messages in a terminal: bubbles on both sides, markup, numbered buttons, ticks."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
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
TEXT_ONLY_TYPES: Final = frozenset({"text", "tap", "button", "list", "cta_url"})
"""Message types that show only text."""
_MAX_BUBBLE_CELLS: Final = 60
_MIN_BUBBLE_CELLS: Final = 10
"""Cells inside a bubble, so that time and ticks fit below."""


def render_markup(words: str) -> Text:
    """Render WhatsApp's markup: *bold*, _italic_, ~strikethrough~ and `monospace`.

    The time is proportional to the length of the text, because anybody may have written it.
    """
    text = Text()
    for number, line in enumerate(words.split("\n")):  # no markup goes over the end of a line
        if number:
            text.append("\n")
        _append_line(text, line)
    return text


def _append_line(text: Text, line: str) -> None:
    closing = _find_closing_marks(line)
    open_spans: list[tuple[int, int]] = []  # place of the closing mark, start of the span in `text`
    written, start, end = 0, 0, len(line)  # characters written; bounds of the innermost span
    for place, character in enumerate(line):
        if open_spans and place == end:
            text.append(line[written:place])
            text.stylize(MARKUP_STYLES[character], open_spans.pop()[1], len(text))
            written, end = place + 1, open_spans[-1][0] if open_spans else len(line)
        elif character in MARKUP_STYLES and (place == start or not _is_word(line[place - 1])):
            closes_at = _find_closing_mark(line, place, end, closing[character])
            if closes_at is not None:
                text.append(line[written:place])
                open_spans.append((closes_at, len(text)))
                written, start, end = place + 1, place + 1, closes_at
    text.append(line[written:])


def _find_closing_marks(line: str) -> dict[str, list[int]]:
    """Return the places at which each mark may close a span: before a gap, after no space."""
    places: dict[str, list[int]] = {mark: [] for mark in MARKUP_STYLES}
    for place, (before, mark, after) in enumerate(
        zip(line, line[1:], line[2:] + " ", strict=False)
    ):
        if mark in places and not before.isspace() and not _is_word(after):
            places[mark].append(place + 1)
    return places


def _find_closing_mark(line: str, place: int, end: int, closing: Sequence[int]) -> int | None:
    """Return the place of the mark that closes the one at `place`, before `end`, if any."""
    first, last = place + 2, end - 1
    if last < first or line[place + 1].isspace():
        return None
    index = bisect_left(closing, first)
    if index < len(closing) and closing[index] < end:
        return closing[index]
    return last if line[last] == line[place] and not line[last - 1].isspace() else None


def _is_word(character: str) -> bool:
    return character.isalnum() or character in "*_~`"


def render_message_lines(message: SeenMessage) -> list[Text]:
    """Return the lines of a message, without the frame of its bubble."""
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
