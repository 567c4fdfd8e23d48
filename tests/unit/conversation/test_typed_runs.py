"""Buyers who type one sentence after another: how often they are not understood.

Other tests look at each sentence of the table by itself. Here state and context go on from one to
the next, with the questions that stay open and the misses that are counted.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Final

import pytest

from shared.conversation import flow
from shared.conversation.conversation_events import TextReceived
from tests.unit.conversation.sentences.meanings import Sentence, load_sentences
from tests.unit.conversation.sentences.scenes import SCENES

MAX_MISSES: Final = 0.03
"""The share of messages that may be answered with "I did not understand"."""

MAX_MISSES_PER_SCENE: Final = 0.08
"""The same for one scene, of which the table has few sentences."""

RUN_LENGTH: Final = 8
"""Messages of a buyer who types much in one scene."""

SENTENCES: Final = [each for each in load_sentences() if "unknown" not in each.meanings]
"""The sentences that mean something to a person."""


@pytest.mark.parametrize("seed", [1, 2])
def test_misses_are_rare_in_runs_of_sentences(seed: int) -> None:
    missed = {
        scene: [miss for run in build_runs(scene, seed=seed) for miss in list_misses(run)]
        for scene in SCENES
    }

    misses = [miss for of_scene in missed.values() for miss in of_scene]
    assert len(misses) <= MAX_MISSES * len(SENTENCES), misses
    for scene, of_scene in missed.items():
        assert len(of_scene) <= MAX_MISSES_PER_SCENE * len(select_sentences(scene)), of_scene


def select_sentences(scene: str) -> list[Sentence]:
    """Return the sentences of a scene."""
    return [sentence for sentence in SENTENCES if sentence.scene == scene]


def build_runs(scene: str, *, seed: int) -> Iterator[Sequence[Sentence]]:
    """Yield all sentences of a scene in runs, in an order that differs by seed."""
    sentences = select_sentences(scene)
    random.Random(seed).shuffle(sentences)
    for start in range(0, len(sentences), RUN_LENGTH):
        yield sentences[start : start + RUN_LENGTH]


def list_misses(run: Sequence[Sentence]) -> list[str]:
    """Type a run of sentences of one scene, and return those that were not understood.

    The facts stay as they are, so the scene begins again after what would change them.
    """
    scene = SCENES[run[0].scene]
    state, context = scene.state, scene.context
    missed = []
    for sentence in run:
        text = "\n".join(sentence.texts)
        step = flow.step(state, context, TextReceived(text), scene.facts)
        if step.context.misses > context.misses:
            missed.append(f"{sentence.place} {text!r} in {state}")
        changes_facts = step.effect is not None or step.contact_change is not None
        state, context = step.state, step.context
        if changes_facts:
            state, context = scene.state, scene.context
    return missed
