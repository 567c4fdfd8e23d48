"""Ticket numbers and quantities that staff type into a form, read as a buyer's text is read."""

from typing import Final

from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.raffle_names import Surroundings
from shared.conversation.understanding.reader import read_text
from shared.conversation.understanding.text_readings import NumberGroup

_POLITE: Final = frozenset({Intent.BUY, Intent.GREETING, Intent.THANKS})


def read_ticket_numbers(text: str, *, last_number: int | None = None) -> tuple[int, ...] | None:
    """Return ticket numbers in ascending order: "07, 13-20 and 45", "from 10 to 15", "#0007".

    Args:
        text: what was typed.
        last_number: the last ticket number of the raffle, up to which "123,456" is one number;
            None: unknown, and the comma separates two.

    Returns:
        The numbers, or None if the text has none, says anything else, or may mean something else.

    """
    group = _read_group(text, last_number=last_number)
    if group is None or group.is_counted or group.is_in_words:
        return None
    return group.values


def read_quantity(text: str) -> int | None:
    """Return a quantity, "5" or "5 tickets", or None if the text is no quantity or is unclear."""
    group = _read_group(text, last_number=None)
    if group is None or not group.is_single:
        return None
    is_named = group.is_marked and not group.text.startswith("0")
    return None if is_named else group.values[0]


def _read_group(text: str, *, last_number: int | None) -> NumberGroup | None:
    """Return the numbers of a text that takes them and says nothing else."""
    reading = read_text(text, Surroundings(last_number=last_number))
    wish = reading.wish
    if reading.intent is not Intent.TAKE or wish is None or wish.take is None:
        return None
    if reading.doubts or reading.unread or not set(reading.others) <= _POLITE:
        return None
    if wish.drop is not None or wish.otherwise is not None or wish.money is not None:
        return None
    if wish.is_random or wish.replaces or wish.take.is_doubtful or wish.take.is_unclear:
        return None
    return wish.take
