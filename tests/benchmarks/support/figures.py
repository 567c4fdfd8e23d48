"""Figures of a benchmark: what was measured, with what it is compared, and what was to reach."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from tests.benchmarks.support.databases import Kind

type Bound = Literal["at least", "at most"]


class WrongResult(Exception):
    """The product did something wrong meanwhile, such as losing a message: no figure counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of the command line.

    Attributes:
        database: the database to measure on.
        against: checkout of another version to measure in the same run; only `turn` reads it.
        quick: whether to run with tiny loads, only to see that a benchmark works.

    """

    database: Kind
    against: Path | None = None
    quick: bool = False


@dataclass(frozen=True, slots=True)
class Goal:
    """A limit that a figure must keep, and may miss.

    Attributes:
        bound: on which side of the limit the figure must be.
        limit: in the unit of the figure, or as a ratio for a comparison.

    """

    bound: Bound
    limit: float

    def is_met_by(self, measured: float) -> bool:
        """Return whether a value or ratio keeps the limit."""
        return measured >= self.limit if self.bound == "at least" else measured <= self.limit

    def __str__(self) -> str:
        """Return the goal as text, such as `≥ 8`."""
        return f"{'≥' if self.bound == 'at least' else '≤'} {self.limit:g}"


def at_least(limit: float) -> Goal:
    """Return the goal of reaching a limit."""
    return Goal("at least", limit)


def at_most(limit: float) -> Goal:
    """Return the goal of not exceeding a limit."""
    return Goal("at most", limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row of the results.

    Attributes:
        benchmark: name of the benchmark.
        database: `sqlite` or `postgresql`.
        what: what was measured.
        value: the median of the rounds, in `unit`.
        unit: unit of the value.
        baseline: with what it is compared; empty if it stands alone.
        ratio: the value divided by the baseline's; None if it stands alone.
        goal: the goal as text, of the ratio if there is one, else of the value; empty without one.
        met: whether the goal is met; None without one.

    """

    benchmark: str
    database: str
    what: str
    value: float
    unit: str
    baseline: str = ""
    ratio: float | None = None
    goal: str = ""
    met: bool | None = None


@dataclass(slots=True)
class Results:
    """Collects the figures of one benchmark on one database, in the order of the table."""

    benchmark: str
    database: str
    figures: list[Figure] = field(default_factory=list)

    def add(self, what: str, value: float, unit: str, *, goal: Goal | None = None) -> None:
        """Add a figure that stands alone; its goal is one of the value."""
        self._append(what, value, unit, goal=goal, judged=value)

    def compare(
        self,
        what: str,
        value: float,
        unit: str,
        *,
        baseline: str,
        baseline_value: float,
        goal: Goal | None = None,
    ) -> None:
        """Add a figure with its ratio to a baseline of the same run; its goal is one of the ratio.

        Args:
            what: what was measured.
            value: the value in `unit`.
            unit: unit of both values.
            baseline: with what it is compared.
            baseline_value: what that reached, in the same unit.
            goal: what the ratio should reach.

        Raises:
            WrongResult: the baseline reached nothing, so there is no ratio.

        """
        if not baseline_value:
            raise WrongResult(f"{self.benchmark}: {baseline} reached nothing")
        ratio = value / baseline_value
        self._append(what, value, unit, goal=goal, judged=ratio, baseline=baseline, ratio=ratio)

    def _append(
        self,
        what: str,
        value: float,
        unit: str,
        *,
        goal: Goal | None,
        judged: float,
        baseline: str = "",
        ratio: float | None = None,
    ) -> None:
        self.figures.append(
            Figure(
                benchmark=self.benchmark,
                database=self.database,
                what=what,
                value=value,
                unit=unit,
                baseline=baseline,
                ratio=ratio,
                goal="" if goal is None else str(goal),
                met=None if goal is None else goal.is_met_by(judged),
            )
        )


type Benchmark = Callable[[Options], list[Figure]]
"""The function `run` of a benchmark's module."""

MACHINE: Final = "machine: "
"""Begins `what` of figures about the machine."""
