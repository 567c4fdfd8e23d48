"""Stories of buyers: what each writes and taps, decided by its serial number."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

type StoryStep = tuple[str, str]
"""`says` with a text, or `taps` with the beginning of a button's id."""

NUMBERS: Final = 100_000
"""Ticket numbers of the raffle from which most buyers buy."""
SMALL_RAFFLE_EVERY: Final = 20
"""One buyer in so many taps the other raffle."""

TAPS: Final = "taps"
SAYS: Final = "says"
PURCHASE_STEPS: Final = 3


def build_story(serial: int) -> Iterator[StoryStep]:
    """Return the steps of a buyer: greetings, holds, orders, questions, and words without sense."""
    raffle = f"r1:raffle:{2 if serial % SMALL_RAFFLE_EVERY == 7 else 1}"
    first = serial * 7 % (NUMBERS - 1)
    stories: Sequence[Sequence[StoryStep]] = (
        (
            *((SAYS, "hi"), (TAPS, raffle), (TAPS, "r1:random:"), (SAYS, "3")),
            *((TAPS, "r1:confirm:"), (SAYS, "my tickets"), (SAYS, "help"), (SAYS, "menu")),
            (SAYS, "what a lovely day it is"),
        ),
        (
            *((SAYS, "hello"), (TAPS, raffle), (TAPS, "r1:pick:")),
            *((SAYS, f"{first:05} and {first + 1:05}"), (TAPS, "r1:confirm:")),
            *((TAPS, "r1:pay:"), (SAYS, "how do I pay?"), (SAYS, "thanks"), (TAPS, "r1:mine")),
        ),
        (
            *((SAYS, "Good morning"), (TAPS, raffle), (SAYS, "5 random"), (TAPS, "r1:others:")),
            *((SAYS, "yes"), (SAYS, "my tickets"), (TAPS, "r1:menu"), (SAYS, "menu")),
        ),
        (
            *((SAYS, "hi!"), (SAYS, "qwertz uiop"), (TAPS, raffle), (TAPS, "r1:random:")),
            *((TAPS, "r1:qty:"), (TAPS, "r1:cancel:"), (SAYS, "is it a good bike?")),
            *((SAYS, "help"), (SAYS, "menu")),
        ),
    )
    return iter(stories[serial % len(stories)])


def build_purchase() -> Iterator[StoryStep]:
    """Return the steps of a buyer who takes three numbers."""
    return iter(((SAYS, "hi"), (SAYS, "3 random"), (TAPS, "r1:confirm:")))


def build_rush_story(serial: int, *, numbers: int) -> Iterator[StoryStep]:
    """Return the steps of a buyer in a rush: greet, ask for one number, confirm it.

    Args:
        serial: one half asks for any number, the other half for a certain one.
        numbers: how many the raffle has, from 0.

    """
    width = len(str(numbers - 1))
    wish = "1 random" if serial % 2 else f"number {serial % numbers:0{width}}"
    return iter(((SAYS, "hi"), (SAYS, wish), (TAPS, "r1:confirm:")))


@dataclass(frozen=True, slots=True)
class Choice:
    """A button or a row of a list that the buyer may tap."""

    id: str
    title: str
    kind: str


@dataclass(slots=True)
class Buyer:
    """A buyer with a story and what the last reply offers to tap.

    Attributes:
        serial: number of the buyer in the run.
        steps: the rest of the story.
        scheduled: when the message that waits for its reply was due, in seconds of the load's
            clock; None if none waits.
        replies: texts of all replies.

    """

    serial: int
    wa_id: str
    steps: Iterator[StoryStep]
    choices: tuple[Choice, ...] = ()
    scheduled: float | None = None
    written: int = 0
    replies: list[str] = field(default_factory=list)

    def build_next_message(self, *, at: int) -> dict[str, Any] | None:
        """Return the next message in Meta's format, or None at the end of the story.

        A tap on something that the last reply does not offer is left out.

        Args:
            at: Meta's time of the message, in seconds since 1970.

        """
        for kind, value in self.steps:
            if kind == SAYS:
                return self.write_text(value, at=at)
            for choice in self.choices:
                if choice.id.startswith(value):
                    tapped = {"id": choice.id, "title": choice.title}
                    interactive = {"type": choice.kind, choice.kind: tapped}
                    return self._build(at, {"type": "interactive", "interactive": interactive})
        return None

    def write_text(self, text: str, *, at: int) -> dict[str, Any]:
        """Return a text in Meta's format."""
        return self._build(at, {"type": "text", "text": {"body": text}})

    def read_reply(self, body: Mapping[str, Any]) -> None:
        """Remember what a message of the Graph API offers to tap."""
        self.choices = tuple(_list_choices(body))

    def _build(self, at: int, content: Mapping[str, Any]) -> dict[str, Any]:
        self.written += 1
        return {
            "from": self.wa_id,
            "from_user_id": f"US.{self.wa_id}",
            "id": f"wamid.{self.wa_id}.{self.written}",
            "timestamp": str(at),
            **content,
        }


def read_text(body: Mapping[str, Any]) -> str:
    """Return the text of a message of the Graph API."""
    if "text" in body:
        return str(body["text"]["body"])
    return str(body["interactive"]["body"]["text"])


def _list_choices(body: Mapping[str, Any]) -> Iterator[Choice]:
    action = body.get("interactive", {}).get("action", {})
    for button in action.get("buttons", ()):
        yield Choice(button["reply"]["id"], button["reply"]["title"], "button_reply")
    for section in action.get("sections", ()):
        for row in section["rows"]:
            yield Choice(row["id"], row["title"], "list_reply")
