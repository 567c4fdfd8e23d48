"""The actor: the person, program or clock behind a change of an order."""

from dataclasses import dataclass
from typing import Final

from shared.core.enums import ActorKind


@dataclass(frozen=True, slots=True)
class Actor:
    """The author of a change: the buyer in the chat, a member of staff, an API token or the clock.

    Attributes:
        kind: which of these it is.
        id: its primary key in its own table; empty if it has none.
        label: its name as the order's history shows it.
        owner: of an API token: the name of the person who created it.

    """

    kind: ActorKind
    id: str = ""
    label: str = ""
    owner: str = ""


SYSTEM: Final = Actor(ActorKind.SWEEPER, label="the system")
"""The installation itself, e.g. the demo that prepares its raffle."""

SWEEPER: Final = Actor(ActorKind.SWEEPER, label="time ran out")
"""The clock, which expires orders."""
