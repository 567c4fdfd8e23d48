"""Tests of times as text for people."""

from datetime import UTC, datetime

import pytest

from shared.conversation import formatting

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
def test_a_deadline_names_the_year_if_it_is_not_the_one_in_its_time_zone(
    at: datetime, zone: str, written: str
) -> None:
    assert formatting.format_deadline(at, now=NEW_YEARS_EVE, time_zone=zone) == written
