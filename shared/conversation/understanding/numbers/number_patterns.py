"""Patterns of ticket numbers that buyers ask for: odd ones, those that end in 7, low ones."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self


class Parity(StrEnum):
    """Whether numbers are odd or even."""

    ODD = "odd"
    EVEN = "even"


class Part(StrEnum):
    """The part of a raffle's numbers that is meant by "low ones" and "high ones"."""

    LOW = "low"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class NumberPattern:
    """What ticket numbers must be like; an empty pattern means any number.

    Digits are those of a number as the raffle writes it, with its leading zeros.

    Attributes:
        ending: the last digits; empty: any.
        starting: the first digits; empty: any.
        containing: digits that follow each other somewhere; empty: any.
        parity: odd or even numbers only; None: both.
        part: whether the lowest or the highest of the free numbers are wanted. It says nothing
            about a number alone, so it is no condition of `matches`.
        low: the lowest number; None: any.
        high: the highest number; None: any.

    """

    ending: str = ""
    starting: str = ""
    containing: str = ""
    parity: Parity | None = None
    part: Part | None = None
    low: int | None = None
    high: int | None = None

    @classmethod
    def from_parts(cls, parts: Mapping[str, str]) -> Self:
        """Return the pattern of digits and words as a reading names them: `ending`, `kind` …"""
        kind = parts.get("kind", "")
        return cls(
            ending=parts.get("ending", ""),
            starting=parts.get("starting", ""),
            containing=parts.get("containing", ""),
            parity=Parity(kind) if kind in set(Parity) else None,
            part=Part(kind) if kind in set(Part) else None,
        )

    def matches(self, number: int, *, width: int) -> bool:
        """Return whether a ticket number is like this.

        Args:
            number: the ticket number.
            width: how many digits the raffle writes a number with, at least.

        """
        written = f"{number:0{width}d}"
        return (
            written.endswith(self.ending)
            and written.startswith(self.starting)
            and self.containing in written
            and (self.parity is None or (number % 2 == 1) == (self.parity is Parity.ODD))
            and (self.low is None or number >= self.low)
            and (self.high is None or number <= self.high)
        )

    def loosen(self) -> "NumberPattern | None":
        """Return a pattern of more numbers, to be offered if none is free; None: there is none.

        "Ending in 77" becomes "ending in 7", and that becomes any number.
        """
        if self == NumberPattern():
            return None
        if len(self.ending) > 1:
            return replace(self, ending=self.ending[1:])
        if len(self.starting) > 1:
            return replace(self, starting=self.starting[:-1])
        if len(self.containing) > 1:
            return replace(self, containing=self.containing[:-1])
        return NumberPattern()
