"""Who does something to an order."""

from dataclasses import dataclass
from typing import Final

from shared.core.enums import ActorKind


@dataclass(frozen=True, slots=True)
class Actor:
    """The buyer in the chat, a member of staff, an API token, or the clock.

    Attributes:
        kind: which of these.
        id: its key in its own table; empty where it has none.
        label: its name as the order's history shows it.

    """

    kind: ActorKind
    id: str = ""
    label: str = ""


SWEEPER: Final = Actor(ActorKind.SWEEPER, label="time ran out")
