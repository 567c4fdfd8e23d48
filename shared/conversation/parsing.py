"""What a buyer's words mean: commands, quantities, ticket numbers, yes and no. Pure.

Any phone can send any text, so reading one takes time in proportion to its length at most, and no
more than a text of `MAX_NUMBERS_TEXT` characters takes. Two rules keep it so. `_bounded` is called
before anything is normalised, compared or matched. And a pattern has no two ways to match the same
characters: white space is collapsed before, and a run of digits is matched from its first digit,
in one piece.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

MAX_WORDS_TEXT: Final = 400
"""The most characters in which words are understood, without white space around them.

A longer text is a letter for a person. It is not cut, as its beginning may say something else than
the whole ("cancel" of "cancel culture …"), so nothing in it is understood.
"""

MAX_NUMBERS_TEXT: Final = 2_000
"""The same for a list of ticket numbers: an order has a hundred at most, of seven digits each."""

MAX_DIGITS: Final = 9
"""Longer digit runs are phone numbers or account numbers, never a ticket number or a quantity."""

MAX_RANGE_SIZE: Final = 1_000
"""A range is spelled out up to this many numbers; no raffle sells as many at once."""


SIMILARITY_THRESHOLD: Final = 84
"""How alike two words must be, of 100, to count as the same: one slip in six letters."""


class ChatCommand(StrEnum):
    """The three words that work everywhere."""

    MENU = "menu"
    HELP = "help"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """A command; `surely` is false for a near miss such as "cancle"."""

    command: ChatCommand
    surely: bool


@dataclass(frozen=True, slots=True)
class ParsedTicketNumbers:
    """Ticket numbers in ascending order.

    Attributes:
        values: the numbers, each once.
        surely: false for a single bare number, which might be a quantity as well.

    """

    values: tuple[int, ...]
    surely: bool


_COMMAND_WORDINGS: Final = {
    ChatCommand.MENU: {"menu", "start", "main menu", "home", "restart", "back to menu"},
    ChatCommand.HELP: {"help", "info", "how does it work", "how does this work"},
    ChatCommand.CANCEL: {"cancel", "cancel order", "cancel my order", "cancel it"},
}
_MAX_TYPOS: Final = {ChatCommand.MENU: 1, ChatCommand.HELP: 1, ChatCommand.CANCEL: 2}
_NOT_COMMAND_TYPOS: Final = {
    "mend",
    "hell",
    "held",
    "hemp",
    "heal",
    "hello",
    "men",
    "hep",
    "helo",
    "candle",
}
"""Words in their own right that are a letter or two away from a command."""

_GREETINGS: Final = {
    "hi", "hello", "hey", "hola", "hallo", "good morning", "good afternoon", "good evening",
    "good day", "hi there", "hello there", "hey there", "yo", "hii", "helo", "greetings",
}  # fmt: skip
_YES_WORDINGS: Final = {
    "yes", "y", "yes please", "yeah", "yep", "yup", "ok", "okay", "okey", "k", "sure", "confirm",
    "confirmed", "i confirm", "confirm it", "go ahead", "right", "correct", "fine", "perfect",
    "sounds good", "good", "great", "do it", "agreed", "of course", "si",
}  # fmt: skip
_NO_WORDINGS: Final = {
    "no", "n", "nope", "nah", "no thanks", "no thank you", "other", "others", "other numbers",
    "others please", "change", "change them", "different", "different numbers", "not these",
    "another", "new numbers", "keep it", "keep",
}  # fmt: skip
_THANKS_WORDINGS: Final = {
    "thanks",
    "thank you",
    "thx",
    "ty",
    "many thanks",
    "thanks a lot",
    "great thanks",
}
_MY_TICKETS_WORDINGS: Final = {
    "my tickets", "my numbers", "tickets", "my orders", "my order", "mine", "my ticket", "status",
    "show my tickets", "show my numbers", "which are my numbers", "order status",
}  # fmt: skip
_BUY_MORE_WORDINGS: Final = {
    "buy more",
    "more",
    "buy",
    "buy tickets",
    "buy again",
    "again",
    "new order",
}
_HOW_TO_PAY_WORDINGS: Final = {
    "how to pay",
    "pay",
    "how do i pay",
    "payment",
    "bank details",
    "account",
    "how can i pay",
}
_RANDOM_KEYWORDS: Final = {
    "random",
    "randomly",
    "lucky",
    "any",
    "surprise",
    "whichever",
    "whatever",
}
_PICK_KEYWORDS: Final = {"pick", "choose", "select", "own"}
_PAID_WORDINGS: Final = {
    "done", "paid", "i paid", "i have paid", "sent", "transferred", "payment sent", "payed",
    "already paid", "payment done", "finished", "ready", "money sent", "i have sent it",
    "i sent it",
}  # fmt: skip

_UNITS: Final = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15,
    "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "dozen": 12,
}  # fmt: skip
_TENS: Final = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90, "hundred": 100,
}  # fmt: skip

_FILLER_WORDS: Final = {
    "i", "i'd", "id", "i'll", "ill", "want", "would", "like", "take", "give", "me", "please", "pls",
    "plz", "the", "a", "number", "numbers", "ticket", "tickets", "no", "nr", "num", "n", "nos",
    "my",
    "can", "could", "have", "get", "buy", "for", "only", "just", "with", "need", "of", "them",
    "these", "those", "are", "is", "it", "ok", "and", "hi", "hello", "chances", "pieces", "pcs",
    "maybe", "let", "let's", "lets", "reserve", "book", "hold", "thanks", "thank", "you",
}  # fmt: skip
_RANDOM_PHRASE_WORDS: Final = _RANDOM_KEYWORDS | {"at", "chosen", "ones"}


_EMOJI_SELECTORS: Final = {chr(code) for code in range(0xFE00, 0xFE10)}


def normalize_text(text: str) -> str:
    """Fold case, width, digits of every script and spacing; drop punctuation, marks and emoji.

    Nothing is left of a text longer than `MAX_WORDS_TEXT`.
    """
    return _plain(text, limit=MAX_WORDS_TEXT)


def _plain(text: str, *, limit: int) -> str:
    kept = [_normalize_character(character) for character in _folded(text, limit=limit)]
    return " ".join("".join(kept).split())


def _folded(text: str, *, limit: int) -> str:
    """Fold case and width; nothing is left of a text that is too long before or after that.

    One character may become eighteen: U+FDFA does.
    """
    folded = unicodedata.normalize("NFKC", _bounded(text, limit=limit)).casefold()
    return folded if len(folded) <= limit else ""


def _bounded(text: str, *, limit: int) -> str:
    """Return the text without white space around it, or nothing if it is too long."""
    stripped = text.strip()
    return stripped if len(stripped) <= limit else ""


def _normalize_character(character: str) -> str:
    kind = unicodedata.category(character)
    if kind == "Nd":
        return str(unicodedata.digit(character))
    if character in _EMOJI_SELECTORS:
        return ""
    if kind.startswith("L") or kind == "Mn" or character == "'":
        return character
    return "" if kind in {"Cf", "So", "Sk"} or character == "’" else " "


def parse_command(text: str) -> ParsedCommand | None:
    """Hear MENU, HELP or CANCEL, whatever the case, spacing and punctuation, also misspelt."""
    said = normalize_text(text).replace("'", "")
    said = said.removesuffix(" please").removeprefix("please ")
    for known, wordings in _COMMAND_WORDINGS.items():
        if said in wordings or said.replace(" ", "") == known.value:
            return ParsedCommand(known, surely=True)
    if said in _NOT_COMMAND_TYPOS or " " in said or len(said) < 3:  # noqa: PLR2004 - "me" is no menu
        return None
    for known, tolerance in _MAX_TYPOS.items():
        if OSA.distance(said, known.value) <= tolerance and said[0] == known.value[0]:
            return ParsedCommand(known, surely=False)
    return None


def is_greeting(text: str) -> bool:
    """Whether it is a hello and nothing more."""
    return normalize_text(text) in _GREETINGS


def is_yes(text: str) -> bool:
    """Whether it agrees; a lone thumbs-up does."""
    return _matches_wording(text, _YES_WORDINGS) or _signs(text).startswith(("👍", "✅", "👌"))


def is_no(text: str) -> bool:
    """Whether it declines; a lone thumbs-down does."""
    return _matches_wording(text, _NO_WORDINGS) or _signs(text).startswith(("👎", "❌"))


def is_thanks(text: str) -> bool:
    """Whether it is a thank-you and nothing more."""
    return _matches_wording(text, _THANKS_WORDINGS) or _signs(text) in {"🙏", "❤️", "😊"}


def asks_for_tickets(text: str) -> bool:
    """Whether the buyer wants to see what is theirs."""
    return _matches_wording(text, _MY_TICKETS_WORDINGS)


def asks_for_more(text: str) -> bool:
    """Whether the buyer wants to buy (again)."""
    return _matches_wording(text, _BUY_MORE_WORDINGS)


def asks_how_to_pay(text: str) -> bool:
    """Whether the buyer wants to read the payment instructions again."""
    return _matches_wording(text, _HOW_TO_PAY_WORDINGS)


def says_paid(text: str) -> bool:
    """Whether the buyer says the money is on its way, without showing it."""
    return _matches_wording(text, _PAID_WORDINGS)


def wants_random(text: str) -> bool:
    """Whether the buyer leaves the choice to chance, without saying how many."""
    words = normalize_text(text).split()
    return (
        bool(_RANDOM_KEYWORDS & set(words)) and set(words) <= _RANDOM_PHRASE_WORDS | _FILLER_WORDS
    )


def wants_pick(text: str) -> bool:
    """Whether the buyer wants to choose, without saying which."""
    words = normalize_text(text).split()
    return bool(_PICK_KEYWORDS & set(words)) and set(words) <= _PICK_KEYWORDS | _FILLER_WORDS | {
        "myself",
        "to",
    }


def _signs(text: str) -> str:
    """Return the text with its emoji, which `plain` drops."""
    return _bounded(text, limit=MAX_WORDS_TEXT)


def _matches_wording(text: str, wordings: set[str]) -> bool:
    said = normalize_text(text).replace("'", "")
    return said in wordings or said.removesuffix(" please") in wordings


def parse_quantity(text: str) -> int | None:
    """Read how many: "5", "five", "5 tickets please", in digits of any script; None if unclear."""
    return _parse_amount_words(normalize_text(text).split(), allowed=_FILLER_WORDS)


def parse_random_quantity(text: str) -> int | None:
    """Read how many at random: "5 random", "random 5", "give me five lucky numbers"."""
    words = normalize_text(text).split()
    if not _RANDOM_KEYWORDS & set(words):
        return None
    return _parse_amount_words(words, allowed=_FILLER_WORDS | _RANDOM_PHRASE_WORDS)


def parse_ticket_count(text: str) -> int | None:
    """Read a quantity that says it is one: "5 tickets", "five numbers please"."""
    words = normalize_text(text).split()
    found = _parse_amount_words(words, allowed=_FILLER_WORDS)
    if found is None:
        return None
    counted = {"tickets", "ticket", "numbers", "chances", "pieces", "pcs"}
    after = [word for before, word in pairwise(words) if _is_amount(before)]
    return found if after and after[-1] in counted else None


def _parse_amount_words(words: Sequence[str], *, allowed: set[str]) -> int | None:
    amounts = [word for word in words if _is_amount(word)]
    if not amounts or any(word not in allowed for word in words if not _is_amount(word)):
        return None
    if len(amounts) == 1:
        return _parse_amount(amounts[0])
    if len(amounts) == 2:  # noqa: PLR2004 - twenty one
        tens, unit = amounts
        if tens in _TENS and _UNITS.get(unit, 10) < 10:  # noqa: PLR2004 - a single digit
            return _TENS[tens] + _UNITS[unit]
        if _UNITS.get(tens, 10) < 10 and unit in {"hundred", "dozen"}:  # noqa: PLR2004
            return _UNITS[tens] * _parse_amount(unit)
        if tens in {"one", "a"} and unit == "dozen":
            return 12
    return None


def _is_amount(word: str) -> bool:
    return (word.isdecimal() and len(word) <= MAX_DIGITS) or word in _UNITS or word in _TENS


def _parse_amount(word: str) -> int:
    if word in _UNITS:
        return _UNITS[word]
    return _TENS[word] if word in _TENS else int(word)


_DIGITS: Final = rf"(?<!\d)(\d{{1,{MAX_DIGITS}}}+)"
"""A whole run of digits; without the look behind, each of its digits would begin one of its own."""
_DASH: Final = r"[-–—‒−~]|\.{2,}+|…"
_TO: Final = rf"{_DASH}|\bto\b|\bthrough\b|\bthru\b|\btill\b|\buntil\b"
_RANGE_PATTERN: Final = re.compile(rf"(?:\bfrom )?#? ?{_DIGITS} ?(?:{_TO}) ?#? ?{_DIGITS}")
_BETWEEN_PATTERN: Final = re.compile(rf"\bbetween #? ?{_DIGITS} and #? ?{_DIGITS}")
_TICKET_NUMBER_PATTERN: Final = re.compile(rf"(#|№|n°|nº)? ?{_DIGITS}")
_TOO_MANY_DIGITS: Final = re.compile(rf"\d{{{MAX_DIGITS + 1}}}")


def parse_ticket_numbers(text: str) -> ParsedTicketNumbers | None:
    """Read ticket numbers: "07, 13-20 and 45", "7 13 20", "from 10 to 15", "#0007".

    Separators are space, comma, semicolon, slash, plus, & and "and", and line breaks. None when
    there is no number, when the text says something else besides, or when it is longer than
    `MAX_NUMBERS_TEXT`.
    """
    said = _spaced(_fold_digits(text))
    if _TOO_MANY_DIGITS.search(said):
        return None
    found: set[int] = set()
    ranges = 0
    for pattern in (_BETWEEN_PATTERN, _RANGE_PATTERN):
        for match in pattern.finditer(said):
            span = _parse_range(match.group(1), match.group(2))
            if span is None:
                return None
            found.update(span)
            ranges += 1
        said = _spaced(pattern.sub(" ", said))
    singles = list(_TICKET_NUMBER_PATTERN.finditer(said))
    rest = _plain(_TICKET_NUMBER_PATTERN.sub(" ", said), limit=MAX_NUMBERS_TEXT).split()
    if any(word not in _FILLER_WORDS for word in rest):
        return None
    found.update(int(match.group(2)) for match in singles)
    if not found:
        return None
    bare = not ranges and len(singles) == 1 and not _is_marked_as_ticket_number(singles[0], rest)
    return ParsedTicketNumbers(tuple(sorted(found)), surely=not bare)


def _is_marked_as_ticket_number(match: re.Match[str], rest: Sequence[str]) -> bool:
    """Whether a lone number is clearly a ticket's: a sign, a leading zero, or the word before."""
    digits = match.group(2)
    zero = digits.startswith("0")
    return bool(match.group(1)) or zero or bool({"number", "nr", "num", "no"} & set(rest))


