"""Sentences of the table with a word put in that leaves them in doubt.

`uv run python -m tests.unit.conversation.sentences.doubts` tries each word at each place of each
sentence that leads to an act, and prints those that still hold, order or cancel something.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

from shared.conversation import flow
from shared.conversation.conversation_events import TextReceived
from shared.conversation.flow.turn import Turn
from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.vocabulary import load_vocabulary
from shared.conversation.values import CancelOwnOrder, Effect, HoldNumbers, HoldRandom, PlaceOrder
from tests.unit.conversation.sentences.meanings import load_sentences
from tests.unit.conversation.sentences.scenes import SCENES, Scene

NEGATIONS: Final = ("not", "don't", "never")
CONDITIONS: Final = ("if", "unless", "only if")
UNREAD_NUMBERS: Final = ("7.5", "15:30", "99999999999999", "½", "3²", "4%")
UNKNOWN_WORDS: Final = ("zxqvb", "кошка")
DOUBTS: Final = (*NEGATIONS, *CONDITIONS, *UNREAD_NUMBERS, *UNKNOWN_WORDS)

_CHANGES: Final = frozenset({Intent.DROP, Intent.SWAP, Intent.EITHER})
"""Intents that a negation or a condition gives to a text with ticket numbers."""

_NEGATED_NUMBER: Final = re.compile(r"(?<!if )\b(?:not|don't|never) #?(\d{1,9})\b", re.IGNORECASE)
_DROPS: Final = re.compile(r"\b(?:minus|without|except|instead)\b")
_FREE: Final = re.compile(r"\b(?:free|available|have|has|taken|sold|gone|left|there)\b")


def list_texts() -> Mapping[str, Sequence[str]]:
    """Return the sentences of one message by their scene."""
    found: dict[str, list[str]] = {name: [] for name in SCENES}
    for sentence in load_sentences():
        if len(sentence.texts) == 1:
            found[sentence.scene].append(sentence.texts[0])
    return found


def insert(text: str, word: str, place: int) -> str:
    """Return a text with a word put in before the word at a place."""
    words = text.split(" ")
    return " ".join([*words[:place], word, *words[place:]])


def find_act(text: str, scene: Scene) -> Effect | None:
    """Return what a text holds, orders or cancels."""
    effect = flow.step(scene.state, scene.context, TextReceived(text), scene.facts).effect
    acts = HoldRandom | HoldNumbers | PlaceOrder | CancelOwnOrder
    return effect if isinstance(effect, acts) else None


def find_unmeant_act(text: str, word: str, place: int, scene: Scene) -> Effect | None:
    """Return what a text does though a word that was put in leaves it in doubt.

    None: nothing is done, or what the word is documented to mean. A few unknown words beside a
    plain wish are overlooked, so they may change nothing, and nothing is cancelled with them.
    """
    effect = find_act(insert(text, word, place), scene)
    if effect is None:
        return None
    before = find_act(text, scene)
    if word in UNKNOWN_WORDS:
        is_overlooked = effect == before and not isinstance(effect, CancelOwnOrder)
        return None if is_overlooked else effect
    if word in NEGATIONS and _names_other_raffle(effect, before):
        return None
    if word in NEGATIONS and effect == before and _DROPS.search(text):
        return None  # it says the same once more: "7 13 45 minus not the 13"
    if word in CONDITIONS and _waits_to_be_free(effect, before, text):
        return None
    return None if _changes_numbers(effect, insert(text, word, place), scene) else effect


@cache
def _build_correction() -> re.Pattern[str]:
    """Return a pattern of a number that is taken back: "2 tickets, not three", "7, 13, not 13"."""
    amounts = "|".join(sorted(load_vocabulary().amounts, key=len, reverse=True))
    return re.compile(rf"\b(?:not|don't|never)\b\D{{1,20}}?(?:\d|\b(?:{amounts})\b)", re.IGNORECASE)


def _names_other_raffle(effect: Effect, before: Effect | None) -> bool:
    """Return whether the other of two raffles is meant: "5 random, not for winter"."""
    kinds = (HoldRandom, HoldNumbers)
    return (
        isinstance(effect, kinds)
        and isinstance(before, kinds)
        and effect.raffle_id != before.raffle_id
        and replace(effect, raffle_id=before.raffle_id) == before
    )


def _waits_to_be_free(effect: Effect, before: Effect | None, text: str) -> bool:
    """Return whether numbers are taken if they are free, which a hold sees to anyway."""
    is_same = effect == before or before is None  # "13 left" asks whether it is free
    return isinstance(effect, HoldNumbers) and is_same and _FREE.search(text) is not None


def _changes_numbers(effect: Effect, text: str, scene: Scene) -> bool:
    """Return whether numbers are changed as the text says.

    What is held afterwards is named in the text or was held before, and nothing is taken that the
    text does not want.
    """
    reading = Turn.read(text, scene.state, scene.context, scene.facts).reading
    wish = reading.wish
    is_correction = reading.intent is Intent.TAKE and _build_correction().search(text) is not None
    if wish is None or not (reading.intent in _CHANGES or is_correction):
        return False
    groups = [group for group in (wish.take, wish.otherwise) if group is not None]
    named = {number for group in groups for number in group.values}
    own = {number for order in scene.facts.orders for number in order.numbers}
    dropped = set(wish.drop.values if wish.drop is not None else ())
    unwanted = {int(found) for found in _NEGATED_NUMBER.findall(text)} | (dropped - named)
    if isinstance(effect, HoldRandom):
        return effect.quantity in named - unwanted or (
            bool(effect.keeping) and set(effect.keeping) <= own - dropped
        )
    if not isinstance(effect, HoldNumbers):
        return False
    taken = {*effect.numbers, *effect.otherwise}
    return taken <= named | own and not taken & unwanted


def list_unmeant_acts() -> Iterator[tuple[str, str, str, Effect]]:
    """Yield the scene, the word, the text and what it does, for each text that should ask."""
    for name, texts in list_texts().items():
        for text in texts:
            if find_act(text, SCENES[name]) is None:
                continue
            for word in DOUBTS:
                for place in range(len(text.split(" ")) + 1):
                    effect = find_unmeant_act(text, word, place, SCENES[name])
                    if effect is not None:
                        yield name, word, insert(text, word, place), effect


def main() -> None:
    """Print the texts in doubt that act, and how many there are for each word."""
    counts: Counter[str] = Counter()
    for scene, word, text, effect in list_unmeant_acts():
        counts[word] += 1
        print(f"{scene:14} {word:10} {text!r}\n{'':25} {effect}")
    print(dict(counts))


if __name__ == "__main__":
    main()
