"""Normalisation of buyers' texts before they are compared or matched; pure functions.

Any phone can send any text, so none that is too long is normalised, compared or matched.
"""

import unicodedata
from functools import lru_cache
from typing import Final

MAX_WORDS_TEXT: Final = 400
"""The longest text in which words are understood, in characters, without white space around it.

A longer text is a letter for a person, and nothing in it is understood. It is not cut, because its
beginning may mean something else than the whole ("cancel" of "cancel culture …").
"""

MAX_NUMBERS_TEXT: Final = 2_000
"""The longest list of ticket numbers, in characters; an order has a hundred of seven digits."""

_EMOJI_SELECTORS: Final = {chr(code) for code in range(0xFE00, 0xFE10)} | {"\u20e3"}
"""Marks of emoji, with the one that makes a digit a keycap."""


def normalize_text(text: str) -> str:
    """Return a text with one form of case, width, digits and spacing, for comparison.

    Punctuation, marks and emoji are dropped. The result is empty for a text longer than
    `MAX_WORDS_TEXT`.
    """
    return _normalize_short_text(strip_within_limit(text, limit=MAX_WORDS_TEXT))


@lru_cache(maxsize=1_024)  # each message is looked at many times, word by word
def _normalize_short_text(text: str) -> str:
    folded = _fold_case_and_width(text, limit=MAX_WORDS_TEXT)
    return collapse_spaces("".join(map(_normalize_character, folded)))


def _fold_case_and_width(text: str, *, limit: int) -> str:
    """Return the folded text, or an empty one if it is too long before or after the folding.

    One character may become eighteen: U+FDFA does.
    """
    stripped = strip_within_limit(text, limit=limit)
    folded = unicodedata.normalize("NFKC", stripped).casefold()
    return folded if len(folded) <= limit else ""


def strip_within_limit(text: str, *, limit: int) -> str:
    """Return the text without white space around it, or an empty one if it is too long."""
    stripped = text.strip()
    return stripped if len(stripped) <= limit else ""


def _normalize_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.digit(character))
    if character in _EMOJI_SELECTORS:
        return ""
    if category.startswith("L") or category == "Mn" or character == "'":
        return character
    return "" if category in {"Cf", "So", "Sk"} or character == "’" else " "


def collapse_spaces(text: str) -> str:
    """Return the text with one space for each run of white space."""
    return " ".join(text.split())


def fold_digits(text: str) -> str:
    """Return the folded text with plain digits; empty with a sign such as ² or ½, which has none.

    Folding would make 52 of "5²".
    """
    if any(
        unicodedata.category(char) == "No"
        for char in strip_within_limit(text, limit=MAX_NUMBERS_TEXT)
    ):
        return ""
    folded = _fold_case_and_width(text, limit=MAX_NUMBERS_TEXT)
    return "".join(
        str(unicodedata.digit(character)) if unicodedata.category(character) == "Nd" else character
        for character in folded
        if character not in _EMOJI_SELECTORS
    )
