"""Tests of the raffles on sale and their free numbers."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.core.enums import RaffleStatus
from shared.raffles import sale_rules
from shared.raffles.models import Raffle, TicketNumber
from shared.raffles.services import availability, tickets
from shared.raffles.services.availability import TicketCounts
from tests import builders
from tests.builders import MINUTE, NOON, PHONE_NUMBER_ID
from tests.cases import walk_cases
from tests.integration.raffles import order_states

pytestmark = pytest.mark.django_db


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle(numbers=100)


class TestCounts:
    def test_count_free_held_and_sold_numbers(self, raffle: Raffle) -> None:
        order_states.create_paid_order(raffle, numbers=[1, 2, 3])
        order_states.create_order_under_review(raffle, numbers=[4, 5])
        order_states.create_expired_order(raffle, numbers=[6])

        counts = availability.count_tickets(raffle.pk)

        assert counts == TicketCounts(available=95, reserved=2, sold=3)
        assert counts.total == 100

    def test_are_of_one_raffle_only(self, raffle: Raffle) -> None:
        other = builders.create_raffle(numbers=10, first_number=0)
        order_states.create_paid_order(raffle, numbers=[1])

        assert availability.count_tickets(other.pk) == TicketCounts(
            available=10, reserved=0, sold=0
        )

    def test_are_nil_before_the_numbers_exist(self) -> None:
        raffle = builders.create_raffle(with_numbers=False)

        assert availability.count_tickets(raffle.pk) == TicketCounts(
            available=0, reserved=0, sold=0
        )


def test_free_numbers_are_those_of_the_orm(raffle: Raffle) -> None:
    other = builders.create_raffle(numbers=20)
    order_states.create_held_order(raffle, numbers=[3, 50, 100])
    keys = list(TicketNumber.objects.order_by("shuffle_key").values_list("shuffle_key", flat=True))

    for pivot in (0, keys[40], keys[40] + 1, keys[-1], keys[-1] + 1):
        for wanted, quantity in ((raffle, 1), (raffle, 5), (raffle, 200), (other, 7)):
            free = tickets.query_free_tickets(wanted.pk).order_by("shuffle_key")
            expected = [*free.filter(shuffle_key__gte=pivot), *free.filter(shuffle_key__lt=pivot)]
            found = tickets.find_free_tickets(wanted.pk, quantity=quantity, pivot=pivot)
            assert [read_ticket(each) for each in found] == [
                read_ticket(each) for each in expected[:quantity]
            ]


def read_ticket(ticket: TicketNumber) -> tuple[Any, ...]:
    return (ticket.pk, ticket.raffle_id, ticket.number, ticket.status, ticket.shuffle_key)


class TestRecentCounts:
    def test_of_a_small_raffle_are_exact(self, raffle: Raffle) -> None:
        assert availability.load_recent_counts(raffle.pk, now=NOON).available == 100
        order_states.create_held_order(raffle, numbers=[1])

        assert availability.load_recent_counts(raffle.pk, now=NOON).available == 99

    def test_of_a_large_raffle_are_at_most_two_seconds_old(self) -> None:
        availability.clear_counts_cache()
        raffle = builders.create_raffle(numbers=availability.MIN_TICKETS_TO_CACHE)
        first = availability.load_recent_counts(raffle.pk, now=NOON)
        order_states.create_held_order(raffle, numbers=[1])

        seen = [
            availability.load_recent_counts(
                raffle.pk, now=NOON + timedelta(seconds=seconds)
            ).available
            for seconds in (0, 1.9, 2)
        ]

        availability.clear_counts_cache()
        assert seen == [first.available, first.available, first.available - 1]


class TestWhyNotSelling:
    @walk_cases(
        ("fields", "now", "reason"),
        [
            ({}, NOON, None),
            ({"status": RaffleStatus.DRAFT}, NOON, "draft"),
            ({"status": RaffleStatus.PAUSED}, NOON, "paused"),
            ({"status": RaffleStatus.CLOSED}, NOON, "closed"),
            ({"status": RaffleStatus.DRAWN}, NOON, "drawn"),
            ({"sales_open_at": NOON}, NOON - MINUTE, "not_yet"),
            ({"sales_open_at": NOON}, NOON, None),
            ({"sales_close_at": NOON}, NOON - MINUTE, None),
            ({"sales_close_at": NOON}, NOON, "over"),
        ],
    )
    def test_names_the_reason_or_none(
        self, fields: dict[str, Any], now: datetime, reason: str | None
    ) -> None:
        raffle = builders.create_raffle(with_numbers=False, **fields)

        assert sale_rules.get_not_selling_reason(raffle, now=now) == reason
        assert (raffle in availability.list_raffles_on_sale(PHONE_NUMBER_ID, now=now)) is (
            reason is None
        )


class TestOnSale:
    def test_lists_the_raffles_of_this_number_and_of_every_number_oldest_first(self) -> None:
        everywhere = builders.create_raffle(with_numbers=False)
        builders.create_raffle(with_numbers=False, phone_number_id="999")
        here = builders.create_raffle(with_numbers=False, phone_number_id=PHONE_NUMBER_ID)

        assert availability.list_raffles_on_sale(PHONE_NUMBER_ID, now=NOON) == [everywhere, here]


class TestFreeNeighbours:
    def test_are_the_closest_free_numbers_ascending(self, raffle: Raffle) -> None:
        order_states.create_held_order(raffle, numbers=[49, 50, 51])

        assert availability.find_free_neighbours(raffle, numbers=[50], limit=4) == [47, 48, 52, 53]

    def test_never_offer_what_was_asked_for(self, raffle: Raffle) -> None:
        offered = availability.find_free_neighbours(raffle, numbers=[1, 2, 100], limit=5)

        assert offered == [3, 4, 5, 98, 99]

    @pytest.mark.parametrize("numbers", [[], [5000]])
    def test_are_none_far_from_any_number(self, raffle: Raffle, numbers: list[int]) -> None:
        assert availability.find_free_neighbours(raffle, numbers=numbers, limit=3) == []


class TestFreeExamples:
    @pytest.mark.parametrize("pivot", [0, 2**31 - 1, 12345])
    def test_are_free_and_ascending(self, raffle: Raffle, pivot: int) -> None:
        order_states.create_held_order(raffle, numbers=range(1, 11))

        examples = availability.pick_free_examples(raffle, pivot=pivot, limit=5)

        assert len(set(examples)) == 5
        assert examples == sorted(examples)
        assert min(examples) > 10

    def test_are_as_many_as_there_are(self) -> None:
        raffle = builders.create_raffle(numbers=3)

        assert availability.pick_free_examples(raffle, pivot=99, limit=5) == [1, 2, 3]
