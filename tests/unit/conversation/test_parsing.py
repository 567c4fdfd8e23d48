"""Tests of parsing buyers' messages."""

import sys
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.conversation.buyer_texts import inquiries, parsing
from shared.conversation.buyer_texts.parsing import ParsedCommand, ParsedTicketNumbers
from shared.conversation.buyer_texts.vocabulary import ChatCommand
from shared.conversation.understanding import number_list
from shared.conversation.understanding.text_normalization import (
    MAX_NUMBERS_TEXT,
    MAX_WORDS_TEXT,
    normalize_text,
)
from tests.cases import walk_cases

TITLES: Final = [f"Summer Raffle {number}" for number in range(20)]
READINGS: Final[dict[str, Callable[[str], object]]] = {
    "command": parsing.parse_command,
    "is_greeting": parsing.is_greeting,
    "is_yes": parsing.is_yes,
    "is_no": parsing.is_no,
    "is_thanks": parsing.is_thanks,
    "asks_for_tickets": parsing.asks_for_tickets,
    "asks_for_more": parsing.asks_for_more,
    "asks_how_to_pay": parsing.asks_how_to_pay,
    "says_paid": parsing.says_paid,
    "wants_random": parsing.wants_random,
    "wants_pick": parsing.wants_pick,
    "quantity": parsing.parse_quantity,
    "random_quantity": parsing.parse_random_quantity,
    "counted_tickets": parsing.parse_ticket_count,
    "ticket_numbers": parsing.parse_ticket_numbers,
    "lucky_number": parsing.parse_lucky_number,
    "doubtful_numbers": lambda text: parsing.parse_doubtful_numbers(text, last_number=9_999_999),
    "numbers_of_a_million": lambda text: parsing.parse_ticket_numbers(text, last_number=999_999),
    "has_unclear_numbers": parsing.has_unclear_numbers,
    "is_addition": parsing.is_addition,
    "wants_other_numbers": parsing.wants_other_numbers,
    "inquiry": inquiries.parse_inquiry,
    "says_adult": inquiries.says_adult,
    "says_minor": inquiries.says_minor,
    "choice": lambda text: parsing.parse_choice(text, TITLES),
}
"""All functions that parse a buyer's text."""

HOSTILE: Final = (
    "1", "٣", " ", "\n", "\t", "\u2003", "\u3000", "\u200b", "\u0301", "\u0323\u0301", "ﷺ", "ΐ",
    "1-2\n", "1-1000 ", "from ", "#", "between 1 and ", "-", ".", "..", "…", "👍", "👍🏽\u200d",
    "a", "cancel ", "yes ", "five ", "summer ", "'", "’", "1,", "100,", "100 ", "%", "$", "no. ",
)  # fmt: skip


def count_lines(reading: Callable[[str], object], text: str) -> int:
    """Count how many lines of the modules that parse are executed."""
    lines = 0
    parsers = {parsing.__file__, number_list.__file__, inquiries.__file__}

    def note(code: object, _: int) -> object:
        nonlocal lines
        lines += getattr(code, "co_filename", "") in parsers
        return None

    tool, monitoring = 4, sys.monitoring
    monitoring.use_tool_id(tool, "lines of parsing")
    try:
        monitoring.register_callback(tool, monitoring.events.LINE, note)
        monitoring.set_events(tool, monitoring.events.LINE)
        reading(text)
    finally:
        monitoring.set_events(tool, 0)
        monitoring.register_callback(tool, monitoring.events.LINE, None)
        monitoring.free_tool_id(tool)
    return lines


