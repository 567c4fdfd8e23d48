"""Tests of the 24-hour window for free messages to a buyer."""

from datetime import timedelta

import pytest

from shared.whatsapp import window
from tests.builders import MINUTE, NOON

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        (timedelta(0), True),
        (23 * HOUR, True),
        (24 * HOUR - 11 * MINUTE, True),
        (24 * HOUR - 10 * MINUTE, False),
        (24 * HOUR, False),
        (48 * HOUR, False),
        (-MINUTE, True),
    ],
)
def test_the_window_closes_a_little_before_24_hours(ago: timedelta, expected: bool) -> None:
    assert window.is_window_open(NOON - ago, now=NOON) is expected


def test_it_is_closed_for_somebody_who_never_wrote() -> None:
    assert window.is_window_open(None, now=NOON) is False
