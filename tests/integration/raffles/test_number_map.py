"""Tests of a raffle's number map: segments that add up and pages that name the buyers."""

import pytest
from pytest_django import DjangoAssertNumQueries

from shared.core.enums import TicketStatus
from shared.raffles.services import availability
from shared.raffles.services.availability import TicketCounts
from shared.raffles.services.ticket_numbers import number_generation, number_map
from shared.raffles.services.ticket_numbers.number_map import TICKETS_PER_PAGE, MapEntry
from tests import builders
from tests.integration.raffles import order_states

pytestmark = pytest.mark.django_db


class TestBlocks:
    @pytest.mark.parametrize(
        ("count", "size", "blocks"),
        [(1, 500, 1), (500, 500, 1), (501, 500, 2), (100_000, 500, 200), (1_000_000, 5000, 200)],
    )
    def test_are_whole_pages_and_never_more_than_two_hundred(
        self, count: int, size: int, blocks: int
    ) -> None:
        raffle = builders.create_raffle(numbers=count, with_numbers=False)

        found = number_map.load_map_blocks(raffle)

        assert (number_map.compute_block_size(raffle), len(found)) == (size, blocks)
        assert (found[0].first, found[-1].last) == (1, count)
        assert sum(block.counts.total for block in found) == count

    @pytest.mark.parametrize("first", [0, 1])
    def test_count_what_is_held_and_sold_in_each(
        self, first: int, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        raffle = builders.create_raffle(numbers=1200, first_number=first)
        order_states.create_paid_order(raffle, numbers=[first, first + 499, first + 500])
        order_states.create_held_order(raffle, numbers=[first + 501, raffle.last_number])

        with django_assert_num_queries(2):
            found = number_map.load_map_blocks(raffle)

        assert [block.counts for block in found] == [
            TicketCounts(available=498, reserved=0, sold=2),
            TicketCounts(available=498, reserved=1, sold=1),
            TicketCounts(available=199, reserved=1, sold=0),
        ]


class TestPage:
    def test_names_the_order_of_each_number_that_somebody_has_now(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        raffle = builders.create_raffle(numbers=TICKETS_PER_PAGE + 3)
        order_states.create_paid_order(builders.create_raffle(numbers=10), numbers=[1])
        order_states.create_expired_order(raffle, numbers=[1, 2])
        sold = order_states.create_paid_order(raffle, numbers=[2])
        order_states.create_held_order(raffle, numbers=[TICKETS_PER_PAGE + 1])

        with django_assert_num_queries(2):
            page = number_map.load_map_page(raffle, first=1)

        assert len(page) == TICKETS_PER_PAGE
        assert page[0] == MapEntry(1, TicketStatus.AVAILABLE, None, "")
        assert page[1] == MapEntry(2, TicketStatus.SOLD, sold.pk, sold.code or "")
        assert len(number_map.load_map_page(raffle, first=TICKETS_PER_PAGE + 1)) == 3

    def test_of_a_number_begins_at_a_multiple_of_the_page(self) -> None:
        raffle = builders.create_raffle(numbers=2000, first_number=0, with_numbers=False)

        starts = {
            number_map.find_page_start(raffle, number=n)
            for n in (TICKETS_PER_PAGE, TICKETS_PER_PAGE + 1, 2 * TICKETS_PER_PAGE - 1)
        }

        assert starts == {TICKETS_PER_PAGE}


class TestShares:
    def test_count_several_raffles_in_one_query(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        busy, quiet = builders.create_raffle(numbers=10), builders.create_raffle(numbers=5)
        order_states.create_paid_order(busy, numbers=[1, 2])
        order_states.create_held_order(busy, numbers=[3])

        with django_assert_num_queries(1):
            found = availability.count_tickets_by_raffle([busy, quiet])

        assert found == {busy.pk: TicketCounts(7, 1, 2), quiet.pk: TicketCounts(5, 0, 0)}


class TestGeneratingAStepAtATime:
    def test_comes_to_all_numbers_and_then_adds_none(self) -> None:
        raffle = builders.create_raffle(numbers=250, with_numbers=False, status="DRAFT")
        steps = [number_generation.generate_next_numbers(raffle.pk, count=100) for _ in range(4)]

        assert [(step.made, step.added, step.done) for step in steps] == [
            (100, 100, False),
            (200, 100, False),
            (250, 50, True),
            (250, 0, True),
        ]
        assert list(raffle.numbers.order_by("number").values_list("number", flat=True)) == list(
            range(1, 251)
        )
