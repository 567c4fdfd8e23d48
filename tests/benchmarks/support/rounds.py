"""Interleaved rounds: other load on the machine affects every design equally."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median


def interleave[T](designs: Mapping[str, Callable[[int], T]], *, rounds: int) -> dict[str, list[T]]:
    """Measure every design in every round, and return the measurements of each design.

    Every second round is in reverse order, so that none always runs first.

    Args:
        designs: what measures a design, given the number of the round from 0.
        rounds: number of rounds.

    """
    measured: dict[str, list[T]] = {name: [] for name in designs}
    for number in range(rounds):
        for name in list(designs)[:: -1 if number % 2 else 1]:
            measured[name].append(designs[name](number))
    return measured


def compute_median[T](measured: Sequence[T], get: Callable[[T], float]) -> float:
    """Return the median of one measurement over the rounds."""
    return median(map(get, measured))
