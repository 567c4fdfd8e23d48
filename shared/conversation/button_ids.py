"""Button and row ids: self-contained, so that a tap on an old message still says what it meant."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

VERSION: Final = "r1"
"""Stands in front of every id; ids of another generation count as unknown and are explained."""

MAX_TAP_ID: Final = 256
"""Characters; Meta takes no longer id for a button, so a longer one is none of ours.

Source: Meta, "Interactive reply buttons messages".
"""


class Do(StrEnum):
    """What a tap asks for, with what follows the colon."""

    MENU = "menu"
    PAGE = "page"  # page of the raffle list
    MINE = "mine"
    RAFFLE = "raffle"  # raffle
    RANDOM = "random"  # raffle
    PICK = "pick"  # raffle
    QUANTITY = "qty"  # raffle, how many
    NUMBERS = "nums"  # raffle, numbers …
    CONFIRM = "confirm"  # order
    OTHERS = "others"  # order
    CANCEL = "cancel"  # order
    CANCEL_SURELY = "cancel-surely"  # order
    KEEP = "keep"  # order
    PAY = "pay"  # order
    PROOF = "proof"  # proof, order


@dataclass(frozen=True, slots=True)
class Tap:
    """A button id taken apart."""

    do: Do
    values: tuple[int, ...] = ()

    @property
    def subject(self) -> int | None:
        """The raffle, order, page or proof it is about."""
        return self.values[0] if self.values else None


_NEEDS: Final = {
    Do.MENU: 0, Do.MINE: 0, Do.QUANTITY: 2, Do.NUMBERS: 2, Do.PROOF: 2,
}  # fmt: skip


def write(do: Do, *values: int) -> str:
    """Give the id of a button: `r1:qty:12:5`."""
    return ":".join([VERSION, do.value, *map(str, values)])


def read(tap_id: str) -> Tap | None:
    """Take an id apart; None if it is not one of ours or lacks something."""
    if len(tap_id) > MAX_TAP_ID:
        return None
    version, _, rest = tap_id.partition(":")
    name, *values = rest.split(":")
    if version != VERSION or name not in set(Do):
        return None
    if not all(value.isascii() and value.isdecimal() and len(value) < 19 for value in values):  # noqa: PLR2004 - fits 64 bits
        return None
    do = Do(name)
    if len(values) < _NEEDS.get(do, 1):
        return None
    return Tap(do, tuple(map(int, values)))