def _parse_range(first: str, last: str) -> range | None:
    low, high = sorted((int(first), int(last)))
    return range(low, high + 1) if high - low < MAX_RANGE_SIZE else None


def _fold_digits(text: str) -> str:
    folded = _folded(text, limit=MAX_NUMBERS_TEXT)
    return "".join(
        str(unicodedata.digit(character)) if unicodedata.category(character) == "Nd" else character
        for character in folded
    )


def _spaced(text: str) -> str:
    """Return the text with one space for each run of white space."""
    return " ".join(text.split())


def parse_choice(text: str, titles: Sequence[str]) -> int | None:
    """Find which of `titles` is meant, by its place ("2") or its name, roughly; None if unclear."""
    said = normalize_text(text)
    if not said:
        return None
    if said.isdecimal() and len(said) <= MAX_DIGITS:
        place = int(said)
        return place - 1 if 1 <= place <= len(titles) else None
    names = [normalize_text(title) for title in titles]
    if said in names:
        return names.index(said)
    if len(said) < 3:  # noqa: PLR2004 - too short to name anything
        return None
    likely = [index for index in range(len(names)) if _matches_title(said, index, names)]
    return likely[0] if len(likely) == 1 else None


def _matches_title(said: str, index: int, names: Sequence[str]) -> bool:
    """Whether a word that only this name has was said, give or take a letter."""
    shared_words = {
        word for place, name in enumerate(names) if place != index for word in name.split()
    }
    own = [word for word in names[index].split() if word not in shared_words and len(word) > 2]  # noqa: PLR2004
    return any(
        fuzz.ratio(word, heard) >= SIMILARITY_THRESHOLD for word in own for heard in said.split()
    )
