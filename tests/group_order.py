"""The order of the groups of tests that xdist gives to its workers."""

from operator import itemgetter
from pathlib import Path
from typing import Final

import pytest

UNIT_TESTS: Final = f"{Path(__file__).parent / 'unit'}/"
ACCEPTANCE_TESTS: Final = f"{Path(__file__).parent / 'acceptance'}/"

LONGEST_GROUPS: Final = 2
"""Groups that take minutes: the browser, and the operator with the demo."""


def order_by_group(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return the tests by group: those that wait spread among those that compute, then unit tests.

    The first groups that wait take longest: they begin first, or the run would end with them. It
    ends with unit tests, whose short groups keep all workers busy.
    """
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        groups.setdefault(_get_group(item), []).append(item)
    waiting = [group for group in groups.values() if _waits(group[0])]
    others = [group for group in groups.values() if not _waits(group[0])]
    unit_tests = [group for group in others if is_unit_test(group[0])]
    computing = [group for group in others if not is_unit_test(group[0])]
    spread = [
        ((place + 0.5) / len(alike), group)
        for alike in (waiting[LONGEST_GROUPS:], computing)
        for place, group in enumerate(alike)
    ]
    spread.sort(key=itemgetter(0))
    order = (*waiting[:LONGEST_GROUPS], *(group for _, group in spread), *unit_tests)
    return [item for group in order for item in group]


def _get_group(item: pytest.Item) -> str:
    marker = item.get_closest_marker("xdist_group")
    return item.nodeid if marker is None else str(marker.args[0])


def _waits(item: pytest.Item) -> bool:
    if is_unit_test(item):
        return item.get_closest_marker("acceptance") is not None
    return str(item.path).startswith(ACCEPTANCE_TESTS)


def is_unit_test(item: pytest.Item) -> bool:
    return str(item.path).startswith(UNIT_TESTS)
