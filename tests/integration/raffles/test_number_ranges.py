"""Tests of a raffle's numbers as ranges: complete, without repeats and paginated."""

import pytest
from pytest_django import DjangoAssertNumQueries

from shared.core.enums import TicketStatus
from shared.raffles.models import Raffle, TicketNumber
from shared.raffles.services.ticket_numbers import number_ranges
from shared.raffles.services.ticket_numbers.number_ranges import NumberRange
from tests import builders
from tests.cases import walk_cases

pytestmark = pytest.mark.django_db

FREE, HELD, SOLD = TicketStatus.AVAILABLE, TicketStatus.RESERVED, TicketStatus.SOLD


@pytest.fixture
def raffle(db: None) -> Raffle:
    """Create a raffle whose numbers 0 to 11 read FFSSSHFHHSFF, next to a sold-out one."""
    TicketNumber.objects.filter(raffle=builders.create_raffle(numbers=12)).update(status=SOLD)
    created = builders.create_raffle(numbers=12, first_number=0)
    created.numbers.filter(number__in=[2, 3, 4, 9]).update(status=SOLD)
    created.numbers.filter(number__in=[5, 7, 8]).update(status=HELD)
    return created


ALL = [
    NumberRange(0, 1, FREE),
    NumberRange(2, 4, SOLD),
    NumberRange(5, 5, HELD),
    NumberRange(6, 6, FREE),
    NumberRange(7, 8, HELD),
    NumberRange(9, 9, SOLD),
    NumberRange(10, 11, FREE),
]


@walk_cases("status", [None, *TicketStatus])
@walk_cases("limit", [1, 2, 3, 7, 8])
def test_pages_follow_each_other_without_a_gap(
    raffle: Raffle, limit: int, status: TicketStatus | None
) -> None:
    found, after = [], None
    for _ in range(9):
        page = number_ranges.load_range_page(raffle, after=after, limit=limit, status=status)
        assert len(page.ranges) <= limit
        found += page.ranges
        after = page.after
        if after is None:
            break

    assert found == [each for each in ALL if status in (None, each.status)]


def test_a_page_is_read_in_two_queries_from_any_number_on(
    raffle: Raffle, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        page = number_ranges.load_range_page(raffle, after=7)

    assert page.ranges == [NumberRange(8, 8, HELD), *ALL[5:]]
    assert number_ranges.load_range_page(raffle, after=11).ranges == []


def test_numbers_that_are_not_made_yet_are_in_no_range() -> None:
    draft = builders.create_raffle(with_numbers=False)
    assert number_ranges.load_range_page(draft, after=None).ranges == []

    TicketNumber.objects.create(raffle=draft, number=1, shuffle_key=1)

    assert number_ranges.load_range_page(draft, after=None).ranges == [NumberRange(1, 1, FREE)]


def test_asked_by_name_neighbours_of_equal_status_are_joined(raffle: Raffle) -> None:
    found = number_ranges.load_ranges_of_numbers(raffle, numbers=[11, 0, 1, 3, 4, 5, 8])

    assert found == [
        NumberRange(0, 1, FREE),
        NumberRange(3, 4, SOLD),
        NumberRange(5, 5, HELD),
        NumberRange(8, 8, HELD),
        NumberRange(11, 11, FREE),
    ]
    assert number_ranges.load_ranges_of_numbers(raffle, numbers=[]) == []
