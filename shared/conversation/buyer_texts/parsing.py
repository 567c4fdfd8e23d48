"""Parsers of buyers' texts: commands, quantities, ticket numbers, yes and no; pure functions.

Any phone can send any text, so parsing takes time in proportion to the length of the text at most,
and no more than for `MAX_NUMBERS_TEXT` characters. Two rules ensure it. `strip_within_limit` is
called before anything is normalised, compared or matched. And a pattern has no two ways to match
the same characters: white space is collapsed before, and a run of digits is matched from its first
digit, in one piece.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from shared.conversation.buyer_texts.vocabulary import (
    ADDING_FIRST_WORDS,
    ADDING_LAST_WORDS,
    BUY_MORE_WORDINGS,
    COMMAND_WORDINGS,
    COUNTED_NOUNS,
    FILLER_WORDS,
    GREETINGS,
    HOW_TO_PAY_WORDINGS,
    KEEP_WORDINGS,
    MAX_TYPOS,
    MY_TICKETS_WORDINGS,
    NAMING_WORDS,
    NO_WORDINGS,
    NOT_COMMAND_TYPOS,
    OTHER_NUMBERS_WORDINGS,
    PAID_WORDINGS,
    PICK_KEYWORDS,
    PICK_PHRASE_WORDS,
    RANDOM_KEYWORDS,
    RANDOM_PHRASE_WORDS,
    TENS,
    THANKS_WORDINGS,
    UNITS,
    YES_WORDINGS,
    ChatCommand,
)
from shared.conversation.understanding.number_list import (
    MAX_DIGITS,
    NumberList,
    has_misleading_signs,
    join_thousands,
    parse_number_list,
)
from shared.conversation.understanding.text_normalization import (
    MAX_WORDS_TEXT,
    collapse_spaces,
    fold_digits,
    normalize_text,
    strip_within_limit,
)

SIMILARITY_THRESHOLD: Final = 84
"""The similarity, out of 100, from which two words count as the same: one slip in six letters."""


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """A command; `is_certain` is false for a misspelling such as "cancle"."""

    command: ChatCommand
    is_certain: bool


@dataclass(frozen=True, slots=True)
class ParsedTicketNumbers:
    """Ticket numbers in ascending order.

    Attributes:
        values: the numbers, each once.
        is_certain: false for a single bare number, which may also be a quantity.
        is_plain: whether no number has a mark or all digits that ticket numbers have.

    """

    values: tuple[int, ...]
    is_certain: bool
    is_plain: bool = field(default=False, compare=False)


_SEPARATORS: Final = str.maketrans(dict.fromkeys(",;/&", " and "))


def parse_command(text: str) -> ParsedCommand | None:
    """Return MENU, HELP or CANCEL in any case, spacing and punctuation, also misspelt."""
    words = normalize_text(text).replace("'", "")
    words = words.removesuffix(" please").removeprefix("please ")
    for command, wordings in COMMAND_WORDINGS.items():
        if words in wordings or words.replace(" ", "") == command.value:
            return ParsedCommand(command, is_certain=True)
    if words in NOT_COMMAND_TYPOS or " " in words or len(words) < 3:  # noqa: PLR2004 - "me" is no menu
        return None
    for command, tolerance in MAX_TYPOS.items():
        if OSA.distance(words, command.value) <= tolerance and words[0] == command.value[0]:
            return ParsedCommand(command, is_certain=False)
    return None


def is_greeting(text: str) -> bool:
    """Return whether a text is a greeting and nothing more."""
    return normalize_text(text) in GREETINGS


def is_yes(text: str) -> bool:
    """Return whether a text means yes; a thumbs-up does."""
    return _matches_wording(text, YES_WORDINGS) or _keep_emoji(text).startswith(("👍", "✅", "👌"))


def is_no(text: str) -> bool:
    """Return whether a text means no, or to leave things as they are; a thumbs-down does."""
    return _matches_wording(text, NO_WORDINGS | KEEP_WORDINGS) or _keep_emoji(text).startswith(
        ("👎", "❌")
    )


def wants_other_numbers(text: str) -> bool:
    """Return whether the buyer wants other numbers than those that are held."""
    return _matches_wording(text, OTHER_NUMBERS_WORDINGS)


def is_thanks(text: str) -> bool:
    """Return whether a text is a thank-you and nothing more."""
    return _matches_wording(text, THANKS_WORDINGS) or _keep_emoji(text) in {"🙏", "❤️", "😊"}


def asks_for_tickets(text: str) -> bool:
    """Return whether the buyer wants to see their ticket numbers."""
    return _matches_wording(text, MY_TICKETS_WORDINGS)


def asks_for_more(text: str) -> bool:
    """Return whether the buyer wants to buy, possibly again."""
    return _matches_wording(text, BUY_MORE_WORDINGS)


def asks_how_to_pay(text: str) -> bool:
    """Return whether the buyer wants to read the payment instructions again."""
    return _matches_wording(text, HOW_TO_PAY_WORDINGS)


def says_paid(text: str) -> bool:
    """Return whether the buyer claims to have paid, without a proof."""
    return _matches_wording(text, PAID_WORDINGS)


def wants_random(text: str) -> bool:
    """Return whether the buyer wants random numbers, without a quantity."""
    words = normalize_text(text).split()
    return bool(RANDOM_KEYWORDS & set(words)) and set(words) <= RANDOM_PHRASE_WORDS | FILLER_WORDS


def wants_pick(text: str) -> bool:
    """Return whether the buyer wants to choose the numbers, without naming them."""
    words = normalize_text(text).split()
    return bool(PICK_KEYWORDS & set(words)) and set(words) <= PICK_PHRASE_WORDS | FILLER_WORDS


def _keep_emoji(text: str) -> str:
    """Return the text with its emoji, which `normalize_text` drops."""
    return strip_within_limit(text, limit=MAX_WORDS_TEXT)


def _matches_wording(text: str, wordings: set[str]) -> bool:
    words = normalize_text(text).replace("'", "")
    return words in wordings or words.removesuffix(" please") in wordings


def parse_quantity(text: str) -> int | None:
    """Return a quantity: "5", "five", "5 tickets please", in digits of any script.

    Returns:
        The quantity, or None if the text is unclear.

    """
    return _parse_amount_words(_split_amount_words(text), allowed=FILLER_WORDS)


def parse_random_quantity(text: str) -> int | None:
    """Return a quantity of random numbers: "5 random", "give me five lucky numbers"."""
    words = _split_amount_words(text)
    return None if _names_lucky_number(words) else _parse_random_amount(words)


def parse_lucky_number(text: str) -> int | None:
    """Return a number that is a quantity or a ticket number: "lucky 13", "random number 5"."""
    words = _split_amount_words(text)
    return _parse_random_amount(words) if _names_lucky_number(words) else None


def may_name_number(text: str) -> bool:
    """Return whether "no" before a number may abbreviate "number": "no 7", but not "no, 7"."""
    words = _split_amount_words(text)
    return any(before == "no" and _is_amount(word) for before, word in pairwise(words))


def _parse_random_amount(words: Sequence[str]) -> int | None:
    if not RANDOM_KEYWORDS & set(words):
        return None
    return _parse_amount_words(words, allowed=FILLER_WORDS | RANDOM_PHRASE_WORDS)


def _names_lucky_number(words: Sequence[str]) -> bool:
    """Return whether a number follows a word that may name it, and counts nothing."""
    return any(
        before in NAMING_WORDS and _is_amount(word) and after not in COUNTED_NOUNS
        for before, word, after in zip(words, words[1:], [*words[2:], ""], strict=False)
    )


def _split_amount_words(text: str) -> list[str]:
    """Return the words of a text with an amount; none if its signs make the amount unclear."""
    folded = collapse_spaces(fold_digits(text))
    if has_misleading_signs(folded):
        return []
    return normalize_text(join_thousands(folded).translate(_SEPARATORS)).split()


def parse_ticket_count(text: str) -> int | None:
    """Return a quantity with a noun that makes it clear: "5 tickets", "five numbers please"."""
    words = _split_amount_words(text)
    quantity = _parse_amount_words(words, allowed=FILLER_WORDS)
    if quantity is None:
        return None
    nouns = [word for before, word in pairwise(words) if _is_amount(before)]
    return quantity if nouns and nouns[-1] in COUNTED_NOUNS else None


def _parse_amount_words(words: Sequence[str], *, allowed: set[str]) -> int | None:
    amounts = [word for word in words if _is_amount(word)]
    if not amounts or any(word not in allowed for word in words if not _is_amount(word)):
        return None
    if len(amounts) == 1:
        return _parse_amount(amounts[0])
    tens, unit, *others = amounts
    if not others and (tens, unit) in pairwise(words):  # twenty one, but not "twenty and one"
        if tens in TENS and UNITS.get(unit, 10) < 10:  # noqa: PLR2004 - a single digit
            return TENS[tens] + UNITS[unit]
        if UNITS.get(tens, 10) < 10 and unit in {"hundred", "dozen"}:  # noqa: PLR2004
            return UNITS[tens] * _parse_amount(unit)
        if tens in {"one", "a"} and unit == "dozen":
            return 12
    return None


def _is_amount(word: str) -> bool:
    return (word.isdecimal() and len(word) <= MAX_DIGITS) or word in UNITS or word in TENS


def _parse_amount(word: str) -> int:
    if word in UNITS:
        return UNITS[word]
    return TENS[word] if word in TENS else int(word)


def parse_ticket_numbers(
    text: str, *, last_number: int | None = None
) -> ParsedTicketNumbers | None:
    """Return ticket numbers: "07, 13-20 and 45", "7 13 20", "from 10 to 15", "#0007".

    Separators are space, comma, semicolon, slash, plus, & and "and", and line breaks.

    Args:
        text: the buyer's text.
        last_number: the last ticket number of the raffle, up to which "123,456" is one number;
            None: unknown, and the comma separates two.

    Returns:
        The numbers, or None if the text has no number, contains anything else, can mean something
        else, or is longer than `MAX_NUMBERS_TEXT`.

    """
    found = _parse_number_list(text, last_number=last_number)
    if found is None or found.is_unclear or found.has_other_words or found.is_doubtful:
        return None
    is_certain = found.is_marked or not found.is_single
    return ParsedTicketNumbers(found.values, is_certain=is_certain, is_plain=found.is_plain)


def parse_doubtful_numbers(text: str, *, last_number: int) -> tuple[int, ...]:
    """Return the ticket numbers that a text may mean: "10-20 tickets", "07-13-45"; else none."""
    found = _parse_number_list(text, last_number=last_number)
    if found is None or found.is_unclear or found.has_other_words or not found.is_doubtful:
        return ()
    return found.values


def has_unclear_numbers(text: str) -> bool:
    """Return whether the meaning of numbers is unclear: "-5", "7.5", "100%", "3 for 2"."""
    found = _parse_number_list(text, last_number=None)
    return found is not None and found.is_unclear and not found.has_other_words


def is_addition(text: str) -> bool:
    """Return whether a text adds to what was said before: "and 21", "+ 21", "21 too"."""
    words = normalize_text(text).split()
    return strip_within_limit(text, limit=MAX_WORDS_TEXT).startswith(("+", "&")) or (
        bool(words) and (words[0] in ADDING_FIRST_WORDS or words[-1] in ADDING_LAST_WORDS)
    )


def _parse_number_list(text: str, *, last_number: int | None) -> NumberList | None:
    lines = fold_digits(text).splitlines()
    return parse_number_list(collapse_spaces("; ".join(lines)), last_number=last_number)


def parse_choice(text: str, titles: Sequence[str]) -> int | None:
    """Return the index of the title that is meant, by its place ("2") or roughly its name.

    Returns:
        The index from 0, or None if no title or several are meant.

    """
    choice = normalize_text(text)
    if not choice:
        return None
    if choice.isdecimal() and len(choice) <= MAX_DIGITS:
        place = int(choice)
        return place - 1 if 1 <= place <= len(titles) else None
    names = [normalize_text(title) for title in titles]
    if choice in names:
        return names.index(choice)
    if len(choice) < 3:  # noqa: PLR2004 - too short to name anything
        return None
    likely = [index for index in range(len(names)) if _matches_title(choice, index, names)]
    return likely[0] if len(likely) == 1 else None


def is_title(text: str, titles: Sequence[str]) -> bool:
    """Return whether a text is one of the titles, in any case, spacing and punctuation."""
    return normalize_text(text) in {normalize_text(title) for title in titles} - {""}


def _matches_title(choice: str, index: int, names: Sequence[str]) -> bool:
    """Return whether a word of the text is like a word that only this name has."""
    shared_words = {
        word for place, name in enumerate(names) if place != index for word in name.split()
    }
    own = [word for word in names[index].split() if word not in shared_words and len(word) > 2]  # noqa: PLR2004
    return any(
        fuzz.ratio(own_word, word) >= SIMILARITY_THRESHOLD
        for own_word in own
        for word in choice.split()
    )
