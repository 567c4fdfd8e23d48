"""Tests of the search for free numbers whose digits are as a buyer wants them."""

from collections.abc import Callable, Collection
from typing import Any, Final

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shared.core.enums import TicketStatus
from shared.raffles.models import Raffle, TicketNumber
from shared.raffles.services import matching_numbers
from shared.raffles.services.matching_numbers import MAX_EXAMINED, NumberOrder
from tests import builders
from tests.cases import walk_cases
from tests.integration.raffles import order_states

pytestmark = pytest.mark.django_db

type Rule = Callable[[str], bool]

PATTERNS: Final[list[tuple[dict[str, Any], Rule]]] = [
    ({}, lambda _: True),
    ({"ending": "7"}, lambda written: written.endswith("7")),
    ({"ending": "07"}, lambda written: written.endswith("07")),
    ({"ending": "107"}, lambda written: written == "107"),
    ({"ending": "0107"}, lambda _: False),
    ({"starting": "0"}, lambda written: written.startswith("0")),
    ({"starting": "11"}, lambda written: written.startswith("11")),
    ({"containing": "1"}, lambda written: "1" in written),
    ({"containing": "00"}, lambda written: "00" in written),
    ({"containing": "11"}, lambda written: "11" in written),
    ({"is_odd": True}, lambda written: int(written) % 2 == 1),
    ({"is_odd": False}, lambda written: int(written) % 2 == 0),
    ({"low": 50}, lambda written: int(written) >= 50),
    ({"high": 50}, lambda written: int(written) <= 50),
    ({"low": 90, "high": 80}, lambda _: False),
    ({"low": 500}, lambda _: False),
    (
        {"ending": "3", "starting": "0", "containing": "2", "is_odd": True, "low": 5, "high": 80},
        lambda written: written == "023",
    ),
]


def list_numbers(raffle: Raffle, *, pivot: int = 0, limit: int = 10_000, **want: Any) -> list[int]:
    return matching_numbers.list_free_numbers(raffle, limit=limit, pivot=pivot, **want)


@pytest.fixture
def raffle() -> Raffle:
    """A raffle of the numbers 000 to 119 of which a few are taken."""
    raffle = builders.create_raffle(numbers=120, first_number=0)
    order_states.create_held_order(raffle, numbers=[7, 11, 50])
    order_states.create_paid_order(raffle, numbers=[100, 113])
    return raffle


@walk_cases(("pattern", "rule"), PATTERNS)
def test_finds_the_free_numbers_that_fit_and_no_others(
    raffle: Raffle, pattern: dict[str, Any], rule: Rule
) -> None:
    free = [number for number in range(120) if number not in {7, 11, 50, 100, 113}]
    fitting = [number for number in free if rule(f"{number:03d}")]

    for order in NumberOrder:
        for pivot in (0, 12345, 2**31 - 1):
            found = list_numbers(raffle, order=order, pivot=pivot, **pattern)
            assert found == fitting
            few = list_numbers(raffle, order=order, pivot=pivot, limit=3, **pattern)
            assert len(few) == min(3, len(fitting))
            assert few == sorted(set(few) & set(fitting))


def test_lists_the_lowest_or_the_highest_of_many(raffle: Raffle) -> None:
    odd: dict[str, Any] = {"is_odd": True, "limit": 3}

    assert list_numbers(raffle, order=NumberOrder.LOWEST, **odd) == [1, 3, 5]
    assert list_numbers(raffle, order=NumberOrder.HIGHEST, **odd) == [115, 117, 119]
    assert list_numbers(raffle, order=NumberOrder.LOWEST, ending="1", limit=2) == [1, 21]
    assert list_numbers(raffle, order=NumberOrder.HIGHEST, ending="1", limit=2) == [101, 111]


@pytest.mark.parametrize("pattern", [{}, {"is_odd": True}, {"ending": "1"}, {"low": 20}])
def test_lists_other_ones_from_another_point_on(raffle: Raffle, pattern: dict[str, Any]) -> None:
    places = (0, 100_001, 300_002, 500_003, 700_004)  # their keys end at 950,280

    found = {tuple(list_numbers(raffle, pivot=pivot, limit=2, **pattern)) for pivot in places}

    assert len(found) > 1


def test_finds_nothing_in_another_raffle(raffle: Raffle) -> None:
    builders.create_raffle(numbers=300)

    assert list_numbers(raffle, low=115) == [115, 116, 117, 118, 119]


class TestLargeRaffle:
    """A raffle that no search looks at from end to end."""

    @pytest.fixture
    def large(self) -> Raffle:
        return builders.create_raffle(numbers=2 * MAX_EXAMINED + 10_000)

    def test_is_searched_for_few_that_fit_wherever_they_are(self, large: Raffle) -> None:
        assert list_numbers(large, ending="9999") == [9_999, 19_999, 29_999]
        assert list_numbers(large, containing="2999", low=20_000) == [
            22_999,
            *range(29_990, 30_000),
        ]

    def test_is_searched_from_its_ends_and_then_for_the_last_free_ones(self, large: Raffle) -> None:
        assert list_numbers(large, order=NumberOrder.LOWEST, limit=2) == [1, 2]
        assert list_numbers(large, order=NumberOrder.HIGHEST, limit=2) == [29_999, 30_000]
        leave_free(large, [14_000, 15_007, 15_009, 16_000])

        for pivot in (0, 2**31 - 1):
            odd: dict[str, Any] = {"is_odd": True, "pivot": pivot}
            for order in NumberOrder:
                assert list_numbers(large, order=order, **odd) == [15_007, 15_009]
            assert list_numbers(large, order=NumberOrder.LOWEST, limit=1, **odd) == [15_007]
            assert list_numbers(large, order=NumberOrder.HIGHEST, limit=1, **odd) == [15_009]
            assert list_numbers(large, ending="9", **odd) == [15_009]

    def test_is_read_through_its_indexes(self, large: Raffle) -> None:
        leave_free(large, [15_007])
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
            if connection.vendor == "postgresql":  # so small a table would be read from end to end
                cursor.execute("SET LOCAL enable_seqscan = off")

        with CaptureQueriesContext(connection) as captured:
            for order in NumberOrder:
                for pattern in ({}, {"is_odd": True}, {"ending": "77"}, {"low": 9, "high": 99}):
                    list_numbers(large, order=order, **pattern)

        assert len(captured) >= 12
        for query in captured:
            plan = explain(query["sql"])
            assert "SCAN raffles_ticketnumber" not in plan
            assert "Seq Scan on raffles_ticketnumber" not in plan
            assert ("ticket_available" in plan) == ("shuffle_key" in query["sql"])


def leave_free(raffle: Raffle, numbers: Collection[int]) -> None:
    """Sell all numbers but these."""
    taken = TicketNumber.objects.filter(raffle=raffle).exclude(number__in=numbers)
    taken.update(status=TicketStatus.SOLD)


def explain(statement: str) -> str:
    words = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{words} {statement}")
        return "\n".join(str(row) for row in cursor.fetchall())
