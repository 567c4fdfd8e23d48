"""A text in doubt is asked about: nothing is held, ordered or cancelled by it."""

from functools import cache
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.conversation.sentences.doubts import (
    CONDITIONS,
    DOUBTS,
    NEGATIONS,
    UNREAD_NUMBERS,
    find_act,
    find_unmeant_act,
    list_texts,
)
from tests.unit.conversation.sentences.scenes import SCENES

TEXTS: Final = [(scene, text) for scene, texts in list_texts().items() for text in texts]
VOCABULARY: Final = sorted({word for _, text in TEXTS for word in text.split()})
PLACES: Final = st.integers(0, 12)


@cache
def list_acts() -> list[tuple[str, str]]:
    """Return the texts that lead to an act, with their scene; all of them are read for that."""
    return [(scene, text) for scene, text in TEXTS if find_act(text, SCENES[scene])]


ACTS: Final = st.deferred(lambda: st.sampled_from(list_acts()))


@given(case=ACTS, word=st.sampled_from(DOUBTS), place=PLACES)
@settings(deadline=None, max_examples=500)
def test_a_sentence_with_a_word_that_leaves_it_in_doubt_does_nothing(
    case: tuple[str, str], word: str, place: int
) -> None:
    scene, text = case

    assert find_unmeant_act(text, word, place, SCENES[scene]) is None


@given(
    scene=st.sampled_from(sorted(SCENES)),
    words=st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=6),
    doubt=st.sampled_from((*NEGATIONS, *CONDITIONS, *UNREAD_NUMBERS)),
    place=PLACES,
)
@settings(deadline=None, max_examples=500)
def test_words_of_the_table_in_any_order_do_nothing_in_doubt(
    scene: str, words: list[str], doubt: str, place: int
) -> None:
    text = " ".join(words)

    assert find_unmeant_act(text, doubt, place, SCENES[scene]) is None


@given(case=ACTS, words=st.permutations(["zxqvb", "flurb", "кошка", "qwrtz"]))
@settings(deadline=None, max_examples=60)
def test_a_sentence_among_many_unknown_words_does_nothing(
    case: tuple[str, str], words: list[str]
) -> None:
    scene, text = case

    assert find_act(f"{text} {' '.join(words)} {words[0]}x", SCENES[scene]) is None


def test_there_are_acts_in_most_scenes() -> None:
    assert len(list_acts()) > 300
    assert len({scene for scene, _ in list_acts()}) >= len(SCENES) - 4
