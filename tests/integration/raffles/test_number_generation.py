"""Tests of generating a raffle's numbers, and of the command that does it."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from shared.raffles.models import Raffle, TicketNumber
from shared.raffles.services.ticket_numbers import inventory, number_generation
from tests import builders

pytestmark = pytest.mark.django_db


def create_raffle_without_numbers(**fields: int) -> Raffle:
    return builders.create_raffle(with_numbers=False, status="DRAFT", **fields)


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

    def test_goes_on_where_it_was_broken_off(self) -> None:
        raffle = create_raffle_without_numbers(numbers=250)

        def break_off(done: int) -> None:
            if done == 200:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            number_generation.generate_numbers(raffle.pk, chunk=100, progress=break_off)
        TicketNumber.objects.filter(raffle=raffle, number=7).delete()

        assert number_generation.generate_numbers(raffle.pk, chunk=100) == 51
        assert list_numbers(raffle) == list(range(1, 251))

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
