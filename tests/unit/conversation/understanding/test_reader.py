"""The reader of sentences: commands, quantities, ticket numbers and names of raffles."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.raffle_names import Surroundings
from shared.conversation.understanding.reader import read_text
from shared.conversation.understanding.text_readings import NumberGroup, TextReading
from shared.conversation.understanding.vocabulary import Doubt
from tests.cases import walk_cases

SUMMER_AND_WINTER: Final = Surroundings(("Summer Raffle", "Winter Raffle"))


def is_clear(reading: TextReading) -> bool:
    """Return whether a text takes numbers, and nothing about it is in doubt."""
    group = reading.wish.take if reading.wish is not None else None
    if reading.intent is not Intent.TAKE or reading.doubts or group is None:
        return False
    return not (group.is_doubtful or group.is_unclear)


def read_group(text: str) -> NumberGroup:
    """Return the numbers of a text that takes them and is clear."""
    reading = read_text(text)
    assert is_clear(reading)
    assert reading.wish is not None
    assert reading.wish.take is not None
    return reading.wish.take


class TestCommands:
    @walk_cases(
        "text",
        ["MENU", "menu", "  Menu!! ", "m e n u", "Menu please", "*MENU*", "ｍｅｎｕ", "mneu"],
    )
    def test_menu_is_read_in_any_spelling(self, text: str) -> None:
        assert read_text(text).intent is Intent.MENU

    @walk_cases("text", ["CANCEL", "cancel.", "Cancel my order", "please cancel", "CANCEL‼️"])
    def test_cancel_is_read_in_any_spelling(self, text: str) -> None:
        reading = read_text(text)

        assert (reading.intent, reading.doubts) == (Intent.CANCEL, frozenset())

    @walk_cases("text", ["cancle", "canel", "cancell", "cacnel my order"])
    def test_a_misspelt_cancel_is_in_doubt(self, text: str) -> None:
        reading = read_text(text)

        assert (reading.intent, set(reading.doubts)) == (Intent.CANCEL, {Doubt.MISSPELT})

    @walk_cases("text", ["help", "HELP!!", "hlep", "help please"])
    def test_help_is_read_in_any_spelling(self, text: str) -> None:
        assert read_text(text).intent is Intent.HELP

    @walk_cases("text", ["hello", "candle", "me", "5", "men", "cancel culture is bad", ""])
    def test_other_words_are_no_command(self, text: str) -> None:
        reading = read_text(text)

        commands = {Intent.MENU, Intent.HELP, Intent.CANCEL}
        assert reading.intent not in commands or reading.doubts


class TestQuantities:
    @walk_cases(
        ("text", "expected"),
        [
            ("5", 5), ("five", 5), ("5 tickets please", 5), ("５", 5), ("٥", 5), ("5️⃣", 5),
            ("I'd like 3", 3), ("twenty one", 21), ("two hundred", 200), ("a dozen", 12),
            ("One", 1), ("5.", 5), ("give me 4 numbers", 4), ("fifteen!", 15), ("a couple", 2),
            ("half a dozen pls", 6), ("fourty two", 42), ("fiveee", 5),
            ("a hundred and three", 103),
        ],
    )  # fmt: skip
    def test_one_amount_is_read(self, text: str, expected: int) -> None:
        group = read_group(text)

        assert (group.values, group.is_single, group.is_certain) == ((expected,), True, False)

    @walk_cases("text", ["5 tickets", "five numbers", "four chances please", "5 pieces"])
    def test_a_noun_makes_a_number_a_quantity(self, text: str) -> None:
        assert read_group(text).is_counted

    @walk_cases(
        "text",
        ["", "5 or 6", "12345678901234", "my account is 55", "5 friends bought some"],
    )
    def test_an_amount_that_is_not_clear_is_not_taken(self, text: str) -> None:
        assert not is_clear(read_text(text))

    @walk_cases("text", ["twenty and five", "twenty, five", "five, twenty"])
    def test_amounts_that_stand_apart_are_two(self, text: str) -> None:
        assert read_group(text).values == (5, 20)

    @walk_cases("text", ["5 random", "random 5", "5 at random please", "any five", "5 rndm"])
    def test_random_numbers_are_asked_for(self, text: str) -> None:
        wish = read_text(text).wish

        assert read_group(text).values == (5,)
        assert wish is not None
        assert wish.is_random


class TestTicketNumbers:
    @walk_cases(
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
            ("٧ ١٣", (7, 13)),
            ("number 5", (5,)),
            ("nmber 5", (5,)),
            ("10..12", (10, 11, 12)),
            ("7\n13", (7, 13)),
            ("No. 7", (7,)),
            ("07-13-45", (7, 13, 45)),
            ("seven and thirteen", (7, 13)),
        ],
    )
    def test_are_read_however_they_are_written(self, text: str, expected: tuple[int, ...]) -> None:
        group = read_group(text)

        assert (group.values, group.is_certain) == (expected, True)

    @walk_cases(
        "text",
        [
            "", "hello", "call me at 5", "1-100000", "15550100123 is my phone", "-5", "7.5", "100%",
            "$100", "3 for 2", "10-20 tickets", "15:30", "5a", "5²", "½", "not 7", "7 if free or",
        ],
    )  # fmt: skip
    def test_are_not_taken_if_something_else_may_be_meant(self, text: str) -> None:
        assert not is_clear(read_text(text))

    @given(
        st.sets(st.integers(0, 999_999), min_size=2, max_size=30),
        st.sampled_from([", ", " ", ";", "/", " and ", "\n", " & ", "+"]),
    )
    def test_are_read_back_from_every_list(self, numbers: set[int], separator: str) -> None:
        text = separator.join(f"{number:06d}" for number in sorted(numbers))

        group = read_group(text)

        assert (group.values, group.is_certain) == (tuple(sorted(numbers)), True)

    def test_of_one_order_may_be_a_long_list(self) -> None:
        numbers = tuple(range(1_000_000, 1_000_100))

        assert read_group(", ".join(map(str, numbers))).values == numbers


class TestRaffles:
    @walk_cases(
        ("text", "expected"),
        [
            ("summer", 0), ("SUMMER!", 0), ("the winter raffle", 1), ("sumer", 0), ("wintr", 1),
            ("Winter Raffle", 1), ("5 of the winter one please", 1), ("how much is summer", 0),
        ],
    )  # fmt: skip
    def test_are_found_by_name(self, text: str, expected: int) -> None:
        assert read_text(text, SUMMER_AND_WINTER).raffle == expected

    @pytest.mark.parametrize(
        "text", ["raffle", "3", "0", "hi", "what is this", "", "summer or winter"]
    )
    def test_are_not_guessed(self, text: str) -> None:
        assert read_text(text, SUMMER_AND_WINTER).raffle is None

    def test_are_found_by_a_title_that_is_a_word_of_the_vocabulary(self) -> None:
        surroundings = Surroundings(("Rulez", "Results", "Cancel"))

        assert read_text("rulez", surroundings).raffle == 0
        assert read_text("results", surroundings).raffle == 1
