"""Items of a text about numbers: numbers that stand together, and the phrases around them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.numbers.number_groups import (
    JOINING_WORDS,
    KEPT_WORDS,
    RANGE_OPENINGS,
    RANGE_WORDS,
    read_number_group,
)
from shared.conversation.understanding.phrases import Phrase, PhraseList
from shared.conversation.understanding.text_readings import NumberGroup
from shared.conversation.understanding.vocabulary import WordRole

WANTING_WORDS: Final = frozenset({"want", "take", "give", "get", "prefer", "put"})
"""Words that begin a wish of their own: "not 13, give me 17"."""

MAX_WORDS_BEFORE: Final = 2
"""Phrases before a number that may name it or open a range: "from number 7"."""

_CONNECTING: Final = frozenset(
    {WordRole.NUMBER, WordRole.MANY, WordRole.EACH_OF_TWO, WordRole.CURRENCY}
)
_BEFORE_PRONOUN: Final = frozenset({"other", "those", "these", "both", "all", "last", "first"})
_BEFORE_ONE: Final = frozenset({
    "the", "this", "that", "which", "another", "other", "each", "any", "every", "wrong", "same",
    "first", "last", "second", "third", "what", "good", "new", "nice", "no", "right", "cheap",
    "random", "lucky", "more", "extra",
})  # fmt: skip
"""Words after which "one" is no number: "the wrong one"."""


@dataclass(frozen=True, slots=True)
class Group:
    """Numbers that stand together.

    Attributes:
        first: the index of its first phrase.
        last: the index after its last phrase.
        numbers: the numbers, and how they are written.

    """

    first: int
    last: int
    numbers: NumberGroup


type Item = Group | Phrase


@dataclass(frozen=True, slots=True)
class NumberItems:
    """The items of a text in their order.

    Attributes:
        items: groups, and the phrases between them.
        groups: the groups alone.
        has_unreadable: whether a number was too long, or could not be read for another reason.

    """

    items: tuple[Item, ...]
    groups: tuple[Group, ...]
    has_unreadable: bool = False

    def find_next_group(self, place: int) -> Group | None:
        """Return the group after an item, unless a word with a role of its own comes before it."""
        for item in self.items[place + 1 :]:
            if isinstance(item, Group):
                return item
            weak = {WordRole.NUMBER, WordRole.MANY, WordRole.ADD, WordRole.TO}
            if not set(item.roles) <= weak and not _may_be_skipped(item):
                return None
        return None

    def has_group_before(self, place: int) -> bool:
        """Return whether a group stands before an item."""
        return any(isinstance(item, Group) for item in self.items[:place])


def _may_be_skipped(phrase: Phrase) -> bool:
    return (
        phrase.is_filler
        or Intent.BUY in phrase.intents
        or not {WordRole.INSTEAD, WordRole.NUMBER}.isdisjoint(phrase.roles)
    )


class NumberItemFinder:
    """Joins the phrases of a text that stand together as numbers."""

    def __init__(
        self,
        found: PhraseList,
        *,
        money_tokens: Collection[int],
        named_words: Collection[int],
        last_number: int | None,
    ) -> None:
        """Prepare to look for groups.

        Args:
            found: the text.
            money_tokens: the indexes of tokens that are amounts of money.
            named_words: the indexes of words that name a raffle.
            last_number: the last ticket number of the raffle; None: unknown.

        """
        self._found = found
        self._phrases = found.phrases
        self._money_tokens = money_tokens
        self._named_words = named_words
        self._last_number = last_number

    def find(self, *, is_unreadable: bool) -> NumberItems:
        """Return the items.

        Args:
            is_unreadable: whether a sign such as ² makes all numbers unclear.

        """
        is_random = any(Intent.RANDOM in phrase.intents for phrase in self._phrases)
        items: list[Item] = []
        place, has_unreadable = 0, False
        while place < len(self._phrases):
            if not self.is_number(self._phrases[place]):
                items.append(self._phrases[place])
                place += 1
                continue
            last = self._find_end(place)
            first = self._find_start(place, items)
            numbers = read_number_group(
                self._found,
                self._phrases[first:last],
                last_number=self._last_number,
                is_random=is_random,
            )
            if numbers is None:
                has_unreadable = True
                items.append(self._phrases[place])
                place += 1
                continue
            numbers = replace(numbers, is_unclear=numbers.is_unclear or is_unreadable)
            del items[len(items) - (place - first) :]
            items.append(Group(first, last, numbers))
            place = last
        groups = tuple(item for item in items if isinstance(item, Group))
        return NumberItems(tuple(items), groups, has_unreadable=has_unreadable)

    def is_number(self, phrase: Phrase) -> bool:
        """Return whether a phrase is a number, and neither money nor a pronoun."""
        text = self._found.get_text(phrase)
        if phrase.amount is None and not text.isdecimal():
            return False
        if self._found.words[phrase.first].token in self._money_tokens:
            return False
        if not phrase.is_in_words or phrase.first == 0:
            return True
        before = self._found.words[phrase.first - 1].text
        is_pronoun = before in _BEFORE_PRONOUN or (
            text == "one" and (before in _BEFORE_ONE or phrase.first - 1 in self._named_words)
        )
        return not is_pronoun

    def _find_start(self, place: int, items: Sequence[Item]) -> int:
        """Return the place of the first phrase that names or opens a group of numbers."""
        first = place
        while first > max(0, place - MAX_WORDS_BEFORE) and self._begins_group(
            items[first - place - 1], items
        ):
            first -= 1
        return first

    def _begins_group(self, item: Item, items: Sequence[Item]) -> bool:
        if isinstance(item, Group) or self._found.has_break_after(item):
            return False
        text = self._found.get_text(item)
        if text == "no":  # it may abbreviate "number", or correct the number before
            follows_number = any(isinstance(each, Group) for each in items)
            return not follows_number and not self._found.has_sign_after(item, ",")
        return (
            WordRole.NUMBER in item.roles
            or text in RANGE_OPENINGS
            or self._found.is_glued(item)
            or (text == "n" and self._found.has_sign_after(item, "°"))
        )

    def _find_end(self, place: int) -> int:
        """Return the place after the last phrase of a group of numbers."""
        last = at = place + 1
        before = self._phrases[:place]
        changes = any(
            WordRole.CHANGE in phrase.roles or Intent.CHANGE in phrase.intents for phrase in before
        )
        drops = _drops(before)
        while at < len(self._phrases):
            phrase = self._phrases[at]
            if self._begins_wish(phrase, changes=changes):
                break
            if drops and at == last and self._is_comma_pair(at):
                break
            if self.is_number(phrase) or self._belongs_to_number(at, last):
                last = at + 1
            elif not self._connects(phrase):
                break
            at += 1
        return last

    def _begins_wish(self, phrase: Phrase, *, changes: bool) -> bool:
        """Return whether a phrase begins something else than the numbers before it."""
        text = self._found.get_text(phrase)
        if self._found.has_break_before(phrase) and text not in RANGE_WORDS:
            return True
        return (
            (changes and WordRole.TO in phrase.roles)
            or text in WANTING_WORDS
            or (WordRole.ADD in phrase.roles and text not in JOINING_WORDS)
        )

    def _belongs_to_number(self, at: int, last: int) -> bool:
        """Return whether a phrase counts or touches the number before it: "5 tickets", "5a"."""
        phrase = self._phrases[at]
        counts = (
            WordRole.MANY in phrase.roles and at == last and self.is_number(self._phrases[at - 1])
        )
        return counts or self._found.is_glued(phrase)

    def _connects(self, phrase: Phrase) -> bool:
        """Return whether a phrase may stand between two numbers of a group."""
        text = self._found.get_text(phrase)
        if text in JOINING_WORDS | KEPT_WORDS | RANGE_WORDS:
            return True
        if text == "no":
            return False
        is_plain = phrase.is_filler and not phrase.intents
        return is_plain or not _CONNECTING.isdisjoint(phrase.roles)

    def _is_comma_pair(self, at: int) -> bool:
        """Return whether a comma and the last number of the text follow: "not 13, 14"."""
        rest = [phrase for phrase in self._phrases[at:] if self.is_number(phrase)]
        return len(rest) == 1 and self._found.has_sign_after(self._phrases[at - 1], ",")


def _drops(before: Sequence[Phrase]) -> bool:
    """Return whether the last word with a role says that the numbers after it are unwanted."""
    roles = [
        phrase.roles for phrase in before if phrase.roles and WordRole.NUMBER not in phrase.roles
    ]
    return bool(roles) and WordRole.DROP in roles[-1]
