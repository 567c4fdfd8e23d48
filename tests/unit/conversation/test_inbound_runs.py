"""Tests of which texts that wait together get one answer."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.conversation.answering.text_runs import (
    MAX_MESSAGES_PER_RUN,
    MAX_PAUSE,
    TOPICS,
    RunTopic,
    build_run_content,
    find_topic,
    take_run,
)
from shared.conversation.context import Context
from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.text_normalization import MAX_WORDS_TEXT, normalize_text
from shared.whatsapp.content import ContentKind, parse_content
from shared.whatsapp.models import InboundMessage
from tests.builders import NOON

SECOND: Final = timedelta(seconds=1)
TAP: Final = "<tap>"
PICTURE: Final = "<picture>"
BODIES: Final[dict[str, dict[str, Any]]] = {
    TAP: {
        "type": "interactive",
        "interactive": {"type": "button_reply", "button_reply": {"id": "r1:menu", "title": "Menu"}},
    },
    PICTURE: {"type": "image", "image": {"id": "m1", "caption": "3 random"}},
}


def build_waiting(texts: Sequence[str], *, every: timedelta = SECOND) -> list[InboundMessage]:
    """Return messages of one buyer, written one after the other."""
    return [
        InboundMessage(
            pk=place + 1,
            payload=BODIES.get(text, {"type": "text", "text": {"body": text}}),
            sent_at=NOON + place * every,
        )
        for place, text in enumerate(texts)
    ]


def split_runs(
    waiting: Sequence[InboundMessage],
) -> list[Sequence[InboundMessage]]:
    """Return all runs of waiting messages, one after the other."""
    runs: list[Sequence[InboundMessage]] = []
    while waiting:
        runs.append(take_run(waiting, context=Context()))
        waiting = waiting[len(runs[-1]) :]
    return runs


def read_texts(runs: Sequence[Sequence[InboundMessage]]) -> str:
    """Return runs in one line: the texts of a run are joined by a plus, and runs by a bar."""
    return " | ".join(
        " + ".join(
            next((name for name, body in BODIES.items() if each.payload == body), None)
            or each.payload["text"]["body"]
            for each in run
        )
        for run in runs
    )


@pytest.mark.parametrize(
    "expected",
    [
        "hi",
        "hi + i want tickets + 3 + random + pls",
        "7 + 13 + and 21",
        "3 tickets + make it 5",
        "3 random + for my mom + thanks",
        "the summer one + 2 please",
        # questions get an answer each
        "hi + how much?",
        "how much? | 3 random + pls",
        "hi + when is the draw | how do i pay + thanks",
        "3 random | is it real?",
        # but the same question twice is one
        "i need more time + 10 min + pls",
        "how much? + how much is it",
        "how much for 3? | how much for 5?",
        # decisions are answered by themselves, in their place
        "hi + 3 random | cancel | 5 random + pls",
        "5 random | no | 3 random",
        "3 random | yes | thanks",
        "3 random | ok",
        "3 random | 👍",
        "hi | menu | 3",
        "3 random | help | pls",
        "3 random | cancle",
        "3 random | forget it",
        "hi | stop | 3 random",
        "hi | start | 3 random",
        "hi | can i talk to a person | hello",
        "hi + 3 random | i'm 18",
        "hi | i paid | thanks",
        "hi | R-7K3F9 | 3",
        "hi | 7k3f9 | 3",
        "hi | status of r-khfpt please | 3",
        "hi | Hi! I would like tickets for *Summer Raffle* (raffle 12) | 3",
        # whatever is no text ends a run
        f"hi + 3 | {TAP} | random + pls",
        f"hi + 3 random | {PICTURE} | thanks",
        # words that become a decision only together are not joined
        "do | it",
    ],
)
def test_texts_of_one_topic_get_one_answer(expected: str) -> None:
    texts = expected.replace(" | ", " + ").split(" + ")

    assert read_texts(split_runs(build_waiting(texts))) == expected


@pytest.mark.parametrize(("pause", "runs"), [(MAX_PAUSE, 1), (MAX_PAUSE + SECOND, 3)])
def test_a_pause_ends_a_run(pause: timedelta, runs: int) -> None:
    waiting = build_waiting(["hi", "3", "random"], every=pause)

    assert len(split_runs(waiting)) == runs


@pytest.mark.parametrize(
    "context", [Context(yes_button_id="r1:cancel:5"), Context(proof_id=5, proof_order_ids=(1, 2))]
)
def test_an_answer_that_is_awaited_is_no_part_of_a_run(context: Context) -> None:
    run = take_run(build_waiting(["18", "3 random", "pls"]), context=context)

    assert read_texts([run]) == "18"


@pytest.mark.parametrize("place", range(3))
def test_a_message_that_was_tried_before_is_answered_by_itself(place: int) -> None:
    waiting = build_waiting(["hi", "3", "random"])
    waiting[place].attempts = 1

    runs = split_runs(waiting)

    assert [waiting[place]] in runs
    counted = take_run(waiting, context=Context(), counted=[waiting[place].pk])
    assert counted == waiting


def test_the_content_of_a_run_is_its_texts_as_lines() -> None:
    content = build_run_content(build_waiting(["hi", "3", "random"]))

    assert (content.kind, content.text) == (ContentKind.TEXT, "hi\n3\nrandom")
    assert build_run_content(build_waiting([TAP])).kind is ContentKind.TAP


@pytest.mark.parametrize("intent", Intent)
def test_every_intent_has_a_topic(intent: Intent) -> None:
    assert TOPICS[intent] in RunTopic


texts = st.one_of(
    st.sampled_from(
        ["hi", "3", "random", "pls", "how much?", "yes", "cancel", "7k3f9", "", "7, 9"]
    ),
    st.sampled_from(
        [TAP, PICTURE, "a" * 150, "3 " * 199, "ﷺ" * 30, "ß" * 120, "3\n5\n", "😀" * 90]
    ),
    st.text(max_size=20),
)


@given(sent=st.lists(st.tuples(texts, st.integers(0, 14)), min_size=1, max_size=20))
def test_runs_keep_all_messages_in_order_within_the_limits(sent: list[tuple[str, int]]) -> None:
    waiting = build_waiting([text for text, _ in sent])
    at = NOON
    for message, (_, seconds) in zip(waiting, sent, strict=True):
        at += seconds * SECOND
        message.sent_at = at

    runs = split_runs(waiting)

    assert [message for run in runs for message in run] == waiting
    for run in runs:
        assert 1 <= len(run) <= MAX_MESSAGES_PER_RUN
        if len(run) == 1:
            continue
        text = build_run_content(run).text
        alone = [parse_content(message.payload).text for message in run]
        assert text == "\n".join(alone)
        assert len(text) <= MAX_WORDS_TEXT
        assert normalize_text(text) or not any(map(normalize_text, alone))
        assert RunTopic.DECISION not in {find_topic(text), *map(find_topic, alone)}
        assert run[-1].sent_at - run[0].sent_at <= MAX_PAUSE * len(run)
