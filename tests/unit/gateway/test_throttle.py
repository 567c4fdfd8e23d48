"""Tests of the send rate: a burst, then an even pace, never two within the gap."""

import pytest

from gateway.throttle import Pace, Throttle


def book_slots(pace: Pace, *, at: list[float]) -> list[float]:
    """Book one slot at each time and return when each slot begins."""
    throttle = Throttle(pace)
    return [now + throttle.book_slot("key", now=now) for now in at]


CASES = [
    ("an even pace", Pace(0.5), [0, 0, 0], [0, 0.5, 1.0]),
    ("a burst first", Pace(1, burst=3), [0, 0, 0, 0, 0], [0, 0, 0, 1, 2]),
    ("idle time gives the burst back", Pace(1, burst=2), [0, 0, 10, 10, 10], [0, 0, 10, 10, 11]),
    ("a gap within the burst", Pace(6, burst=3, gap=0.5), [0, 0, 0, 0], [0, 0.5, 1.0, 6.0]),
    ("whoever comes late waits for nothing", Pace(1), [0, 5, 7], [0, 5, 7]),
]


@pytest.mark.parametrize(
    ("pace", "at", "starts"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_slots_begin_as_the_pace_allows(pace: Pace, at: list[float], starts: list[float]) -> None:
    assert book_slots(pace, at=at) == pytest.approx(starts)


def test_keys_do_not_wait_for_each_other() -> None:
    throttle = Throttle(Pace(10))

    waits = [throttle.book_slot(key, now=0.0) for key in ("a", "b", "a", "b")]

    assert waits == [0, 0, 10, 10]


def test_keys_that_rest_are_forgotten() -> None:
    throttle = Throttle(Pace(1))
    for number in range(Throttle.MAX_KEYS + 1):
        throttle.book_slot(str(number), now=0.0)

    throttle.book_slot("late", now=5.0)

    assert len(throttle._full_at) == 1
