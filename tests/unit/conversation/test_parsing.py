"""What buyers' words are taken for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.conversation import parsing
from shared.conversation.parsing import Command, Heard, TicketNumbers


class TestCommand:
    @pytest.mark.parametrize(
        "text",
        ["MENU", "menu", "  Menu!! ", "m e n u", "Menu please", "*MENU*", "ｍｅｎｕ", "start"],
    )
    def test_hears_menu_in_whatever_spelling(self, text: str) -> None:
        assert parsing.command(text) == Heard(Command.MENU, surely=True)

    @pytest.mark.parametrize(
        "text", ["CANCEL", "cancel.", "Cancel my order", "please cancel", "CANCEL‼️"]
    )
    def test_hears_cancel_in_whatever_spelling(self, text: str) -> None:
        assert parsing.command(text) == Heard(Command.CANCEL, surely=True)

    @pytest.mark.parametrize("text", ["cancle", "canel", "cancell", "cancelar"])
    def test_is_not_sure_of_a_misspelt_cancel(self, text: str) -> None:
        assert parsing.command(text) == Heard(Command.CANCEL, surely=False)

    @pytest.mark.parametrize(("text", "meant"), [("mneu", Command.MENU), ("hlep", Command.HELP)])
    def test_knows_what_a_slip_was_meant_to_be(self, text: str, meant: Command) -> None:
        heard = parsing.command(text)

        assert heard is not None
        assert heard.command is meant

    @pytest.mark.parametrize(
        "text", ["hello", "candle", "me", "5", "men", "cancel culture is bad", ""]
    )
    def test_leaves_other_words_alone(self, text: str) -> None:
        assert parsing.command(text) is None


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
        assert parsing.quantity(text) == expected

    @pytest.mark.parametrize(
        "text", ["", "many", "5 7", "5 or 6", "12345678901234", "my account is 55", "five random"]
    )
    def test_gives_nothing_where_it_is_not_clear(self, text: str) -> None:
        assert parsing.quantity(text) is None

    @pytest.mark.parametrize("text", ["5 random", "random 5", "5 at random please", "any five"])
    def test_reads_a_random_quantity(self, text: str) -> None:
        assert parsing.random_quantity(text) == 5


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
        ],
    )
    def test_reads_numbers_however_they_are_written(
        self, text: str, expected: tuple[int, ...]
    ) -> None:
        assert parsing.ticket_numbers(text) == TicketNumbers(expected, surely=True)

    def test_is_not_sure_whether_a_bare_number_is_one(self) -> None:
        assert parsing.ticket_numbers("5") == TicketNumbers((5,), surely=False)

    @pytest.mark.parametrize(
        "text", ["", "hello", "call me at 5", "5 random", "1-100000", "15550100123 is my phone"]
    )
    def test_gives_nothing_where_something_else_is_said(self, text: str) -> None:
        assert parsing.ticket_numbers(text) is None

    @given(
        st.sets(st.integers(0, 999_999), min_size=2, max_size=30),
        st.sampled_from([", ", " ", ";", "/", " and ", "\n", " & ", "+"]),
    )
    def test_reads_back_every_list_it_could_be_given(
        self, numbers: set[int], separator: str
    ) -> None:
        text = separator.join(f"{number:06d}" for number in sorted(numbers))

        assert parsing.ticket_numbers(text) == TicketNumbers(tuple(sorted(numbers)), surely=True)


class TestEverything:
    @given(st.text(max_size=200))
    def test_never_raises_on_any_text(self, text: str) -> None:
        parsing.command(text)
        parsing.quantity(text)
        parsing.random_quantity(text)
        parsing.counted_tickets(text)
        parsing.ticket_numbers(text)
        parsing.choice(text, ["Summer Raffle", "Winter Raffle"])
        parsing.is_yes(text)
        parsing.is_no(text)


class TestChoice:
    @pytest.mark.parametrize(
        ("text", "expected"), [("2", 1), ("summer", 0), ("the winter raffle", 1)]
    )
    def test_finds_a_title_by_place_or_name(self, text: str, expected: int) -> None:
        assert parsing.choice(text, ["Summer Raffle", "Winter Raffle"]) == expected

    @pytest.mark.parametrize("text", ["raffle", "3", "0", "hi", "what is this", ""])
    def test_does_not_guess(self, text: str) -> None:
        assert parsing.choice(text, ["Summer Raffle", "Winter Raffle"]) is None
