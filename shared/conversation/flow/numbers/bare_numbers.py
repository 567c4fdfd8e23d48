"""Meaning of a number alone, by what the bot has just asked."""

from enum import Enum, auto
from typing import assert_never

from shared.core.enums import State


class BareNumberMeaning(Enum):
    """The meaning of a number alone in a state: a quantity, a ticket number, or unclear."""

    QUANTITY = auto()
    TICKET = auto()
    ASK = auto()


def get_bare_number_meaning(state: State) -> BareNumberMeaning:
    """Return what a number alone means where the bot has just asked for one."""
    match state:
        case State.ASK_QTY:
            return BareNumberMeaning.QUANTITY
        case State.ASK_PICK_NUMBERS:
            return BareNumberMeaning.TICKET
        case (
            State.MENU
            | State.CHOOSE_MODE
            | State.CONFIRM_RESERVATION
            | State.WAIT_PROOF
            | State.DONE
        ):
            return BareNumberMeaning.ASK
        case _:
            assert_never(state)
