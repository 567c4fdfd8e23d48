"""Ids of buttons and list rows.

An id contains everything that a tap needs, so a tap on an old message still means the same.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

BUTTON_ID_VERSION: Final = "r1"
"""Prefix of every id; an id with another prefix counts as unknown, and the buyer is told so."""

MAX_TAP_ID: Final = 256
"""Longest id in characters: Meta accepts no longer one for a button.

Source: Meta, "Interactive reply buttons messages".
"""

_MAX_VALUE_DIGITS: Final = 18
"""Longest value in digits; it fits 64 bits."""


class ButtonAction(StrEnum):
    """The action of a button; the comments name the values that follow the colon."""

    MENU = "menu"
    PAGE = "page"  # page of the raffle list
    MINE = "mine"  # page of the orders, or none for the first
    RAFFLE = "raffle"  # raffle
    RANDOM = "random"  # raffle
    PICK = "pick"  # raffle
    QUANTITY = "qty"  # raffle, quantity
    NUMBERS = "nums"  # raffle, ticket numbers …
    CONFIRM = "confirm"  # order
    OTHERS = "others"  # order
    CANCEL = "cancel"  # order
    CANCEL_SURELY = "cancel-surely"  # order
    KEEP = "keep"  # order
    GIVE_BACK = "give-back"  # order, some of whose numbers are not wanted
    PAY = "pay"  # order
    PROOF = "proof"  # proof, order
    CANCEL_PAGE = "cancel-page"  # page of the question which order to cancel
    PAY_PAGE = "pay-page"  # page of the question which order is to be paid
    PROOF_PAGE = "proof-page"  # proof, page of the question which order it is for
    RULES = "rules"  # raffle
    RESULTS = "results"
    VERIFY = "verify"  # raffle, ticket number
    ADULT = "adult"  # raffle
    MINOR = "minor"  # raffle
    SHOW_NAME = "show-name"  # result of a draw
    HIDE_NAME = "hide-name"  # result of a draw
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class ButtonId:
    """A parsed button id."""

    action: ButtonAction
    values: tuple[int, ...] = ()

    @property
    def subject_id(self) -> int | None:
        """The first value: the id of the raffle, order, proof or result, or the page of a list."""
        return self.values[0] if self.values else None


def count_required_values(action: ButtonAction) -> int:
    """Return how many values the id of a button must have at least."""
    match action:
        case ButtonAction.MENU | ButtonAction.MINE | ButtonAction.RESULTS | ButtonAction.PERSON:
            return 0
        case (
            ButtonAction.PAGE
            | ButtonAction.RAFFLE
            | ButtonAction.RANDOM
            | ButtonAction.PICK
            | ButtonAction.CONFIRM
            | ButtonAction.OTHERS
            | ButtonAction.CANCEL
            | ButtonAction.CANCEL_SURELY
            | ButtonAction.KEEP
            | ButtonAction.GIVE_BACK
            | ButtonAction.PAY
            | ButtonAction.CANCEL_PAGE
            | ButtonAction.PAY_PAGE
            | ButtonAction.RULES
            | ButtonAction.ADULT
            | ButtonAction.MINOR
            | ButtonAction.SHOW_NAME
            | ButtonAction.HIDE_NAME
        ):
            return 1
        case (
            ButtonAction.QUANTITY
            | ButtonAction.NUMBERS
            | ButtonAction.PROOF
            | ButtonAction.PROOF_PAGE
            | ButtonAction.VERIFY
        ):
            return 2
        case _:
            assert_never(action)


def build_button_id(action: ButtonAction, *values: int) -> str:
    """Return the id of a button, such as `r1:qty:12:5`."""
    return ":".join([BUTTON_ID_VERSION, action.value, *map(str, values)])


def parse_button_id(tap_id: str) -> ButtonId | None:
    """Return the parts of an id, or None if it is not one of ours or incomplete."""
    if len(tap_id) > MAX_TAP_ID:
        return None
    version, _, rest = tap_id.partition(":")
    name, *values = rest.split(":")
    if version != BUTTON_ID_VERSION or name not in set(ButtonAction):
        return None
    if not all(_is_value(value) for value in values):
        return None
    action = ButtonAction(name)
    if len(values) < count_required_values(action):
        return None
    return ButtonId(action, tuple(map(int, values)))


def _is_value(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MAX_VALUE_DIGITS
