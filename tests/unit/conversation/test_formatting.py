"""Tests of times and ticket numbers as text for people."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.conversation import formatting
from tests.unit.conversation import ticket_lists

NEW_YEARS_EVE = datetime(2026, 12, 31, 22, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "zone", "written"),
    [
        (datetime(2026, 12, 31, 22, 30, tzinfo=UTC), "UTC", "22:30"),
        (datetime(2026, 12, 30, 22, 30, tzinfo=UTC), "UTC", "Wed 30 Dec, 22:30"),
        (datetime(2027, 1, 1, 8, 0, tzinfo=UTC), "UTC", "Fri 1 Jan 2027, 08:00"),
        (datetime(2027, 1, 1, 3, 0, tzinfo=UTC), "America/Bogota", "22:00"),
        (datetime(2026, 12, 31, 8, 0, tzinfo=UTC), "Asia/Tokyo", "Thu 31 Dec 2026, 17:00"),
    ],
)
def test_a_time_names_the_year_if_it_is_not_the_one_in_its_time_zone(
    at: datetime, zone: str, written: str
) -> None:
    assert formatting.format_near_time(at, now=NEW_YEARS_EVE, time_zone=zone) == written


@pytest.mark.parametrize(
    ("left", "written"),
    [
        ({"seconds": -1}, ""),
        ({"seconds": 0}, ""),
        ({"seconds": 59}, "less than a minute"),
        ({"seconds": 60}, "1 minute"),
        ({"minutes": 28, "seconds": 59}, "28 minutes"),
        ({"minutes": 119, "seconds": 59}, "119 minutes"),
        ({"hours": 2}, "2 hours"),
        ({"hours": 47, "minutes": 59}, "47 hours"),
        ({"days": 2}, "2 days"),
        ({"days": 400}, "400 days"),
    ],
)
def test_the_time_left_is_in_the_unit_that_people_use(left: dict[str, int], written: str) -> None:
    at = NEW_YEARS_EVE + timedelta(**left)

    assert formatting.format_time_left(at, now=NEW_YEARS_EVE) == written


def test_a_deadline_names_the_time_left_until_it_is_over() -> None:
    at = NEW_YEARS_EVE + timedelta(minutes=28)

    ahead = formatting.format_deadline(at, now=NEW_YEARS_EVE, time_zone="UTC")
    over = formatting.format_deadline(at, now=at, time_zone="UTC")

    assert (ahead, over) == ("22:28 (28 minutes left)", "22:28")


@pytest.mark.parametrize(
    ("numbers", "written"),
    [
        ([7, 8, 9], "07 · 08 · 09"),
        (range(10, 31), "10–30"),
        ([1, 2, *range(10, 30)], "01 · 02 · 10–29"),
    ],
)
def test_many_numbers_in_a_row_are_written_as_a_range(
    numbers: Collection[int], written: str
) -> None:
    assert formatting.format_ticket_numbers(numbers, width=2) == written


@given(
    numbers=st.sets(st.integers(0, 9_999_999), min_size=1, max_size=200),
    limit=st.integers(60, 500),
)
def test_a_list_that_is_cut_says_how_many_are_left_out(numbers: set[int], limit: int) -> None:
    listed = formatting.format_ticket_numbers(numbers, width=7, limit=limit, hint=" (see all)")

    shown, _, rest = listed.partition(" and ")
    left_out = int(rest.split()[0]) if rest else 0
    assert len(listed) <= limit
    assert len(ticket_lists.parse_listed_numbers(shown)) + left_out == len(numbers)
    assert ticket_lists.parse_listed_numbers(shown) <= numbers
    assert listed.endswith(" (see all)") == bool(left_out)
