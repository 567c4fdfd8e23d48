"""Tests of lookups of free numbers on real databases."""

import pytest

from shared.conversation import lookups
from shared.conversation.conversation_events import FreeNumbersFound, LookupOutcome, NumbersChecked
from shared.conversation.understanding.numbers.number_patterns import NumberPattern, Parity, Part
from shared.conversation.values import CheckNumbers, Lookup, LookUpFreeNumbers
from shared.raffles.models import Raffle
from tests import builders
from tests.builders import NOON
from tests.cases import walk_cases
from tests.integration.raffles import order_states

pytestmark = pytest.mark.django_db


@pytest.fixture
def raffle() -> Raffle:
    """A raffle of 000 to 119 in which 7, 17 and 100 to 119 are taken."""
    raffle = builders.create_raffle(numbers=120, first_number=0)
    order_states.create_held_order(raffle, numbers=[7, 17])
    order_states.create_held_order(raffle, numbers=list(range(100, 120)))
    return raffle


def look_up(lookup: Lookup, *, pivot: int = 0) -> LookupOutcome:
    contact = builders.create_contact()
    (outcome,) = lookups.look_up_all([(lookup, contact, pivot)], now=NOON)
    return outcome


def find(raffle: Raffle, pattern: NumberPattern, **lookup: int) -> FreeNumbersFound:
    outcome = look_up(LookUpFreeNumbers(raffle.pk, pattern, **lookup))
    assert isinstance(outcome, FreeNumbersFound)
    assert outcome.raffle is not None
    assert outcome.pattern == pattern
    return outcome


@walk_cases(
    ("pattern", "numbers"),
    [
        (NumberPattern(ending="7"), (27, 37, 47, 57, 67, 77, 87, 97)),
        (NumberPattern(starting="09"), tuple(range(90, 100))),
        (NumberPattern(containing="99"), (99,)),
        (NumberPattern(part=Part.LOW), (*range(7), *range(8, 14))),
        (NumberPattern(part=Part.HIGH), tuple(range(87, 100))),
        (NumberPattern(part=Part.HIGH, parity=Parity.EVEN), tuple(range(74, 99, 2))),
        (NumberPattern(low=15, high=20, parity=Parity.ODD), (15, 19)),
    ],
)
def test_finds_numbers_like_the_buyer_wants_them(
    raffle: Raffle, pattern: NumberPattern, numbers: tuple[int, ...]
) -> None:
    found = find(raffle, pattern)

    assert (found.numbers, found.near_pattern, found.near) == (numbers, None, ())


def test_finds_as_many_as_are_wanted(raffle: Raffle) -> None:
    odd = NumberPattern(parity=Parity.ODD)

    assert len(find(raffle, odd).numbers) == 13
    assert len(find(raffle, odd, quantity=20).numbers) == 20
    assert len(find(raffle, NumberPattern(), quantity=10**9).numbers) == 98
    assert all(number % 2 for number in find(raffle, odd, quantity=20).numbers)


def test_offers_similar_numbers_if_none_is_free(raffle: Raffle) -> None:
    seventeen = find(raffle, NumberPattern(ending="17"))
    high = find(raffle, NumberPattern(low=100))

    assert (seventeen.numbers, seventeen.near_pattern) == ((), NumberPattern(ending="7"))
    assert seventeen.near == (27, 37, 47, 57, 67, 77, 87, 97)
    assert (high.numbers, high.near_pattern, len(high.near)) == ((), NumberPattern(), 13)


def test_offers_nothing_if_all_is_sold() -> None:
    raffle = builders.create_raffle(numbers=2)
    order_states.create_held_order(raffle, numbers=[1, 2])

    found = find(raffle, NumberPattern(ending="11"))

    assert (found.numbers, found.near_pattern, found.near) == ((), None, ())


def test_checks_the_numbers_that_a_buyer_names(raffle: Raffle) -> None:
    outcome = look_up(CheckNumbers(raffle.pk, (7, 8, 17, 120, 10**20)))

    assert isinstance(outcome, NumbersChecked)
    assert (outcome.free, outcome.taken, outcome.unknown) == ((8,), (7, 17), (120, 10**20))
    assert outcome.neighbours == (5, 6, 9, 16, 18)


@pytest.mark.parametrize("status", ["DRAFT", "MISSING"])
def test_knows_nothing_of_a_raffle_that_is_not_public(status: str) -> None:
    raffle_id = builders.create_raffle(status="DRAFT").pk if status == "DRAFT" else 999_999

    assert look_up(LookUpFreeNumbers(raffle_id, NumberPattern())) == FreeNumbersFound(
        None, NumberPattern()
    )
    assert look_up(CheckNumbers(raffle_id, (7,))) == NumbersChecked(None)
