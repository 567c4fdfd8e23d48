"""Tables and the JSON file of figures."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tests.benchmarks.support import table
from tests.benchmarks.support.figures import MACHINE, Figure

TITLES: Final = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
BEGIN: Final = "<!-- results, written by `--report FILE … --into` this page -->"
END: Final = "<!-- end of the results -->"


def render_figures(figures: Sequence[Figure]) -> str:
    """Return figures as tables in Markdown: ratios first, then absolute figures."""
    ratios = [each for each in figures if each.ratio is not None]
    absolute = [each for each in figures if each.ratio is None and not is_about_machine(each)]
    parts = []
    if ratios:
        parts.append("Ratios, each to its baseline in the same run (values in parentheses):")
        parts.append(_render_table(ratios, columns=["benchmark", "what", "against"]))
    if absolute:
        parts.append("Absolute figures, of this machine only:")
        parts.append(_render_table(absolute, columns=["benchmark", "what"]))
    machines = [each for each in figures if is_about_machine(each)]
    if machines:
        parts.append("The machine at the start of each benchmark:")
        parts.append(_render_table(machines, columns=["benchmark", "what"]))
    return "\n\n".join(parts)


def write_into(page: Path, figures: Sequence[Figure]) -> None:
    """Replace the results in a page of the documentation.

    Raises:
        ValueError: the page has no place for results.

    """
    text = page.read_text()
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    page.write_text(f"{text[:begin]}\n\n{render_figures(figures)}\n\n{text[end:]}")


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


def _render_table(figures: Sequence[Figure], *, columns: Sequence[str]) -> str:
    """Return a table with a column for each database."""
    databases = [name for name in TITLES if any(each.database == name for each in figures)]
    rows: dict[tuple[str, ...], dict[str, Figure]] = {}
    for figure in figures:
        key = (figure.benchmark, figure.what.removeprefix(MACHINE), figure.baseline)
        rows.setdefault((*key[: len(columns)], figure.goal), {})[figure.database] = figure
    return table.format_table(
        columns=[*columns, "goal", *(TITLES[name] for name in databases)],
        rows=[
            [*key, *(_format_cell(found.get(name)) for name in databases)]
            for key, found in rows.items()
        ],
        text_columns=len(columns) + 1,
    )


def _format_cell(figure: Figure | None) -> str:
    if figure is None:
        return ""
    words = f"{format_number(figure.value)} {figure.unit}".strip()
    if figure.ratio is not None:
        words = f"{format_number(figure.ratio)} ({words})"
    return f"{words}, **missed**" if figure.met is False else words
