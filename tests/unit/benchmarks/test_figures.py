"""Tests of how benchmarks judge, print and write their figures."""

import json
from functools import partial
from pathlib import Path

import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks.support import report
from tests.benchmarks.support.figures import (
    Figure,
    Goal,
    Options,
    Results,
    WrongResult,
    at_least,
    at_most,
)
from tests.benchmarks.support.rounds import interleave


@pytest.mark.parametrize(
    ("goal", "missed", "met"),
    [(at_least(8), 7.99, 8.0), (at_most(40), 40.01, 40.0)],
)
def test_a_goal_can_be_missed_by_a_value_and_by_a_ratio(
    goal: Goal, missed: float, met: float
) -> None:
    results = Results("turn", "sqlite")
    for measured in (missed, met):
        results.add("p50", measured, "ms", goal=goal)
        results.compare(
            "saturation", measured * 10, "/s", baseline="before", baseline_value=10, goal=goal
        )
    results.add("p99", 100, "ms")

    assert [each.met for each in results.figures] == [False, False, True, True, None]
    assert command.decide_exit_status(results.figures, failed=False) == 1
    assert command.decide_exit_status(results.figures[2:], failed=False) == 0
    assert command.decide_exit_status(results.figures[2:], failed=True) == 1


def test_a_faster_peer_shows_as_such_beside_each_database(tmp_path: Path) -> None:
    figures = []
    for database, reached in (("postgresql", 500), ("sqlite", 2600)):
        results = Results("ingest", database)
        results.compare(
            "stored", reached, "/s", baseline="pywa", baseline_value=1000, goal=at_least(2.5)
        )
        results.add("stored p99", 12.34, "ms")
        results.add("machine: five million squares", 0.44, "s")
        figures += results.figures
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")

    report.write_into(page, figures)

    lines = page.read_text().splitlines()
    assert (
        "| ingest    | stored | pywa    | ≥ 2.5 | 2.6 (2,600 /s) | 0.5 (500 /s), **missed** |"
        in lines
    )
    assert "| ingest    | stored p99 |      | 12.3 ms |    12.3 ms |" in lines
    assert "| ingest    | five million squares |      | 0.44 s |     0.44 s |" in lines
    assert (lines[0], lines[-1], "old" in lines) == ("before", "after", False)


def test_the_file_has_one_row_a_figure_with_these_keys(tmp_path: Path) -> None:
    results = Results("turn", "postgresql")
    results.compare("saturation", 150, "/s", baseline="before", baseline_value=15)
    results.add("p50 at 50 a second", 31.5, "ms", goal=at_most(40))

    report.write_json(results.figures, tmp_path / "figures.json")

    rows = json.loads((tmp_path / "figures.json").read_text())
    assert [list(row) for row in rows] == [
        ["benchmark", "database", "what", "value", "unit", "baseline", "ratio", "goal", "met"]
    ] * 2
    assert rows[0]["ratio"] == 10
    assert (rows[1]["goal"], rows[1]["met"]) == ("≤ 40", True)
    assert report.read_json(tmp_path / "figures.json")[1] == results.figures[1]


def test_the_command_runs_each_name_on_each_database_and_says_what_was_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    ran = []

    def measure(name: str, options: Options) -> list[Figure]:
        ran.append((name, options.database))
        if name == "api":
            raise WrongResult("a message was lost")
        results = Results(name, options.database)
        results.add("p50", 41, "ms", goal=at_most(41 if options.database == "sqlite" else 40))
        return results.figures

    assert command.main(["turn", "flood", "--database", "sqlite"], run=measure) == 0
    assert command.main(["turn", "--json", str(file)], run=measure) == 1
    assert command.main(["api", "flood", "--database", "sqlite"], run=measure) == 1
    assert command.main(["--report", str(file)]) == 0

    assert ran == [
        ("turn", "sqlite"),
        ("flood", "sqlite"),
        ("turn", "sqlite"),
        ("turn", "postgresql"),
        ("api", "sqlite"),
        ("flood", "sqlite"),
    ]
    said = capsys.readouterr()
    assert "a message was lost" in said.err
    assert said.out.count("**missed**") == 2  # when it ran, and from the file
    assert {"api", "draw", "screens", "seal", "search"} <= set(command.list_benchmarks())


def test_every_second_round_is_in_reverse_order() -> None:
    order: list[str] = []

    def measure(name: str, number: int) -> None:
        order.append(f"{name}{number}")

    measured = interleave({name: partial(measure, name) for name in "ab"}, rounds=3)

    assert order == ["a0", "b0", "b1", "a1", "a2", "b2"]
    assert {name: len(rounds) for name, rounds in measured.items()} == {"a": 3, "b": 3}
