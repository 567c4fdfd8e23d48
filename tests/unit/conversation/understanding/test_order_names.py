"""Words that name an order: codes, places, amounts, and the names of raffles."""

from decimal import Decimal

import pytest

from shared.conversation.understanding.order_names import (
    OrderChoice,
    find_certain_codes,
    find_meant_codes,
    find_order_codes,
    parse_order_choice,
    remove_order_codes,
)
from tests.cases import walk_cases

TOTALS = [Decimal("15.00"), Decimal("5.00"), Decimal("1234.50")]
TITLES = ["Summer Raffle", "Winter Raffle", "Rafflé of Spring"]


class TestCodes:
    @walk_cases(
        ("text", "codes"),
        [
            ("R-7K3F9", ("R-7K3F9",)),
            ("r 7k3f9", ("R-7K3F9",)),
            ("R7K3F9", ("R-7K3F9",)),
            ("my code is 7k3f9!", ("R-7K3F9",)),
            ("Ref: *R–7K3F9*, ok", ("R-7K3F9",)),
            ("_r-7k3f9_", ("R-7K3F9",)),
            ("(R-7K3F9)", ("R-7K3F9",)),
            ("Ｒ－７Ｋ３Ｆ９", ("R-7K3F9",)),
            ("R-7K3F9 and R-8K3F9, R-7K3F9", ("R-7K3F9", "R-8K3F9")),
            ("R-7K3F9/R-8K3F9", ("R-7K3F9", "R-8K3F9")),
            ("R-R7K3F9", ("R-R7K3F9",)),
            ("payed", ("R-PAYED",)),
            ("R-12345", ()),
            ("12345", ()),
            ("XR-7K3F9", ("R-7K3F9",)),
            ("7K3F9X2", ()),
            ("hello there", ("R-THERE",)),
            ("", ()),
            ("R-7K3F9" + " " * 3_000, ()),
            ("ﷺ" * 300, ()),
        ],
    )
    def test_are_found_however_they_are_written(self, text: str, codes: tuple[str, ...]) -> None:
        assert find_order_codes(text) == codes

    @pytest.mark.parametrize(
        ("text", "codes"),
        [("R-7K3F9", ("R-7K3F9",)), ("r – 7k3f9", ("R-7K3F9",)), ("payed", ()), ("R7K3F9", ())],
    )
    def test_are_certain_with_the_r_and_a_dash(self, text: str, codes: tuple[str, ...]) -> None:
        assert find_certain_codes(text) == codes

    def test_can_be_taken_out_of_a_sentence(self) -> None:
        written = remove_order_codes("how to pay R-7K3F9?", {"R-7K3F9"})

        assert written.split() == ["HOW", "TO", "PAY", "?"]

    def test_of_nobody_stay_in_the_sentence(self) -> None:
        assert remove_order_codes("i have payed", {"R-7K3F9"}).split()[-1] == "PAYED"
        assert remove_order_codes("i have payed", set()) == "i have payed"


class TestChoice:
    @walk_cases(
        ("text", "index"),
        [
            ("the first one", 0),
            ("First", 0),
            ("the 2nd", 1),
            ("second please", 1),
            ("the last one", 2),
            ("one", 0),
            ("number two", 1),
            ("1", 0),
            ("3", 2),
            ("the 15 one", 0),
            ("$15", 0),
            ("it's for the $5.00", 1),
            ("5", 1),
            ("R$ 15,00", 0),
            ("15 dollars", 0),
            ("1,234.50", 2),
            ("1.234,50 euros", 2),
            ("1234.5", 2),
            ("summer", 0),
            ("the winter one", 1),
            ("it is for the Winter Raffle", 1),
            ("١٥", 0),
        ],
    )
    def test_is_understood(self, text: str, index: int) -> None:
        assert parse_order_choice(text, totals=TOTALS, titles=TITLES).index == index

    @pytest.mark.parametrize("text", ["7", "the 99 one", "$7", "fifth", "16", "0"])
    def test_of_what_there_is_not_is_an_answer_all_the_same(self, text: str) -> None:
        assert parse_order_choice(text, totals=TOTALS, titles=TITLES) == OrderChoice(None, True)

    @pytest.mark.parametrize(
        "text",
        ["hello", "5 random", "07, 13", "-15", "15%", "raffle", "", "1 2 3", "no", "x" * 5_000],
    )
    def test_is_no_answer_if_it_says_something_else(self, text: str) -> None:
        assert parse_order_choice(text, totals=TOTALS, titles=TITLES) == OrderChoice(None, False)

    def test_between_equal_amounts_is_none(self) -> None:
        equal = [Decimal("15.00"), Decimal("15.00")]

        assert parse_order_choice("$15", totals=equal, titles=TITLES[:2]).index is None

    def test_between_a_place_and_another_amount_is_none(self) -> None:
        totals = [Decimal("2.00"), Decimal("15.00")]

        assert parse_order_choice("2", totals=totals, titles=TITLES[:2]).index is None
        assert parse_order_choice("$2", totals=totals, titles=TITLES[:2]).index == 0
        assert parse_order_choice("second", totals=totals, titles=TITLES[:2]).index == 1

    def test_between_orders_of_one_raffle_needs_more_than_its_name(self) -> None:
        assert parse_order_choice("summer", totals=TOTALS[:2], titles=["Summer"] * 2).index is None


@walk_cases(
    ("text", "codes"),
    [
        ("for R-7K3F9", ("R-7K3F9",)),
        ("not for R-7K3F9", ()),
        ("R-9QWXZ, not R-7K3F9", ("R-9QWXZ",)),
        ("cancel R-7K3F9", ()),
        ("this isn't for r 7k3f9", ()),
        ("not sure, R-7K3F9 I think", ("R-7K3F9",)),
    ],
)
def test_codes_that_are_refused_are_not_meant(text: str, codes: tuple[str, ...]) -> None:
    assert find_meant_codes(text) == codes
