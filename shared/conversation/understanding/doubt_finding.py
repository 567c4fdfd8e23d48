"""Doubts about a text: reasons why it may mean something else than it seems to.

Nothing is held, ordered or cancelled while there is one. So what was not read counts, each word of
it; and so does what contradicts the intent, a question where an answer seems to be given, and
numbers beside words that nobody knows.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from shared.conversation.understanding.intent_ranking import HARMLESS, QUESTIONS
from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.numbers.number_items import Group
from shared.conversation.understanding.phrases import Phrase, PhraseList
from shared.conversation.understanding.vocabulary import Doubt, WordRole, load_vocabulary

_AGAINST_NUMBERS: Final = frozenset({
    Intent.NO, Intent.CANCEL, Intent.GIVE_UP, Intent.LATER, Intent.KEEP, Intent.STOP, Intent.MINOR,
    Intent.UNSURE,
})  # fmt: skip
_AGAINST_YES: Final = QUESTIONS | {
    Intent.NO, Intent.KEEP, Intent.CANCEL, Intent.GIVE_UP, Intent.LATER, Intent.OTHER_NUMBERS,
    Intent.STOP, Intent.MINOR, Intent.PICK, Intent.RANDOM, Intent.PERSON, Intent.PAID,
    Intent.UNSURE,
}  # fmt: skip
_AGAINST_CANCEL: Final = (QUESTIONS - {Intent.MY_TICKETS, Intent.ORDER}) | {
    Intent.NO, Intent.KEEP, Intent.LATER, Intent.PAID, Intent.BUY, Intent.UNSURE,
}  # fmt: skip

NUMBER_WISHES: Final = frozenset({
    Intent.TAKE, Intent.ADD, Intent.DROP, Intent.SWAP, Intent.EITHER, Intent.SPEND,
})  # fmt: skip

CONTRARY: Final[Mapping[Intent, Collection[Intent]]] = {
    **dict.fromkeys((*NUMBER_WISHES, Intent.OTHER_NUMBERS), _AGAINST_NUMBERS),
    Intent.YES: _AGAINST_YES,
    Intent.ADULT: _AGAINST_YES,
    Intent.CANCEL: _AGAINST_CANCEL,
}  # fmt: skip
"""Intents that contradict one in the same text."""

ANSWERS: Final = frozenset({Intent.YES, Intent.ADULT, Intent.CANCEL})
"""Intents that must be the whole text: every other word is a reason to ask."""

BESIDE_NUMBERS: Final = frozenset({Intent.RANDOM, Intent.BUY, Intent.YES})
"""Intents that go with a wish for numbers, so that their words are read: "no matter which"."""

MIN_CORRECTED_LETTERS: Final = 6
"""Letters of the shortest word that acts although it is misspelt."""


@dataclass(frozen=True, slots=True)
class Understood:
    """What of a text was understood.

    Attributes:
        chosen: the intent.
        others: what may contradict it.
        phrases: the indexes of the phrases that say it, and of small talk.
        used: the indexes of the phrases that say what to do with numbers.
        named: the indexes of the words that name raffles.
        money_tokens: the indexes of the tokens that are amounts of money.

    """

    chosen: Intent
    others: Sequence[Intent]
    phrases: Collection[int]
    used: Collection[int]
    named: Collection[int]
    money_tokens: Collection[int]

    def is_read(self, index: int) -> bool:
        """Return whether a phrase was understood."""
        return index in self.phrases or index in self.used


def find_doubts(
    found: PhraseList,
    understood: Understood,
    *,
    groups: Sequence[Group],
    unread_numbers: Collection[int],
    is_question: bool,
) -> set[Doubt]:
    """Return the reasons why a text may mean something else.

    Args:
        found: the text.
        understood: what of it was understood.
        groups: its numbers.
        unread_numbers: the indexes of phrases that are numbers, and of no group.
        is_question: whether it asks something.

    """
    doubts: set[Doubt] = set()
    for index, phrase in enumerate(found.phrases):
        if understood.is_read(index):
            if _is_misspelt(phrase, found, understood.chosen):
                doubts.add(Doubt.MISSPELT)
        elif not _is_named(phrase, understood.named):
            doubts |= _find_doubts_of_phrase(phrase, found, understood)
            if index in unread_numbers:
                doubts.add(Doubt.UNREAD_NUMBER)
    if not set(understood.others).isdisjoint(CONTRARY.get(understood.chosen, ())):
        doubts.add(Doubt.CONTRADICTION)
    if understood.chosen in ANSWERS and is_question:
        doubts.add(Doubt.CONDITION)
    if any(_has_unread_neighbour(group, found, understood.named) for group in groups):
        doubts.add(Doubt.UNREAD_NUMBER)
    if groups and _turns_unread_words(found, understood.named):
        doubts.add(Doubt.UNREAD_NUMBER)
    return doubts


def _find_doubts_of_phrase(phrase: Phrase, found: PhraseList, understood: Understood) -> set[Doubt]:
    """Return the doubts of a phrase that was not read, and of each of its words."""
    vocabulary = load_vocabulary()
    doubts = set(phrase.doubts)
    words = [word.text for word in found.words[phrase.first : phrase.last]]
    if not (phrase.is_filler and phrase.size > 1):  # "if that is possible"
        for word in words:
            doubts |= vocabulary.word_doubts.get(word, frozenset())
    is_money = found.words[phrase.first].token in understood.money_tokens
    if not phrase.is_known and not is_money:
        doubts.add(Doubt.UNREAD_WORDS)
    is_answer = understood.chosen in ANSWERS and understood.chosen not in phrase.intents
    if is_answer and not is_polite(phrase, found):
        doubts.add(Doubt.UNREAD_WORDS)
    return doubts


def is_polite(phrase: Phrase, found: PhraseList) -> bool:
    """Return whether a phrase only makes a text kinder, and says nothing."""
    polite = load_vocabulary().polite_words
    words = found.words[phrase.first : phrase.last]
    return all(word.text in polite for word in words)


def find_other_phrases(
    found: PhraseList, intents: Collection[Intent], *, used: Collection[int] = ()
) -> list[Phrase]:
    """Return the phrases with none of these intents that are more than polite."""
    return [
        phrase
        for index, phrase in enumerate(found.phrases)
        if index not in used
        and set(phrase.intents).isdisjoint({*intents, *HARMLESS})
        and not is_polite(phrase, found)
    ]


def _is_misspelt(phrase: Phrase, found: PhraseList, chosen: Intent) -> bool:
    """Return whether an act hangs on a word that is only nearly written."""
    words = found.words[phrase.first : phrase.last]
    if any(word.is_misspelt for word in words):
        return True
    if chosen not in CONTRARY or chosen not in phrase.intents:
        return False
    return any(word.is_corrected and len(word.text) < MIN_CORRECTED_LETTERS for word in words)


def _is_named(phrase: Phrase, named: Collection[int]) -> bool:
    return all(place in named for place in range(phrase.first, phrase.last))


def _has_unread_neighbour(group: Group, found: PhraseList, named: Collection[int]) -> bool:
    """Return whether a word that nobody knows touches a number: "house 123", "tree fifty"."""
    phrases = found.phrases
    before = phrases[group.first - 1] if group.first else None
    after = phrases[group.last] if group.last < len(phrases) else None
    if before is not None and not found.has_break_after(before):
        sounds = group.numbers.is_in_words and found.get_text(before) in _SOUND_LIKE_NUMBERS
        if sounds or not (before.is_known or _is_named(before, named)):
            return True
    if after is None or after.is_known or _is_named(after, named):
        return False
    return not found.has_break_before(after)


def _turns_unread_words(found: PhraseList, named: Collection[int]) -> bool:
    """Return whether a word that nobody knows touches one that turns the meaning of numbers.

    "Instead of" is another word than "instead" before a word that was not read.
    """
    return any(
        _TURNING_ROLES.intersection(one.roles or other.roles)
        and not found.has_break_after(one)
        and any(not (each.is_known or _is_named(each, named)) for each in (one, other))
        for one, other in pairwise(found.phrases)
    )


_TURNING_ROLES: Final = frozenset({
    WordRole.DROP, WordRole.DROP_AFTER, WordRole.CHANGE, WordRole.TO, WordRole.INSTEAD_OF,
    WordRole.INSTEAD, WordRole.ELSE, WordRole.IF_FREE, WordRole.OR, WordRole.LESS,
    WordRole.NUMBER,
})  # fmt: skip
_SOUND_LIKE_NUMBERS: Final = frozenset({"to", "too", "for", "won", "ate"})
