"""Ticket numbers and quantities that staff type."""

from shared.conversation.understanding.typed_numbers import (
    read_quantity,
    read_ticket_numbers,
)
from tests.cases import walk_cases


@walk_cases(
    ("text", "numbers"),
    [
        ("7", (7,)),
        ("007", (7,)),
        ("#7?", (7,)),
        ("No. 7", (7,)),
        ("07, 13 and 45", (7, 13, 45)),
        ("13 7 7", (7, 13)),
        ("from 10 to 13", (10, 11, 12, 13)),
        ("007–010, 45", (7, 8, 9, 10, 45)),
        ("07-13-45", (7, 13, 45)),
        ("numbers 7 and 13, please", (7, 13)),
        ("١٣", (13,)),
        (", ".join(map(str, range(1_000_000, 1_000_100))), tuple(range(1_000_000, 1_000_100))),
    ],
)
def test_ticket_numbers_are_read_as_in_the_chat(text: str, numbers: tuple[int, ...]) -> None:
    assert read_ticket_numbers(text) == numbers


@walk_cases(
    "text",
    [
        *("", "hello", "five", "a dozen", "5 tickets", "5 random", "10-20 tickets", "7.5", "-5"),
        *("$5", "100%", "not 7", "7 but not 13", "7 or 8", "7, otherwise 8", "if 7", "and 7"),
        *("7 and 13 for Ana", "7 instead", "is 7 free", "1-100000", "9" * 15, "7 " * 2_000),
    ],
)
def test_what_may_mean_something_else_is_not_read(text: str) -> None:
    assert read_ticket_numbers(text) is None


def test_a_comma_parts_thousands_only_up_to_the_last_number() -> None:
    assert read_ticket_numbers("123,456", last_number=999_999) == (123_456,)
    assert read_ticket_numbers("123,456", last_number=999) == (123, 456)
    assert read_ticket_numbers("123,456") == (123, 456)
    assert read_ticket_numbers("123 456", last_number=999_999) is None


@walk_cases(
    ("text", "quantity"),
    [
        ("5", 5),
        ("05", 5),
        ("٥", 5),
        ("five", 5),
        ("a dozen", 12),
        ("5 tickets please", 5),
        *[
            (text, None)
            for text in ("", "#5", "number 5", "5 7", "5-7", "-5", "5.5", "$5", "5 or 6")
        ],
        *[(text, None) for text in ("many", "not 5", "5 more", "5" * 15)],
    ],
)
def test_a_quantity_is_one_number_alone(text: str, quantity: int | None) -> None:
    assert read_quantity(text) == quantity
