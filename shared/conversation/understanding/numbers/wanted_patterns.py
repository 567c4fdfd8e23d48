"""Patterns of wanted numbers: the digits that they end in, odd ones, low ones."""

from collections.abc import Sequence
from typing import Final

from shared.conversation.understanding.numbers.number_items import Group, NumberItems
from shared.conversation.understanding.phrases import PhraseList
from shared.conversation.understanding.text_readings import NumberWish
from shared.conversation.understanding.vocabulary import WordRole

_LIKE_ROLES: Final = (WordRole.ENDING, WordRole.STARTING, WordRole.CONTAINING)
_KIND_ROLES: Final = (WordRole.ODD, WordRole.EVEN, WordRole.LOW, WordRole.HIGH)

type Pattern = tuple[tuple[str, str], ...]
"""The digits and words that wanted numbers are like, by name: `ending`, `kind` …"""


def read_pattern(found: PhraseList, items: NumberItems) -> tuple[Pattern, set[int]]:
    """Return what wanted numbers are like, and the indexes of the phrases that say it.

    Args:
        found: the text.
        items: its numbers, and the phrases around them.

    """
    pattern: dict[str, str] = {}
    used: set[int] = set()
    for place, item in enumerate(items.items):
        if isinstance(item, Group):
            continue
        after = items.items[place + 1] if place + 1 < len(items.items) else None
        for role in item.roles:
            if role in _LIKE_ROLES and isinstance(after, Group) and after.numbers.is_single:
                pattern[role.value] = after.numbers.text or str(after.numbers.values[0])
                used.add(found.phrases.index(item))
            elif role in _KIND_ROLES:
                pattern["kind"] = role.value
                used.add(found.phrases.index(item))
    return tuple(sorted(pattern.items())), used


def build_wish(pattern: Sequence[tuple[str, str]], items: NumberItems) -> NumberWish | None:
    """Return the quantity of numbers that are to be like a pattern."""
    digits = {value for name, value in pattern if name != "kind"}
    counts = [
        group.numbers
        for group in items.groups
        if group.numbers.is_single and group.numbers.text not in digits
    ]
    return NumberWish(take=counts[0]) if len(counts) == 1 else None
