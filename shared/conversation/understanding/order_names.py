"""Parsers of words that name an order: its code, its place in a question, its amount or raffle."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from shared.conversation.understanding import text_normalization
from shared.conversation.understanding.numbers.number_groups import parse_decimal
from shared.conversation.understanding.raffle_names import Surroundings
from shared.conversation.understanding.reader import read_text
from shared.conversation.understanding.vocabulary import load_vocabulary
from shared.raffles import codes as order_codes

_ALNUM: Final = r"[^\W_]"
_BODY: Final = f"[{order_codes.CODE_ALPHABET}]{{5,6}}(?!{_ALNUM})"
_DASHES: Final = r"\-_.#‐‑‒–—−"
_CODES: Final = re.compile(rf"(?<!{_ALNUM})(?:R[\s{_DASHES}]{{0,2}})?{_BODY}")
_DASHED_CODES: Final = re.compile(rf"(?<!{_ALNUM})R ?[{_DASHES}] ?{_BODY}")
_WITH_R: Final = re.compile(rf"R[\s{_DASHES}]{{1,2}}{_BODY}")
_REFUSAL: Final = re.compile(r"\b(?:NOT|NO|DON.?T|ISN.?T|NEVER|CANCEL|WITHOUT|EXCEPT)\b[^,;.\n]*\Z")
_REFUSAL_REACH: Final = 24
"""Characters before a code among which a word may refuse it."""

_NUMBER: Final = re.compile(r"\d[\d.,]*\d|\d")


@dataclass(frozen=True, slots=True)
class OrderChoice:
    """An answer to the question which order is meant.

    Attributes:
        index: the place of the order that is meant, from 0; None: none or several are.
        is_answer: whether the text names a place or an amount, if not a possible one.

    """

    index: int | None
    is_answer: bool


def find_order_codes(text: str) -> tuple[str, ...]:
    """Return what may be order codes in a text, each once: "R-7K3F9", "r 7k3f9", "7k3f9".

    Many a word is spelt like a code without its R, so only a code of a known order counts.
    """
    return _find_codes(_CODES, text)


def find_meant_codes(text: str) -> tuple[str, ...]:
    """Return the codes that a text names as meant: not that of "not for R-7K3F9"."""
    return tuple(code for code in find_order_codes(text) if not _is_refused(code, text))


def _is_refused(code: str, text: str) -> bool:
    """Return whether a word shortly before a code says that it is not meant."""
    folded = unicodedata.normalize("NFKC", text[: text_normalization.MAX_NUMBERS_TEXT]).upper()
    places = [
        found.start()
        for found in _CODES.finditer(folded)
        if order_codes.normalise_code(found.group()) == code
    ]
    before = [folded[max(0, place - _REFUSAL_REACH) : place] for place in places]
    return bool(before) and all(_REFUSAL.search(each) for each in before)


def find_certain_codes(text: str) -> tuple[str, ...]:
    """Return the order codes in a text that are nothing else: with the R and the dash."""
    return _find_codes(_DASHED_CODES, text)


def is_order_code(text: str) -> bool:
    """Return whether a text is an order code with its R, and nothing else: "r 7k3f9"."""
    if len(text) > text_normalization.MAX_WORDS_TEXT:
        return False
    folded = unicodedata.normalize("NFKC", text).upper().strip(" .!?")
    return folded.startswith("R") and _WITH_R.fullmatch(folded) is not None


def remove_order_codes(text: str, codes: Collection[str]) -> str:
    """Return a text without these order codes."""
    if not codes:
        return text
    folded = unicodedata.normalize("NFKC", text[: text_normalization.MAX_NUMBERS_TEXT]).upper()
    return _CODES.sub(
        lambda found: " " if codes_match(found.group(), codes) else found.group(), folded
    )


def codes_match(written: str, codes: Collection[str]) -> bool:
    """Return whether what was written is one of these order codes."""
    return order_codes.normalise_code(written) in codes


def _find_codes(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    if len(text) > text_normalization.MAX_NUMBERS_TEXT:
        return ()
    folded = unicodedata.normalize("NFKC", text).upper()
    if len(folded) > text_normalization.MAX_NUMBERS_TEXT:
        return ()
    found = map(order_codes.normalise_code, pattern.findall(folded))
    return tuple(dict.fromkeys(code for code in found if code))


def parse_order_choice(
    text: str, *, totals: Sequence[Decimal], titles: Sequence[str]
) -> OrderChoice:
    """Return which of several orders a text names: "the first one", "2", "$15", "the 15 one".

    A bare number that is the place of one order and the amount of another names neither.

    Args:
        text: the buyer's text.
        totals: the amounts of the orders.
        titles: the titles of their raffles.

    """
    words = text_normalization.normalize_text(text).split()
    place = parse_place(words, count=len(totals))
    if place is not None:
        return OrderChoice(place if 0 <= place < len(totals) else None, is_answer=True)
    amount = _parse_amount(text)
    if amount is not None:
        return OrderChoice(_find_amount(amount, totals=totals), is_answer=True)
    if any(word.isdecimal() for word in words) or len(set(titles)) < len(titles):
        return OrderChoice(None, is_answer=False)
    return OrderChoice(read_text(text, Surroundings(tuple(titles))).raffle, is_answer=False)


def parse_place(words: Sequence[str], *, count: int) -> int | None:
    """Return the place that the words name, from 0; -1 for one that there is not."""
    vocabulary = load_vocabulary()
    places = [word for word in words if word in vocabulary.order_places]
    if len(places) > 1 and "one" in places:
        places.remove("one")  # "the second one"
    others = {word for word in words if word not in vocabulary.order_places and word != "one"}
    if len(places) != 1 or not others <= vocabulary.order_words:
        return None
    place = vocabulary.order_places[places[0]]
    return count - 1 if place < 0 else (place - 1 if place <= count else -1)


@dataclass(frozen=True, slots=True)
class _Amount:
    """A number in a text; `is_money` if it has a sign, cents or a currency."""

    value: Decimal
    is_money: bool


def _parse_amount(text: str) -> _Amount | None:
    """Return the only number of a text with no other words than those around an amount."""
    if len(text) > text_normalization.MAX_WORDS_TEXT:
        return None
    folded = unicodedata.normalize("NFKC", text).casefold()
    found = _NUMBER.findall(folded)
    if len(found) != 1 or re.search(
        rf"[-+%]\s*{re.escape(found[0])}|{re.escape(found[0])}\s*%", folded
    ):
        return None
    value = parse_decimal(text_normalization.fold_digits(found[0]))
    words = set(text_normalization.normalize_text(folded.replace(found[0], " ", 1)).split())
    vocabulary = load_vocabulary()
    currencies = vocabulary.currencies | vocabulary.currency_letters
    if value is None or not words <= vocabulary.order_words | currencies | {"one"}:
        return None
    has_sign = any(unicodedata.category(character) == "Sc" for character in folded)
    is_money = has_sign or not words.isdisjoint(currencies) or not found[0].isdecimal()
    return _Amount(value, is_money)


def _find_amount(amount: _Amount, *, totals: Sequence[Decimal]) -> int | None:
    """Return the only order with this amount, or at this place for a bare number."""
    found = {index for index, total in enumerate(totals) if total == amount.value}
    if not amount.is_money and 1 <= amount.value <= len(totals):
        found.add(int(amount.value) - 1)
    return found.pop() if len(found) == 1 else None
