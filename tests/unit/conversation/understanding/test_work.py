"""The work for a text that any phone may send is bounded, and a list of numbers is read in one go.

Work is counted in executed lines, not in seconds; `test_patterns` counts the steps of the patterns.
"""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise, product
from pathlib import Path
from types import CodeType
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.conversation import understanding
from shared.conversation.understanding import order_names, phrases, text_normalization
from shared.conversation.understanding.chat_wishes import find_wish
from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.numbers.number_list import parse_number_list
from shared.conversation.understanding.raffle_names import Surroundings
from shared.conversation.understanding.reader import read_text
from shared.conversation.understanding.text_normalization import (
    MAX_NUMBERS_TEXT,
    MAX_WORDS_TEXT,
    fold_digits,
    normalize_text,
)
from shared.conversation.understanding.typed_numbers import (
    read_quantity,
    read_ticket_numbers,
)
from shared.conversation.understanding.vocabulary import load_vocabulary
from tests.cases import walk_cases

TITLES: Final = tuple(f"Summer Raffle {number}" for number in range(20))
PACKAGE: Final = str(Path(understanding.__file__).parent)
ON_SALE: Final = Surroundings(TITLES, TITLES, ("Ana, +1 555 0100",), last_number=9_999_999)
READINGS: Final[dict[str, Callable[[str], object]]] = {
    "text": read_text,
    "text_on_sale": partial(read_text, surroundings=ON_SALE),
    "chat_wish": find_wish,
    "typed_numbers": read_ticket_numbers,
    "typed_quantity": read_quantity,
    "order_codes": order_names.find_order_codes,
    "order_choice": partial(order_names.parse_order_choice, totals=[], titles=TITLES),
}
"""All functions that read a buyer's text."""

LONG_READINGS: Final[dict[str, Callable[[str], object]]] = {
    "list": partial(parse_number_list, last_number=None),
    "list_of_a_million": partial(parse_number_list, last_number=999_999),
    "digits": fold_digits,
    "order_codes": order_names.find_order_codes,
    "codes_removed": partial(order_names.remove_order_codes, codes={"R-7K3F9"}),
}
"""Those that read texts as long as a list of ticket numbers."""

HOSTILE: Final = (
    "1", "٣", " ", "\n", "\t", "\u2003", "\u3000", "\u200b", "\u0301", "\u0323\u0301", "ﷺ", "ΐ",
    "1-2\n", "1-1000 ", "from ", "#", "between 1 and ", "-", ".", "..", "…", "👍", "👍🏽\u200d",
    "a", "cancel ", "yes ", "five ", "summer ", "'", "’", "1,", "100,", "100 ", "%", "$", "no. ",
    "not 7 ", "if 7 ", "instead of ", "or ", "how much ", "twenty ", "add 1 ", "qwrtz ", "? ",
)  # fmt: skip

LOADING: Final = {"_list_targets", "_list_targets.<locals>.<genexpr>"}
"""Functions whose work depends on the vocabulary alone, and is done once."""

SLACK: Final = 400
"""Lines for branches that a longer text reaches first; quadratic work would add thousands."""

GROWTH: Final = 3
"""Factor of the work for a sentence of double the length, below that of quadratic work."""

MAX_LINES: Final = 300_000
"""Lines for the longest sentence, some 20 to 40 ms; no text takes more."""


def count_lines(reading: Callable[[str], object], text: str) -> int:
    """Count how many lines of the reader are executed, with nothing remembered from before."""
    load_vocabulary()
    for remembered in (read_text, phrases.correct_word, text_normalization._normalize_short_text):
        remembered.cache_clear()
    lines = 0

    def note(code: CodeType, _: int) -> object:
        nonlocal lines
        if not code.co_filename.startswith(PACKAGE) or code.co_qualname in LOADING:
            return sys.monitoring.DISABLE
        lines += 1
        return None

    tool, monitoring = 4, sys.monitoring
    monitoring.use_tool_id(tool, "lines of the reader")
    try:
        monitoring.register_callback(tool, monitoring.events.LINE, note)
        monitoring.set_events(tool, monitoring.events.LINE)
        reading(text)
    finally:
        monitoring.set_events(tool, 0)
        monitoring.register_callback(tool, monitoring.events.LINE, None)
        monitoring.free_tool_id(tool)
    return lines


