"""Tables and the JSON file of figures."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Final

from tests.benchmarks.support.figures import MACHINE, Figure
from tests.benchmarks.support.table import print_table

WORDS: Final = {None: "", True: "met", False: "**missed**"}


def print_figures(figures: Sequence[Figure]) -> None:
    """Print figures as tables of Markdown: ratios first, then absolute figures."""
    ratios = [each for each in figures if each.ratio is not None]
    if ratios:
        print_table(
            "Ratios (each to its baseline in the same run)",
            columns=["benchmark", "database", "what", "against", "ratio", "goal", ""],
            rows=[_format_ratio(each) for each in ratios],
            text_columns=4,
        )
    absolute = [each for each in figures if each.ratio is None and not is_about_machine(each)]
    if absolute:
        print_table(
            "Absolute figures (of this machine only)",
            columns=["benchmark", "database", "what", "value", "unit", "goal", ""],
            rows=[_format_absolute(each) for each in absolute],
            text_columns=3,
        )
    machines = [each for each in figures if is_about_machine(each)]
    for (benchmark, database), about in groupby(machines, _get_run):
        words = "; ".join(
            f"{each.what.removeprefix(MACHINE)} {format_number(each.value)} {each.unit}"
            for each in about
        )
        print(f"The machine, {benchmark} on {database}: {words}.", flush=True)


def is_about_machine(figure: Figure) -> bool:
    """Return whether a figure is the speed of the machine."""
    return figure.what.startswith(MACHINE)


def format_number(value: float) -> str:
    """Format a value with three significant digits, and whole numbers from 100."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write_json(figures: Iterable[Figure], path: Path) -> None:
    """Write a list of figures, one row a figure."""
    rows = [asdict(each) for each in figures]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows)
    path.write_text(f"[\n{lines}\n]\n")


def read_json(path: Path) -> list[Figure]:
    """Read the figures that `write_json` wrote."""
    return [Figure(**row) for row in json.loads(path.read_text())]


def _get_run(figure: Figure) -> tuple[str, str]:
    return figure.benchmark, figure.database


def _format_ratio(figure: Figure) -> list[str]:
    what = f"{figure.what}: {format_number(figure.value)} {figure.unit}"
    assert figure.ratio is not None
    judged = [format_number(figure.ratio), figure.goal, WORDS[figure.met]]
    return [figure.benchmark, figure.database, what, figure.baseline, *judged]


def _format_absolute(figure: Figure) -> list[str]:
    judged = [format_number(figure.value), figure.unit, figure.goal, WORDS[figure.met]]
    return [figure.benchmark, figure.database, figure.what, *judged]