class TestCommand:
    @pytest.mark.parametrize(
        "text",
        ["MENU", "menu", "  Menu!! ", "m e n u", "Menu please", "*MENU*", "ｍｅｎｕ", "start"],
    )
    def test_hears_menu_in_whatever_spelling(self, text: str) -> None:
        assert parsing.parse_command(text) == ParsedCommand(ChatCommand.MENU, is_certain=True)

    @pytest.mark.parametrize(
        "text", ["CANCEL", "cancel.", "Cancel my order", "please cancel", "CANCEL‼️"]
    )
    def test_hears_cancel_in_whatever_spelling(self, text: str) -> None:
        assert parsing.parse_command(text) == ParsedCommand(ChatCommand.CANCEL, is_certain=True)

    @pytest.mark.parametrize("text", ["cancle", "canel", "cancell", "cancelar"])
    def test_is_not_sure_of_a_misspelt_cancel(self, text: str) -> None:
        assert parsing.parse_command(text) == ParsedCommand(ChatCommand.CANCEL, is_certain=False)

    @pytest.mark.parametrize(
        ("text", "meant"), [("mneu", ChatCommand.MENU), ("hlep", ChatCommand.HELP)]
    )
    def test_knows_what_a_slip_was_meant_to_be(self, text: str, meant: ChatCommand) -> None:
        heard = parsing.parse_command(text)

        assert heard is not None
        assert heard.command is meant

    @pytest.mark.parametrize(
        "text", ["hello", "candle", "me", "5", "men", "cancel culture is bad", ""]
    )
    def test_leaves_other_words_alone(self, text: str) -> None:
        assert parsing.parse_command(text) is None


class TestQuantity:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("5", 5), ("five", 5), ("5 tickets please", 5), ("５", 5), ("٥", 5), ("I'd like 3", 3),
            ("twenty one", 21), ("two hundred", 200), ("a dozen", 12), ("One", 1), ("5.", 5),
            ("give me 4 numbers", 4), ("fifteen!", 15),
        ],
    )  # fmt: skip
    def test_reads_one_amount(self, text: str, expected: int) -> None:
        assert parsing.parse_quantity(text) == expected

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "many",
            "5 7",
            "5 or 6",
            "12345678901234",
            "my account is 55",
            "five random",
            "twenty and five",
            "twenty, five",
        ],
    )
    def test_gives_nothing_where_it_is_not_clear(self, text: str) -> None:
        assert parsing.parse_quantity(text) is None

    @pytest.mark.parametrize("text", ["5 random", "random 5", "5 at random please", "any five"])
    def test_reads_a_random_quantity(self, text: str) -> None:
        assert parsing.parse_random_quantity(text) == 5


class TestTicketNumbers:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("07, 13-20 and 45", (7, *range(13, 21), 45)),
            ("7 13 20", (7, 13, 20)),
            ("from 10 to 15", tuple(range(10, 16))),
            ("#0007", (7,)),
            ("07", (7,)),
            ("1/2;3+4&5\n6", (1, 2, 3, 4, 5, 6)),
            ("13 – 15", (13, 14, 15)),
            ("between 3 and 5", (3, 4, 5)),
            ("20-18", (18, 19, 20)),
            ("I want 07 and 13 please", (7, 13)),
            ("7, 7, 7, 8", (7, 8)),
            ("٧ و ١٣".replace(" و ", " "), (7, 13)),
            ("number 5", (5,)),
            ("10..12", (10, 11, 12)),
            ("7\n13", (7, 13)),
            ("No. 7", (7,)),
        ],
    )
    def test_reads_numbers_however_they_are_written(
        self, text: str, expected: tuple[int, ...]
    ) -> None:
        assert parsing.parse_ticket_numbers(text) == ParsedTicketNumbers(expected, is_certain=True)

    def test_is_not_sure_whether_a_bare_number_is_one(self) -> None:
        assert parsing.parse_ticket_numbers("5") == ParsedTicketNumbers((5,), is_certain=False)

    @pytest.mark.parametrize(
        "text",
        [
            "", "hello", "call me at 5", "5 random", "1-100000", "15550100123 is my phone",
            "-5", "7.5", "100%", "$100", "3 for 2", "07-13-45", "10-20 tickets", "15:30", "5a",
        ],
    )  # fmt: skip
    def test_gives_nothing_where_something_else_is_said(self, text: str) -> None:
        assert parsing.parse_ticket_numbers(text) is None

    @given(
        st.sets(st.integers(0, 999_999), min_size=2, max_size=30),
        st.sampled_from([", ", " ", ";", "/", " and ", "\n", " & ", "+"]),
    )
    def test_reads_back_every_list_it_could_be_given(
        self, numbers: set[int], separator: str
    ) -> None:
        text = separator.join(f"{number:06d}" for number in sorted(numbers))

        assert parsing.parse_ticket_numbers(text) == ParsedTicketNumbers(
            tuple(sorted(numbers)), is_certain=True
        )


