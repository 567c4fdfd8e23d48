"""Runs benchmarks by name, or all of them: `uv run python -m tests.benchmarks [NAME …]`.

A module of this package with a function `run(options)` is one. Each runs in a process of its own,
on each database, one after the other. The exit status is 1 if a goal was missed or a benchmark
failed.
"""

import argparse
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, get_args

from tests.benchmarks.support import report, runner
from tests.benchmarks.support.databases import Kind
from tests.benchmarks.support.figures import Figure, Options

DATABASES: Final[tuple[Kind, ...]] = get_args(Kind.__value__)


def list_benchmarks() -> list[str]:
    """Return the names of all benchmarks in alphabetical order."""
    modules = Path(__file__).parent.glob("*.py")
    return sorted(
        each.stem for each in modules if "\ndef run(options: Options)" in each.read_text()
    )


def main(
    arguments: Sequence[str] | None = None,
    *,
    run: Callable[[str, Options], list[Figure]] | None = None,
) -> int:
    """Run the benchmarks named on the command line, and return the exit status.

    Args:
        arguments: the command line; None for that of this process.
        run: measures one benchmark, given its name; by default in a new process.

    """
    run = run or runner.run_in_process
    given = _build_parser().parse_args(arguments)
    if given.report:
        known = [row for file in given.report for row in report.read_json(file)]
        if given.into:
            report.write_into(given.into, known)
        else:
            print(report.render_figures(known))
        return 0
    figures: list[Figure] = []
    failed = False
    for name in given.names or list_benchmarks():
        for database in [given.database] if given.database else DATABASES:
            options = Options(database=database, against=given.against, quick=given.quick)
            print(f"{name} on {database} …", file=sys.stderr, flush=True)
            try:
                figures += run(name, options)
            except Exception:  # noqa: BLE001 - the others still run
                failed = True
                traceback.print_exc()
    print(report.render_figures(figures), flush=True)
    if given.json:
        report.write_json(figures, given.json)
    return decide_exit_status(figures, failed=failed)


def decide_exit_status(figures: Sequence[Figure], *, failed: bool) -> int:
    """Return 1 if a goal was missed or a benchmark failed, else 0."""
    return int(failed or any(each.met is False for each in figures))


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(list_benchmarks()))
    parser.add_argument("--database", choices=DATABASES, help="default: one after the other")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    parser.add_argument(
        "--against", type=Path, metavar="PATH", help="another checkout, with its own .venv (turn)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="tiny loads: shows that it runs, measures nothing"
    )
    parser.add_argument(
        "--report", type=Path, nargs="+", metavar="FILE", help="only print these files as tables"
    )
    parser.add_argument(
        "--into", type=Path, metavar="PAGE", help="write the report into this page, not here"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
