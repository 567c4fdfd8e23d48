"""Parsers of questions that work in every state: the rules, who won, and verify; pure functions."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz.distance import OSA

from shared.conversation.buyer_texts import parsing
from shared.conversation.buyer_texts.vocabulary import (
    ADULT_WORDINGS,
    FILLER_WORDS,
    INQUIRY_ENDINGS,
    INQUIRY_KEYWORDS,
    INQUIRY_OPENINGS,
    INQUIRY_WORDINGS,
    MINOR_WORDINGS,
    NOT_INQUIRY_TYPOS,
    NUMBER_QUESTION_FIRST_WORDS,
    NUMBER_QUESTION_LAST_WORDS,
    VERIFY_WORDS,
    WHO_WON_OPENINGS,
    ChatInquiry,
)
from shared.conversation.understanding.text_normalization import (
    MAX_WORDS_TEXT,
    normalize_text,
    strip_within_limit,
)

_MAX_TYPOS: Final = 1
"""Letters in which a misspelt word may differ; such a question changes nothing."""


@dataclass(frozen=True, slots=True)
class ParsedInquiry:
    """A question.

    Attributes:
        inquiry: what is asked.
        number: the ticket number to verify; None: the text names none, or several.
        is_certain: false for a misspelling, which may also be the name of a raffle.

    """

    inquiry: ChatInquiry
    number: int | None = None
    is_certain: bool = True


def parse_inquiry(text: str) -> ParsedInquiry | None:
    """Return the question about a draw, in any case, spacing and punctuation, also misspelt."""
    about_number = _parse_verify(text) or _parse_number_question(text)
    if about_number is not None:
        return about_number
    words = normalize_text(text).replace("'", "")
    core = _remove_surroundings(words)
    for inquiry, wordings in INQUIRY_WORDINGS.items():
        if words in wordings or core in wordings:
            return ParsedInquiry(inquiry)
    if _asks_who_won(core):
        return ParsedInquiry(ChatInquiry.RESULTS)
    return _parse_misspelt(core, INQUIRY_KEYWORDS)


def _remove_surroundings(words: str) -> str:
    """Return the words without those around them that have no meaning of their own."""
    before = ""
    while words != before:
        before = words
        for opening in INQUIRY_OPENINGS:
            words = words.removeprefix(f"{opening} ")
        for ending in INQUIRY_ENDINGS:
            words = words.removesuffix(f" {ending}")
    return words


def _asks_who_won(words: str) -> bool:
    begins = any(words.startswith(f"{opening} ") for opening in WHO_WON_OPENINGS)
    return begins and not any(map(str.isdecimal, words))


def _parse_misspelt(words: str, keywords: Mapping[str, ChatInquiry]) -> ParsedInquiry | None:
    if " " in words or words in NOT_INQUIRY_TYPOS:
        return None
    for keyword, inquiry in keywords.items():
        if _is_like(words, keyword):
            return ParsedInquiry(inquiry, is_certain=False)
    return None


def _is_like(word: str, keyword: str) -> bool:
    near = OSA.distance(word, keyword, score_cutoff=_MAX_TYPOS) <= _MAX_TYPOS
    return near and word[:1] == keyword[:1]


def _parse_verify(text: str) -> ParsedInquiry | None:
    """Return the question about a ticket number: "verify 07", "can you check number 7 please"."""
    words = _split_words(text)
    place = next((at for at, word in enumerate(words) if not _may_precede_verb(word)), None)
    if place is None:
        return None
    verb, rest = _split_verb(words[place], words[place + 1 :])
    if not _is_verify(verb):
        return None
    is_clear = verb != _CHECK
    if all(map(_is_filler, rest)):
        is_clear = is_clear or not _NUMBER_NOUNS.isdisjoint(map(normalize_text, rest))
        return ParsedInquiry(ChatInquiry.VERIFY) if is_clear else None
    number = _parse_single_number(" ".join(rest), in_words=is_clear)
    names_numbers = all(_is_filler(word) or _has_digits_alone(word) for word in rest)
    if number is None and not names_numbers:
        return None
    return ParsedInquiry(ChatInquiry.VERIFY, number=number)


_CHECK: Final = "check"
_NUMBER_NOUNS: Final = frozenset({"number", "ticket"})
"""Words of which one makes a question of "check", which may also be about a payment."""

_VERB_BEFORE_DIGITS: Final = re.compile(r"([^\W\d_]+)[\W_]*(\d.*)")


def _split_words(text: str) -> list[str]:
    """Return the words of a text, without those of signs alone."""
    words = strip_within_limit(text, limit=MAX_WORDS_TEXT).split()
    return [word for word in words if normalize_text(word)]


def _split_verb(word: str, rest: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Return the verb and what follows; "verify07" and "verify:07" have no space between them."""
    joined = _VERB_BEFORE_DIGITS.fullmatch(word)
    if joined is not None:
        word, rest = joined[1], [joined[2], *rest]
    return normalize_text(word), rest


def _parse_single_number(text: str, *, in_words: bool) -> int | None:
    """Return the one ticket number that a text names; None if it is a quantity."""
    if parsing.parse_ticket_count(text) is not None:
        return None
    numbers = parsing.parse_ticket_numbers(text)
    if numbers is not None:
        return numbers.values[0] if len(numbers.values) == 1 else None
    return parsing.parse_quantity(text) if in_words else None


def _parse_number_question(text: str) -> ParsedInquiry | None:
    """Return the question about a ticket number such as "did 07 win"."""
    words = _split_words(text)
    if len(words) < 3:  # noqa: PLR2004 - both words and a number
        return None
    first, last = normalize_text(words[0]), normalize_text(words[-1])
    if first not in NUMBER_QUESTION_FIRST_WORDS or last not in NUMBER_QUESTION_LAST_WORDS:
        return None
    number = _parse_single_number(" ".join(words[1:-1]), in_words=False)
    return ParsedInquiry(ChatInquiry.VERIFY, number=number) if number is not None else None


def _may_precede_verb(word: str) -> bool:
    return _is_filler(word) or normalize_text(word) == "to"


def _has_digits_alone(word: str) -> bool:
    return normalize_text(word).replace(" ", "").isdecimal()


def _is_filler(word: str) -> bool:
    folded = normalize_text(word)
    return folded in FILLER_WORDS and not folded.isdecimal()


def _is_verify(word: str) -> bool:
    return word in VERIFY_WORDS or any(
        len(known) > 5 and _is_like(word, known)  # noqa: PLR2004 - short words are like too many
        for known in VERIFY_WORDS
    )


def says_adult(text: str) -> bool:
    """Return whether a buyer who was asked for their age says that they are 18 or older."""
    return parsing.is_yes(text) or _normalize(text) in ADULT_WORDINGS


def says_minor(text: str) -> bool:
    """Return whether a buyer who was asked for their age says that they are not 18 yet."""
    return parsing.is_no(text) or _normalize(text) in MINOR_WORDINGS


def _normalize(text: str) -> str:
    return normalize_text(text).replace("'", "")
