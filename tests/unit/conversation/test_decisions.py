"""The table of decisions is whole, and each handler gives a step that can be carried out."""

from typing import Final

import pytest

from shared.conversation.flow.decisions import HANDLERS
from shared.conversation.flow.turn import Turn
from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.text_readings import NumberGroup, NumberWish, TextReading
from shared.core.enums import State
from tests import meta_limits
from tests.cases import walk_cases
from tests.unit.conversation.sentences.scenes import SCENES

SEVEN: Final = NumberGroup((7,), is_single=True, text="7", last=7)
SOME: Final = NumberGroup((7, 13), last=13)
FIVE: Final = NumberGroup((5,), is_single=True, is_counted=True, text="5", last=5)
WISHES: Final[dict[str, NumberWish | None]] = {
    "none": None,
    "empty": NumberWish(),
    "one": NumberWish(take=SEVEN),
    "some": NumberWish(take=SOME, adds=True),
    "counted": NumberWish(take=FIVE, more=True),
    "changed": NumberWish(take=NumberGroup((21,), is_single=True), drop=SEVEN),
    "given back": NumberWish(drop=SOME),
    "either": NumberWish(take=SOME, otherwise=FIVE),
    "unclear": NumberWish(take=NumberGroup((5, 7), is_unclear=True)),
    "doubtful": NumberWish(take=NumberGroup((5, 7), is_doubtful=True)),
}
WITHOUT_NUMBERS: Final = ("none", "empty")
NEEDED: Final = {
    Intent.TAKE: "one",
    Intent.IS_FREE: "one",
    Intent.ADD: "some",
    Intent.SWAP: "changed",
    Intent.EITHER: "either",
}
"""Wishes that stand for those without numbers, which the reader never gives with an intent."""


@pytest.mark.parametrize("intent", Intent)
def test_every_intent_has_a_handler_in_every_state(intent: Intent) -> None:
    assert set(HANDLERS[intent]) == set(State)


def test_nothing_else_has_a_handler() -> None:
    assert set(HANDLERS) == set(Intent)


@walk_cases(("intent", "wish"), [(intent, wish) for intent in Intent for wish in WISHES])
def test_every_handler_gives_a_step_that_can_be_carried_out(intent: Intent, wish: str) -> None:
    if wish in WITHOUT_NUMBERS or (wish == "given back" and intent is not Intent.SWAP):
        wish = NEEDED.get(intent, wish)
    for name, scene in SCENES.items():
        reading = TextReading(intent, wish=WISHES[wish])
        turn = Turn("x", reading, scene.state, scene.context, scene.facts)

        step = HANDLERS[intent][scene.state](turn)

        done = [step.effect is not None, step.lookup is not None, bool(step.replies)]
        assert done.count(True) == 1 or step.silence is not None, name
        assert len(step.replies) <= 1, name
        for reply in step.replies:
            assert meta_limits.find_message_faults(reply.to_whatsapp_message()) == [], name
