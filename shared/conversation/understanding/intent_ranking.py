"""Ranking of intents: which of several in one text is meant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.phrases import Phrase, PhraseList
from shared.conversation.understanding.tokens import TokenKind
from shared.conversation.understanding.vocabulary import WordRole

WEIGHTS: Final[Mapping[Intent, int]] = {
    **dict.fromkeys(Intent, 40),
    Intent.GREETING: 0,
    Intent.THANKS: 3,
    Intent.FOREIGN_GREETING: 5,
    Intent.YES: 10,
    Intent.NO: 10,
    Intent.UNSURE: 9,
    Intent.ADULT: 12,
    Intent.MINOR: 12,
    Intent.GIVE_UP: 14,
    Intent.LATER: 20,
    Intent.BUY: 22,
    Intent.KEEP: 28,
    Intent.RANDOM: 30,
    Intent.PICK: 30,
    Intent.OTHER_NUMBERS: 32,
    Intent.HELP: 33,
    Intent.MENU: 35,
    Intent.PERSON: 41,
    Intent.CANCEL: 45,
    Intent.STOP: 50,
    Intent.CAN_CANCEL: 60,
}
"""How much an intent weighs against others in the same text, beside the length of its phrase."""

WEIGHT_PER_WORD: Final = 3
"""A long phrase says more precisely what is meant than a short one."""

QUESTIONS: Final = frozenset({
    Intent.PRICE, Intent.TOTAL, Intent.PRIZE, Intent.DRAW_DATE, Intent.RULES, Intent.LEFT,
    Intent.WHICH_FREE, Intent.LIMITS, Intent.HOW_TO_PAY, Intent.RECEIPT, Intent.REAL,
    Intent.RESULTS, Intent.REFUND, Intent.CHANGE, Intent.CAN_CANCEL, Intent.MORE_TIME, Intent.LATE,
    Intent.DELIVERY, Intent.PRIVACY, Intent.BOT, Intent.SELLER, Intent.AGE, Intent.LANGUAGE,
    Intent.RAFFLES, Intent.CHANCES, Intent.HELP, Intent.HOW_IT_WORKS, Intent.MY_TICKETS,
    Intent.ORDER, Intent.VERIFY, Intent.IS_FREE,
})  # fmt: skip
"""Intents that are answered and change nothing."""

HARMLESS: Final = frozenset({Intent.GREETING, Intent.FOREIGN_GREETING, Intent.THANKS})
"""Small talk, which may stand beside anything else."""

WHOLE_TEXTS: Final = frozenset({Intent.STOP, Intent.START})
"""Intents that are meant only by a text that says nothing else."""

_DECISIONS: Final = frozenset({
    Intent.CANCEL, Intent.KEEP, Intent.YES, Intent.NO, Intent.LATER, Intent.OTHER_NUMBERS,
    Intent.PAID, Intent.RANDOM, Intent.PICK,
})  # fmt: skip
"""Intents of which a later line takes the earlier one back."""

_BEFORE_NUMBERS: Final = frozenset({Intent.PERSON, Intent.STOP, Intent.PAID, Intent.KEEP})
"""Intents that count more than numbers beside them."""

_ABOUT_NUMBERS: Final = frozenset({Intent.LIKE, Intent.IS_FREE, Intent.VERIFY, Intent.EITHER})
"""Intents that are precise because of the numbers, so that no question counts more."""

_WEAK_BESIDE_NUMBERS: Final = frozenset({Intent.MY_TICKETS, Intent.ORDER})
_NO_NEW_LINE: Final = frozenset({"no", "instead"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """An intent that a phrase of the text has; `index` is that of the phrase."""

    intent: Intent
    index: int
    phrase: Phrase


def rank_intents(candidates: Sequence[Candidate], found: PhraseList) -> list[Candidate]:
    """Return the intents, the weightiest first; of two decisions the later one counts."""
    lines = number_lines(found)
    decided = [lines[each.phrase.first] for each in candidates if each.intent in _DECISIONS]
    latest = max(decided, default=0)
    kept = [
        each
        for each in candidates
        if each.intent not in _DECISIONS or lines[each.phrase.first] == latest
    ]
    return sorted(kept, key=lambda each: -_weigh(each))


def _weigh(candidate: Candidate) -> int:
    return WEIGHTS[candidate.intent] + WEIGHT_PER_WORD * candidate.phrase.size


def number_lines(found: PhraseList) -> list[int]:
    """Return the line of each word; a correction such as "i meant" begins another one."""
    corrections = {
        phrase.first
        for phrase in found.phrases
        if WordRole.INSTEAD in phrase.roles and found.get_text(phrase) not in _NO_NEW_LINE
    }
    line, at, lines = 0, 0, list[int]()
    for index, word in enumerate(found.words):
        while at < word.token:
            line += found.tokens[at].kind is TokenKind.BREAK
            at += 1
        line += index in corrections
        lines.append(line)
    return lines


def counts_more_than_numbers(intent: Intent, numbers: Intent) -> bool:
    """Return whether words say more than the numbers beside them: "how do i pay the 15"."""
    if numbers in _ABOUT_NUMBERS:
        return intent in _BEFORE_NUMBERS
    return intent in (QUESTIONS - _WEAK_BESIDE_NUMBERS) | _BEFORE_NUMBERS
