"""Vocabulary of the reader: what `english.toml` says, checked and compiled."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.patterns import PatternIndex

_FILE: Final = Path(__file__).with_name("english.toml")


class WordRole(StrEnum):
    """What a word says of the numbers beside it."""

    ADD = "add"
    DROP = "drop"
    DROP_AFTER = "drop_after"
    CHANGE = "change"
    TO = "to"
    INSTEAD_OF = "instead_of"
    INSTEAD = "instead"
    ELSE = "else"
    IF_FREE = "if_free"
    OR = "or"
    BUT = "but"
    IS = "is"
    FREE = "free"
    VERIFY = "verify"
    WON = "won"
    ENDING = "ending"
    STARTING = "starting"
    CONTAINING = "containing"
    ODD = "odd"
    EVEN = "even"
    LOW = "low"
    HIGH = "high"
    ALL = "all"
    MORE = "more"
    LESS = "less"
    WORTH = "worth"
    CURRENCY = "currency"
    MANY = "many"
    NUMBER = "number"
    EACH_OF_TWO = "each_of_two"
    FOR_ME = "for_me"


class Doubt(StrEnum):
    """Why a text may mean something else than it seems to."""

    NEGATION = "negation"
    CONDITION = "condition"
    OTHER_TIME = "other_time"  # it tells of another time or of somebody else
    UNREAD_WORDS = "unread_words"
    UNREAD_NUMBER = "unread_number"
    MISSPELT = "misspelt"  # a word that destroys is only nearly written
    CONTRADICTION = "contradiction"


class Filler(StrEnum):
    """A word without a meaning of its own."""

    WORD = "word"


type WordMeaning = Intent | WordRole | Doubt | Filler


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The compiled vocabulary.

    Attributes:
        phrases: all patterns of intents, roles, doubts and fillers.
        amounts: numbers in words; an amount may have several words.
        emoji: the word that an emoji stands for.
        spellings: the words that a short form or a usual misspelling stands for; none for "please".
        common_words: words of titles and prizes that are said of anything.
        polite_words: words that may stand beside a yes, CANCEL or STOP.
        question_words: words that begin a question.
        word_doubts: the doubts of single words, which count in a phrase that was not read.
        currencies: words after a number that make it an amount of money.
        words: every word that is known.
        never_misspelt: words that are no misspelling of another one.
        order_places: places of an order in a question, from 1; the last is -1.
        order_words: words without a meaning of their own around the place or amount of an order.
        currency_letters: the letters of currency signs such as "R$", which stand alone without it.

    """

    phrases: PatternIndex[WordMeaning]
    amounts: Mapping[str, int]
    emoji: Mapping[str, str]
    spellings: Mapping[str, Sequence[str]]
    currencies: frozenset[str]
    common_words: frozenset[str]
    polite_words: frozenset[str]
    question_words: frozenset[str]
    word_doubts: Mapping[str, frozenset[Doubt]]
    words: frozenset[str]
    never_misspelt: frozenset[str]
    order_places: Mapping[str, int]
    order_words: frozenset[str]
    currency_letters: frozenset[str]

    def expand(self, word: str) -> Sequence[str]:
        """Return the words that a word is compared as."""
        return self.spellings.get(word, (word,))


@cache
def load_vocabulary() -> Vocabulary:
    """Return the vocabulary, compiled once.

    Raises:
        PatternError: a pattern is not well-formed.
        ValueError: a section names no member of `Intent`, `WordRole` or `Doubt`.

    """
    data: dict[str, Any] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    spellings = {short: tuple(full.split()) for short, full in data["spellings"].items()}
    phrases = PatternIndex[WordMeaning](data["classes"], lambda word: spellings.get(word, (word,)))
    sections: dict[str, type[Intent] | type[WordRole] | type[Doubt]] = {
        "intents": Intent,
        "roles": WordRole,
        "doubts": Doubt,
    }
    for section, members in sections.items():
        for name, patterns in data[section].items():
            for pattern in patterns:
                phrases.add(pattern, members(name))
    for word in data["fillers"]["words"]:
        phrases.add(word, Filler.WORD)
    amounts: dict[str, int] = data["amounts"]
    amount_words = {word for amount in amounts for word in amount.split()}
    return Vocabulary(
        phrases,
        amounts,
        data["emoji"],
        spellings,
        currencies=frozenset(data["roles"]["currency"]),
        polite_words=frozenset(data["polite_words"]["words"]),
        question_words=frozenset(data["question_words"]["words"]),
        word_doubts=_collect_word_doubts(data["doubts"], spellings),
        common_words=frozenset(data["common_words"]["words"]),
        words=phrases.words | amount_words | set(spellings),
        never_misspelt=frozenset(data["never_misspelt"]["words"]),
        order_places=data["orders"]["places"],
        order_words=frozenset(data["orders"]["around"]),
        currency_letters=frozenset(data["orders"]["currency_letters"]),
    )


def _collect_word_doubts(
    doubts: Mapping[str, Sequence[str]], spellings: Mapping[str, Sequence[str]]
) -> dict[str, frozenset[Doubt]]:
    """Return the doubts of each single word; "dont" is two, of which "not" is one."""
    found: dict[str, frozenset[Doubt]] = {}
    for name, patterns in doubts.items():
        for pattern in patterns:
            words = spellings.get(pattern, (pattern,))
            if len(words) == 1 and " " not in words[0]:
                found[words[0]] = found.get(words[0], frozenset()) | {Doubt(name)}
    return found