def is_bounded(works: Sequence[int], *, growth: int) -> bool:
    """Return whether the work for texts of which each is twice as long as the one before is so."""
    return works[-1] <= MAX_LINES and all(
        after <= growth * before + SLACK for before, after in pairwise(works)
    )


@walk_cases(("start", "piece"), product(("7 ", "not 7 "), HOSTILE))
def test_is_bounded_for_a_sentence(start: str, piece: str) -> None:
    times = max(1, 80 // len(piece))
    texts = [start + piece * (times * factor) + "x" for factor in (1, 2, 4)]

    assert is_bounded(
        [count_lines(READINGS["text_on_sale"], text) for text in texts], growth=GROWTH
    )


@given(pieces=st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=6))
@settings(deadline=None, max_examples=40)  # the test counts lines, not time
def test_is_bounded_with_any_mixture(pieces: list[str]) -> None:
    once = "".join(pieces)
    times = max(1, 100 // len(once))

    works = [count_lines(READINGS["text_on_sale"], once * times * factor) for factor in (1, 2)]

    assert is_bounded(works, growth=GROWTH)


@walk_cases("name", LONG_READINGS)
def test_doubles_at_most_for_a_list_of_double_the_length(name: str) -> None:
    for piece in HOSTILE:
        times = MAX_NUMBERS_TEXT // 8 // len(piece)
        texts = ["7" + piece * (times * factor) + "x" for factor in (2, 4, 8)]
        works = [count_lines(LONG_READINGS[name], text[:MAX_NUMBERS_TEXT]) for text in texts]

        assert is_bounded(works, growth=2), (piece, works)


@walk_cases("name", READINGS)
def test_is_next_to_nothing_for_a_text_too_long(name: str) -> None:
    for piece in HOSTILE:
        if not piece.isspace():
            assert count_lines(READINGS[name], "7" + piece * 65_536 + "x") < 200, piece


class TestTooLong:
    @pytest.mark.parametrize(
        "text",
        [
            "cancel " + "because I want my money back " * 20,
            "stop" + "!" * MAX_WORDS_TEXT,
            "yes" + "!" * MAX_WORDS_TEXT,
            "👍" * (MAX_WORDS_TEXT + 1),
            "5 random" + " please" * 100,
            "summer" + " raffle" * 100,
            "7" + " " * MAX_NUMBERS_TEXT + "8",
            "1234567 " * 300,
            "100 " * (MAX_NUMBERS_TEXT // 4 - 1) + "1234567",
            "1" * 65_536,
            "ﷺ" * 4_096,
            "a" + "\u0323\u0301" * 2_048,
        ],
    )
    def test_means_nothing(self, text: str) -> None:
        for surroundings in (Surroundings(), ON_SALE):
            reading = read_text(text, surroundings)

            assert (reading.intent, reading.wish, reading.raffle) == (Intent.UNKNOWN, None, None)
        assert find_wish(text) is None
        assert normalize_text(text) == ""

    def test_is_measured_without_the_white_space_around_it(self) -> None:
        around = " \n\u2003" * 2_000

        assert read_text(f"{around}cancel{around}").intent is Intent.CANCEL
        assert read_ticket_numbers(f"{around}#7{around}") == (7,)
        assert read_text(f"{around}👍{around}").intent is Intent.YES

    def test_is_measured_again_once_signs_are_spelled_out(self) -> None:
        assert normalize_text("ﷺ" * 20) != ""
        assert normalize_text("ﷺ" * 30) == ""


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    for reading in READINGS.values():
        reading(text)
