"""Tests of the ticket numbers of an order: the current ones, or the last ones."""

from datetime import datetime

import pytest

from shared.raffles.order_tickets import choose_ticket_numbers
from tests.builders import MINUTE, NOON

LATER = NOON + MINUTE


@pytest.mark.parametrize(
    ("rows", "numbers"),
    [
        ([], []),
        ([(7, None), (3, None)], [3, 7]),
        ([(7, None), (3, NOON)], [7]),
        ([(7, NOON), (3, NOON)], [3, 7]),
        ([(7, LATER), (3, NOON)], [7]),
        ([(7, NOON), (7, NOON)], [7]),
    ],
)
def test_are_those_held_else_those_released_last(
    rows: list[tuple[int, datetime | None]], numbers: list[int]
) -> None:
    assert choose_ticket_numbers(rows) == numbers