class TestEverything:
    @given(st.text(max_size=200))
    def test_never_raises_on_any_text(self, text: str) -> None:
        parsing.parse_command(text)
        parsing.parse_quantity(text)
        parsing.parse_random_quantity(text)
        parsing.parse_ticket_count(text)
        parsing.parse_ticket_numbers(text)
        parsing.parse_choice(text, ["Summer Raffle", "Winter Raffle"])
        parsing.is_yes(text)
        parsing.is_no(text)


class TestChoice:
    @pytest.mark.parametrize(
        ("text", "expected"), [("2", 1), ("summer", 0), ("the winter raffle", 1)]
    )
    def test_finds_a_title_by_place_or_name(self, text: str, expected: int) -> None:
        assert parsing.parse_choice(text, ["Summer Raffle", "Winter Raffle"]) == expected

    @pytest.mark.parametrize("text", ["raffle", "3", "0", "hi", "what is this", ""])
    def test_does_not_guess(self, text: str) -> None:
        assert parsing.parse_choice(text, ["Summer Raffle", "Winter Raffle"]) is None


class TestTooLong:
    """A very long text is not understood, whatever it says."""

    @pytest.mark.parametrize(
        "text",
        [
            "cancel " + "because I want my money back " * 20,
            "yes" + "!" * MAX_WORDS_TEXT,
            "👍" * (MAX_WORDS_TEXT + 1),
            "5 random" + " please" * 100,
            "summer" + " raffle" * 100,
            "7" + " " * MAX_NUMBERS_TEXT + "8",
            "1234567 " * 300,
            "1" * 65_536,
            "ﷺ" * 4_096,
            "a" + "\u0323\u0301" * 2_048,
        ],
    )
    def test_means_nothing(self, text: str) -> None:
        assert {name: found for name, reading in READINGS.items() if (found := reading(text))} == {}
        assert normalize_text(text) == ""

    def test_is_measured_without_the_white_space_around_it(self) -> None:
        around = " \n\u2003" * 2_000

        assert parsing.parse_command(f"{around}cancel{around}") == ParsedCommand(
            ChatCommand.CANCEL, is_certain=True
        )
        assert parsing.parse_ticket_numbers(f"{around}#7{around}") == ParsedTicketNumbers(
            (7,), is_certain=True
        )
        assert parsing.is_yes(f"{around}👍{around}")

    def test_is_measured_again_once_signs_are_spelled_out(self) -> None:
        assert normalize_text("ﷺ" * 20) != ""
        assert normalize_text("ﷺ" * 30) == ""

    def test_a_list_of_as_many_numbers_as_an_order_may_have_is_not(self) -> None:
        numbers = range(1_000_000, 1_000_100)
        text = ", ".join(map(str, numbers))

        assert len(text) > MAX_WORDS_TEXT
        assert parsing.parse_ticket_numbers(text) == ParsedTicketNumbers(
            tuple(numbers), is_certain=True
        )

    def test_a_list_is_never_cut_within_a_number(self) -> None:
        text = "100 " * (MAX_NUMBERS_TEXT // 4 - 1) + "1234567"

        assert parsing.parse_ticket_numbers(text) is None


SLACK: Final = 100
"""Lines for branches that a longer text reaches first; quadratic work would add hundreds."""


class TestWork:
    """The cost of parsing in executed lines; `test_patterns` counts the steps of the patterns."""

    @walk_cases("name", READINGS)
    def test_doubles_at_most_when_the_text_doubles(self, name: str) -> None:
        for piece in HOSTILE:
            texts = ["7" + piece * times + "x" for times in (40, 80, 160)]
            works = [count_lines(READINGS[name], text) for text in texts]

            assert works[1] <= 2 * works[0] + SLACK, piece
            assert works[2] <= 2 * works[1] + SLACK, piece

    @pytest.mark.parametrize("name", READINGS)
    @given(pieces=st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=8))
    @settings(deadline=None, max_examples=30)  # the test counts lines, not time
    def test_doubles_at_most_with_any_mixture(self, name: str, pieces: list[str]) -> None:
        once, twice = (count_lines(READINGS[name], "".join(pieces) * times) for times in (10, 20))

        assert twice <= 2 * once + SLACK

    @walk_cases("name", READINGS)
    def test_is_next_to_nothing_for_a_text_too_long(self, name: str) -> None:
        for piece in HOSTILE:
            assert count_lines(READINGS[name], "7" + piece * 65_536 + "x") < 200, piece
