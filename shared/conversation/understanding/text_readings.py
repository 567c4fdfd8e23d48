"""Readings of texts: the intent, the numbers, and what was left unread."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Self

from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.vocabulary import Doubt


@dataclass(frozen=True, slots=True)
class Entity:
    """A part of a text with a value.

    Attributes:
        name: what it is, such as "numbers", "money" or "raffle".
        value: its value as it is compared.
        start: the index of its first character in the folded text.
        end: the index after its last character.

    """

    name: str
    value: object
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class NumberGroup:
    """Numbers that stand together in a text, and how they are written.

    Attributes:
        values: the numbers in ascending order, each once.
        is_marked: whether a sign, a leading zero or a word marks one as a ticket number.
        is_single: whether there is one number alone.
        is_counted: whether a noun makes the only number a quantity: "5 tickets".
        is_in_words: whether the only number is written in words.
        is_plain: whether no number has a mark or all digits that ticket numbers have.
        is_doubtful: whether they may mean something else, as in "10-20 tickets".
        is_unclear: whether signs change their meaning, as in "7.5".
        may_be_named: whether "no" stands before the only number, which may abbreviate "number".
        is_lucky: whether a word before the only number may name it: "lucky 13".
        text: the digits of the only number, with leading zeros.
        last: the number that is written last.

    """

    values: tuple[int, ...]
    is_marked: bool = False
    is_single: bool = False
    is_counted: bool = False
    is_in_words: bool = False
    is_plain: bool = True
    is_doubtful: bool = False
    is_unclear: bool = False
    may_be_named: bool = False
    is_lucky: bool = False
    text: str = ""
    last: int | None = None

    @property
    def is_certain(self) -> bool:
        """Whether they are surely ticket numbers."""
        return self.is_marked or not self.is_single


@dataclass(frozen=True, slots=True)
class NumberWish:
    """What a buyer wants to do with numbers.

    Attributes:
        take: the numbers that are wanted, or a quantity.
        drop: ticket numbers that are not wanted.
        otherwise: what is wanted if `take` is taken.
        adds: whether they come beside what was said before: "and 21".
        replaces: whether they come instead of it: "13 instead", "make it 4".
        more: whether a quantity comes on top: "2 more".
        is_random: whether random numbers are asked for.
        money: an amount of money.
        is_worth: whether numbers for this amount are asked for: "$20 worth", "for $20".

    """

    take: NumberGroup | None = None
    drop: NumberGroup | None = None
    otherwise: NumberGroup | None = None
    adds: bool = False
    replaces: bool = False
    more: bool = False
    is_random: bool = False
    money: Decimal | None = None
    is_worth: bool = False

    @property
    def counts_numbers(self) -> bool:
        """Whether the wanted numbers are surely a quantity: "5 tickets", "5 random"."""
        return self.take is not None and (self.take.is_counted or self.is_random)


@dataclass(frozen=True, slots=True)
class TextReading:
    """A text as it was read.

    Attributes:
        intent: what is meant.
        others: what is meant besides, in the order in which it was written.
        wish: the numbers and what is to be done with them; None: no numbers.
        pattern: the digits and words that wanted numbers are like, by name: "ending" …
        raffle: the index of the raffle that is named; None: none or several are.
        doubts: why the text may mean something else.
        unread: the words that have no meaning here.
        entities: the parts with a value.
        is_question: whether a question mark or a word of a question was written.
        core_words: the count of words that are more than fillers.

    """

    intent: Intent
    others: tuple[Intent, ...] = ()
    wish: NumberWish | None = None
    pattern: tuple[tuple[str, str], ...] = ()
    raffle: int | None = None
    doubts: frozenset[Doubt] = frozenset()
    unread: tuple[str, ...] = ()
    entities: tuple[Entity, ...] = field(default=(), compare=False)
    is_question: bool = False
    core_words: int = 0

    @property
    def numbers(self) -> tuple[tuple[int, ...], ...]:
        """The numbers that stand together, in the order in which they are written."""
        return tuple(
            entity.value
            for entity in self.entities
            if entity.name == "numbers" and isinstance(entity.value, tuple)
        )

    def has(self, *intents: Intent) -> bool:
        """Return whether one of these is meant, first or besides."""
        return self.intent in intents or any(each in intents for each in self.others)

    def with_changes(self, **changes: object) -> Self:
        """Return a copy with some values changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def has_doubts_but(self, *harmless: Doubt) -> bool:
        """Return whether the text may mean something else for another reason than these."""
        return bool(self.doubts - set(harmless))
