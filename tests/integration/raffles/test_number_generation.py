"""Tests of generating a raffle's numbers, and of the command that does it."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from shared.raffles.errors import NumbersMissing
from shared.raffles.models import Raffle, TicketNumber
from shared.raffles.services import lifecycle
from shared.raffles.services.ticket_numbers import inventory, number_generation
from tests import builders

pytestmark = pytest.mark.django_db


def create_raffle_without_numbers(**fields: int) -> Raffle:
    return builders.create_raffle(with_numbers=False, status="DRAFT", **fields)


def open_raffle(raffle: Raffle) -> Raffle:
    return lifecycle.open_raffle(raffle.pk, by=builders.build_staff_actor(), now=builders.NOON)


def list_numbers(raffle: Raffle) -> list[int]:
    found = TicketNumber.objects.filter(raffle=raffle).order_by("number")
    return list(found.values_list("number", flat=True))


class TestGenerate:
    @pytest.mark.parametrize("first_number", [0, 1])
    @pytest.mark.parametrize("count", [1, 100, 2501])
    def test_creates_every_number_once(self, first_number: int, count: int) -> None:
        raffle = create_raffle_without_numbers(numbers=count, first_number=first_number)

        created = number_generation.generate_numbers(raffle.pk, chunk=1000)

        assert created == count
        assert list_numbers(raffle) == list(range(first_number, first_number + count))
        assert inventory.find_inventory_problems() == []

    def test_goes_on_where_it_was_broken_off_and_opens_only_when_complete(self) -> None:
        raffle = create_raffle_without_numbers(numbers=250)

        def break_off_third(
            execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
        ) -> Any:
            answer = execute(sql, params, many, context)
            if "INSERT" in sql and 201 in params.values():
                raise KeyboardInterrupt  # before the commit
            return answer

        with connection.execute_wrapper(break_off_third), pytest.raises(KeyboardInterrupt):
            number_generation.generate_numbers(raffle.pk, chunk=100)
        assert list_numbers(raffle) == list(range(1, 201))
        TicketNumber.objects.filter(raffle=raffle, number=7).delete()
        with pytest.raises(NumbersMissing):
            open_raffle(raffle)

        assert number_generation.generate_numbers(raffle.pk, chunk=100) == 51
        assert list_numbers(raffle) == list(range(1, 251))
        assert open_raffle(raffle).status == "OPEN"

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize(
        ("size", "seconds", "following"),
        [
            (5_000, 0.001, 10_000),  # never more than double
            (10_000, 0.12, 12_500),
            (20_000, 0.3, 10_000),
            (10_000, 2.0, number_generation.MIN_CHUNK),
            (40_000, 0.01, number_generation.MAX_CHUNK),
        ],
    )
    def test_sizes_a_transaction_by_the_time_of_the_last_one(
        self, size: int, seconds: float, following: int
    ) -> None:
        assert following == number_generation.compute_next_chunk(
            size, seconds=seconds, largest=number_generation.MAX_CHUNK
        )

    def test_creates_nothing_twice(self) -> None:
        raffle = create_raffle_without_numbers(numbers=10)
        number_generation.generate_numbers(raffle.pk)

        assert number_generation.generate_numbers(raffle.pk) == 0

    def test_tells_how_many_exist_after_each_chunk(self) -> None:
        raffle = create_raffle_without_numbers(numbers=250, first_number=0)
        progress: list[int] = []

        number_generation.generate_numbers(raffle.pk, chunk=100, progress=progress.append)

        assert progress == [100, 200, 250]

    def test_shuffles(self) -> None:
        raffle = create_raffle_without_numbers(numbers=1000)
        number_generation.generate_numbers(raffle.pk)

        keys = list(raffle.numbers.order_by("number").values_list("shuffle_key", flat=True))

        assert keys != sorted(keys)
        assert len(set(keys)) > 990
        assert 0 <= min(keys) < 2**28
        assert 2**31 - 2**28 < max(keys) < 2**31

    def test_says_so_when_there_is_no_such_raffle(self) -> None:
        with pytest.raises(Raffle.DoesNotExist):
            number_generation.generate_numbers(0)


class TestCommand:
    def test_creates_the_numbers_and_says_so(self) -> None:
        raffle = create_raffle_without_numbers(numbers=100, first_number=0)
        output = StringIO()

        call_command("generate_numbers", str(raffle.pk), stdout=output)

        assert output.getvalue() == (
            "Summer Raffle: numbers 00 to 99 exist, 100 of them created now.\n"
        )
        assert len(list_numbers(raffle)) == 100

    def test_names_the_raffles_there_are_when_it_is_given_another(self) -> None:
        raffle = create_raffle_without_numbers()

        with pytest.raises(CommandError, match=rf"There are: {raffle.pk} \(Summer Raffle\)"):
            call_command("generate_numbers", str(raffle.pk + 1))

    def test_says_what_to_do_when_there_is_none(self) -> None:
        with pytest.raises(CommandError, match="Create one in the back office first"):
            call_command("generate_numbers", "1")
