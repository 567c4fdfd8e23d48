"""The fenced blocks of docs/operations.md: commands, and lines of a `.env`."""

import re
from dataclasses import dataclass
from typing import Final

from shared.core.config import PROJECT_ROOT

PAGE: Final = PROJECT_ROOT / "docs" / "operations.md"

KINDS: Final = frozenset(
    {"sh root", "sh raffle", "sh raffle stays", "sh raffle upgrade", "sh docker", "env"}
    | {"env postgresql"}
)
"""What may stand behind the three backticks; nothing else would be tried by a test."""

_HEADING: Final = re.compile(r"^##+ (.+)$")
_FENCE: Final = re.compile(r"^```(.*)$")
_CONTAINER_COMMAND: Final = re.compile(r"`(docker [^`]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        section: the heading above it.
        kind: what stands behind its backticks.
        line: line number of its first line in the page.
        text: its lines.

    """

    section: str
    kind: str
    line: int
    text: str


def read_blocks() -> list[Block]:
    """Return the blocks of the page, in their order."""
    blocks: list[Block] = []
    section = kind = ""
    lines: list[str] | None = None
    for number, line in enumerate(PAGE.read_text().splitlines(), start=1):
        fence = _FENCE.match(line)
        if lines is None and (heading := _HEADING.match(line)):
            section = heading[1]
        if fence and lines is None:
            kind, lines = fence[1], []
        elif fence and lines is not None:
            blocks.append(Block(section, kind, number - len(lines), "\n".join(lines)))
            lines = None
        elif lines is not None:
            lines.append(line)
    return blocks


def read_container_commands() -> list[str]:
    """Return the commands for containers that stand in sentences and tables."""
    return _CONTAINER_COMMAND.findall(PAGE.read_text())
