"""Parsers of questions that work in every state: the rules, who won, and verify; pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rapidfuzz.distance import OSA

from shared.conversation.buyer_texts import parsing
from shared.conversation.buyer_texts.text_normalization import (
    MAX_WORDS_TEXT,
    normalize_text,
    strip_within_limit,
)
from shared.conversation.buyer_texts.vocabulary import (
    ADULT_WORDINGS,
    FILLER_WORDS,
    INQUIRY_KEYWORDS,
    INQUIRY_WORDINGS,
    MINOR_WORDINGS,
    NOT_INQUIRY_TYPOS,
    VERIFY_WORDS,
    ChatInquiry,
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
    verified = _parse_verify(text)
    if verified is not None:
        return verified
    words = normalize_text(text).replace("'", "")
    words = words.removesuffix(" please").removesuffix(" pls").removeprefix("please ")
    for inquiry, wordings in INQUIRY_WORDINGS.items():
        if words in wordings:
            return ParsedInquiry(inquiry)
    return _parse_misspelt(words, INQUIRY_KEYWORDS)


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
    words = strip_within_limit(text, limit=MAX_WORDS_TEXT).split()
    place = next((at for at, word in enumerate(words) if not _is_filler(word)), None)
    if place is None or not _is_verify(normalize_text(words[place])):
        return None
    rest = words[place + 1 :]
    if all(map(_is_filler, rest)):
        is_clear = normalize_text(words[place]) != _CHECK
        is_clear = is_clear or not _NUMBER_NOUNS.isdisjoint(map(normalize_text, rest))
        return ParsedInquiry(ChatInquiry.VERIFY) if is_clear else None
    numbers = parsing.parse_ticket_numbers(" ".join(rest))
    if numbers is None:
        return None
    single = numbers.values[0] if len(numbers.values) == 1 else None
    return ParsedInquiry(ChatInquiry.VERIFY, number=single)


_CHECK: Final = "check"
_NUMBER_NOUNS: Final = frozenset({"number", "ticket"})
"""Words of which one makes a question of "check", which may also be about a payment."""


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
