"""Button and row ids: self-contained, so that a tap on an old message still says what it meant."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

BUTTON_ID_VERSION: Final = "r1"
"""Stands in front of every id; ids of another generation count as unknown and are explained."""

MAX_TAP_ID: Final = 256
"""Characters; Meta takes no longer id for a button, so a longer one is none of ours.

Source: Meta, "Interactive reply buttons messages".
"""


class ButtonAction(StrEnum):
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
class ButtonId:
    """A button id taken apart."""

    do: ButtonAction
    values: tuple[int, ...] = ()

    @property
    def subject(self) -> int | None:
        """The raffle, order, page or proof it is about."""
        return self.values[0] if self.values else None


_REQUIRED_VALUES: Final = {
    ButtonAction.MENU: 0, ButtonAction.MINE: 0, ButtonAction.QUANTITY: 2,
    ButtonAction.NUMBERS: 2, ButtonAction.PROOF: 2,
}  # fmt: skip


def build_button_id(do: ButtonAction, *values: int) -> str:
    """Give the id of a button: `r1:qty:12:5`."""
    return ":".join([BUTTON_ID_VERSION, do.value, *map(str, values)])


def parse_button_id(tap_id: str) -> ButtonId | None:
    """Take an id apart; None if it is not one of ours or lacks something."""
    if len(tap_id) > MAX_TAP_ID:
        return None
    version, _, rest = tap_id.partition(":")
    name, *values = rest.split(":")
    if version != BUTTON_ID_VERSION or name not in set(ButtonAction):
        return None
    if not all(value.isascii() and value.isdecimal() and len(value) < 19 for value in values):  # noqa: PLR2004 - fits 64 bits
        return None
    do = ButtonAction(name)
    if len(values) < _REQUIRED_VALUES.get(do, 1):
        return None
    return ButtonId(do, tuple(map(int, values)))
