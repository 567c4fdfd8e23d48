"""Tests of what counts as a flood and as a conversation in circles."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.conversation.answering import answer_limits
from shared.conversation.answering.answer_limits import (
    FLOOD_MESSAGES,
    FLOOD_TAPS,
    FLOOD_WINDOW,
    LOOP_TEXTS,
    LOOP_WINDOW,
    SAME_TEXTS,
    RecentMessage,
)
from tests.builders import NOON

SECOND: Final = timedelta(seconds=1)


def build_messages(
    count: int, *, kind: str = "text", text: str = "hi", every: timedelta = SECOND
) -> list[RecentMessage]:
    """Return messages of one kind, written one after the other."""
    return [RecentMessage(kind, text, NOON + place * every) for place in range(count)]


@pytest.mark.parametrize(
    ("recent", "expected"),
    [
        (build_messages(FLOOD_MESSAGES), False),
        (build_messages(FLOOD_MESSAGES + 1), True),
        (build_messages(FLOOD_MESSAGES + 1, kind="sticker"), True),
        (build_messages(FLOOD_MESSAGES + 1, every=timedelta()), True),
        (build_messages(FLOOD_MESSAGES * 3, every=FLOOD_WINDOW / FLOOD_MESSAGES), False),
        (build_messages(90, kind="image"), False),
        ([*build_messages(90, kind="document", every=timedelta()), *build_messages(1)], False),
    ],
)
def test_a_flood_is_more_messages_than_a_minute_allows_without_receipts(
    recent: Sequence[RecentMessage], expected: bool
) -> None:
    assert answer_limits.is_excess(recent, len(recent) - 1) is expected


@pytest.mark.parametrize(
    ("kind", "count", "expected"),
    [
        ("interactive", FLOOD_TAPS, False),
        ("interactive", FLOOD_TAPS + 1, True),
        ("button", FLOOD_TAPS + 1, True),
        ("text", 99, False),
    ],
)
def test_taps_are_too_many_when_no_person_taps_so_fast(
    kind: str, count: int, expected: bool
) -> None:
    recent = build_messages(count, kind=kind)

    assert answer_limits.are_taps_excess(recent, count - 1) is expected


MINUTE: Final = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("recent", "expected"),
    [
        (build_messages(SAME_TEXTS, every=MINUTE), False),
        (build_messages(SAME_TEXTS + 1, every=MINUTE), True),
        (build_messages(SAME_TEXTS * 9, every=LOOP_WINDOW / SAME_TEXTS), False),
        (
            [
                RecentMessage("text", text, NOON)
                for text in ("Hi!", "hi", "HI", "hi.", "ｈｉ", "¡hi")
            ],
            True,
        ),
        ([RecentMessage("text", str(place), NOON) for place in range(20)], False),
        ([RecentMessage("text", f"{place % 2} yes", NOON) for place in range(12)], True),
        ([RecentMessage("text", "👍" * 3, NOON)] * (SAME_TEXTS + 1), True),
        ([RecentMessage("text", "a" * 4096, NOON)] * (SAME_TEXTS + 1), True),
        (build_messages(9, kind="audio"), False),
        ([*build_messages(9), *build_messages(1, kind="interactive"), *build_messages(1)], False),
        ([*build_messages(9), *build_messages(1, kind="image"), *build_messages(5)], False),
        ([*build_messages(9), *build_messages(1, kind="audio"), *build_messages(1)], True),
    ],
)
def test_the_same_text_again_and_again_is_a_loop_unless_a_tap_or_receipt_came_between(
    recent: Sequence[RecentMessage], expected: bool
) -> None:
    assert answer_limits.is_same_again(recent, len(recent) - 1) is expected


@pytest.mark.parametrize(
    ("before", "texts", "expected"),
    [
        (0, ["hi"] * 8, False),
        (SAME_TEXTS - 1, ["hi"] * 8, False),
        (SAME_TEXTS, ["hi", "Hi!"], True),
        (SAME_TEXTS, ["hi", "3 random"], False),
    ],
)
def test_texts_that_share_an_answer_count_once_and_a_new_one_is_enough(
    before: int, texts: Sequence[str], expected: bool
) -> None:
    recent = [RecentMessage("text", text, NOON) for text in [*["hi"] * before, *texts]]

    assert answer_limits.is_same_again(recent, before, messages=len(texts)) is expected


@pytest.mark.parametrize(("count", "expected"), [(LOOP_TEXTS, False), (LOOP_TEXTS + 1, True)])
def test_text_after_text_without_a_tap_is_a_loop(count: int, expected: bool) -> None:
    recent = [RecentMessage("text", str(place), NOON) for place in range(count)]

    assert answer_limits.are_texts_excess(recent, count - 1) is expected


def test_three_greetings_on_a_day_are_no_loop() -> None:
    recent = build_messages(3, every=timedelta(hours=4))

    assert not any(answer_limits.is_same_again(recent, place) for place in range(3))


@given(st.lists(st.tuples(st.sampled_from(["text", "image", "sticker"]), st.integers(0, 5))))
def test_no_window_holds_more_answered_messages_than_the_limit(
    steps: list[tuple[str, int]],
) -> None:
    at, recent = NOON, []
    for kind, seconds in steps * 10:
        at += timedelta(seconds=seconds)
        recent.append(RecentMessage(kind, "hi", at))
    answered = [
        each
        for place, each in enumerate(recent)
        if each.type != "image" and not answer_limits.is_excess(recent, place)
    ]

    for each in answered:
        within = [
            one for one in answered if each.sent_at - FLOOD_WINDOW < one.sent_at <= each.sent_at
        ]
        assert len(within) <= FLOOD_MESSAGES
