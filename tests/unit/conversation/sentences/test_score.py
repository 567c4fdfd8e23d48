"""The score of the conversation over the table of sentences, which may only get better."""

from collections import Counter
from typing import Final

from tests.unit.conversation.sentences.meanings import Sentence, Verdict, judge, load_sentences
from tests.unit.conversation.sentences.score import answer, describe

MIN_RIGHT: Final = 0.955
"""The share of sentences that are answered as they are meant."""

MAX_MISSED: Final = 0.03
"""The share of sentences after which a buyer reads that they were not understood."""

MIN_SENTENCES: Final = 600


def test_most_sentences_are_understood_and_none_does_what_is_not_meant() -> None:
    judged: dict[Verdict, list[Sentence]] = {verdict: [] for verdict in Verdict}
    for sentence in load_sentences():
        judged[judge(answer(sentence), sentence)].append(sentence)
    counts = Counter({verdict: len(sentences) for verdict, sentences in judged.items()})

    unmeant = [
        f"{each.place} {' // '.join(each.texts)!r} {describe(answer(each))}"
        for each in judged[Verdict.UNMEANT]
    ]
    assert unmeant == []
    assert counts.total() >= MIN_SENTENCES
    assert counts[Verdict.MISSED] / counts.total() <= MAX_MISSED
    assert counts[Verdict.RIGHT] / counts.total() >= MIN_RIGHT
