"""Immutable facts about draws: what everybody may know of prizes, winners and ticket numbers."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.conversation.facts.values import RaffleFacts


@dataclass(frozen=True, slots=True)
class PrizeFacts:
    """A prize, and what may be told of its winner.

    Attributes:
        number: the ticket number that won; None: it is not drawn, or no person has confirmed the
            winner so far, and until then nobody is told.
        winner: first name and last two digits of the winner, if they consented; else empty.
        claim_until: until when the prize can be claimed; None without a winner.

    """

    title: str
    number: int | None = None
    winner: str = ""
    is_claimed: bool = False
    claim_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DrawFacts:
    """The draw of a raffle, which may be still to come.

    Attributes:
        sealed_count: how many sold numbers are on the sealed list; None: it is not sealed.
        list_hash: the SHA-256 of that list, in hex.
        drawn_at: the time of the latest result; None: nothing is drawn.

    """

    raffle: RaffleFacts
    prizes: tuple[PrizeFacts, ...] = ()
    sealed_count: int | None = None
    list_hash: str = ""
    drawn_at: datetime | None = None

    @property
    def has_all_winners(self) -> bool:
        """Whether the winner of every prize is confirmed."""
        return bool(self.prizes) and all(prize.number is not None for prize in self.prizes)

    def find_prizes_won(self, number: int) -> tuple[PrizeFacts, ...]:
        """Return the prizes that a ticket number won."""
        return tuple(prize for prize in self.prizes if prize.number == number)


class NumberStatus(StrEnum):
    """The status of a ticket number as everybody may know it."""

    UNKNOWN = "UNKNOWN"  # the raffle has no such number
    FREE = "FREE"
    HELD = "HELD"
    SOLD = "SOLD"


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """A ticket number of a raffle.

    Attributes:
        entry: the number of its sale in the receipt chain; None: it has none.
        is_on_list: whether the sealed list has it.

    """

    draw: DrawFacts
    number: int
    status: NumberStatus
    entry: int | None = None
    is_on_list: bool = False
