"""Tests that the steps of every regular expression grow linearly with the text.

Texts come from phones, API clients and web pages. A pattern with quadratic or worse time could
block a whole process with one message.
"""

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cases import walk_cases
from tests.regex_steps import StepCounter

ROOT: Final = Path(__file__).parents[3]
PACKAGES: Final = ("shared", "gateway", "backoffice", "deploy")
SETTLED: Final = 60
"""Number of repetitions at which growth is visible despite constant costs."""
SLACK: Final = 1_500
"""Allowed steps for parts of limited length, such as the 500 characters of a header."""

ANCHORED: Final = frozenset({"match", "fullmatch"})

PIECES: Final = (
    "1", "٣", " ", "\n", "\u2003", "-", ".", "..", "#", "from ", "between 1 and ", "1-2\n", "a",
    "*", "*a", "\u0301", "ﷺ", "👍", "+", "/", "(", "@", ";", "https://", "no ", "1 in ", ":", "_",
)  # fmt: skip


@dataclass(frozen=True)
class Pattern:
    """A pattern and the way it is used.

    Attributes:
        compiled: the compiled pattern.
        searches: whether it is tried at every position, not only at the start.

    """

    compiled: re.Pattern[str]
    searches: bool

    def count_steps(self, text: str) -> int:
        counter = StepCounter(self.compiled, text)
        if self.searches:
            counter.find_spans()
        else:
            counter.matches_fully()
        return counter.steps

    def is_linear(self, before: str, repeated: str, after: str) -> bool:
        twice = self.count_steps(before + repeated * SETTLED * 2 + after)
        if twice <= SLACK:
            return True
        once = self.count_steps(before + repeated * SETTLED + after)
        return twice <= 2 * once + SLACK


def find_patterns() -> Iterator[tuple[str, Pattern]]:
    for path in sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py")):
        source = path.read_text()
        if "import re\n" not in source:
            continue
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for known, value in vars(importlib.import_module(name)).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                uses = set(re.findall(rf"\b{known}\.(\w+)\(", source))
                yield f"{name}:{known}", Pattern(value, not uses or not uses <= ANCHORED)
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="re"), attr=use),
                    args=[ast.Constant(value=str(written)), *_],
                ) if use != "compile":
                    yield f"{name}:{node.lineno}", Pattern(re.compile(written), use not in ANCHORED)


@cache
def list_patterns() -> dict[str, Pattern]:
    """Return the patterns by their place; all sources are read for that."""
    return dict(find_patterns())


NAMES: Final = st.deferred(lambda: st.sampled_from(sorted(list_patterns())))


def test_there_are_patterns_to_look_at() -> None:
    assert "shared.conversation.understanding.numbers.number_list:_RANGE_GAP" in list_patterns()
    assert len(list_patterns()) > 20


@walk_cases("name", list_patterns)
def test_twice_the_text_takes_at_most_twice_the_steps(name: str) -> None:
    worse = [
        (before, repeated, after)
        for before, repeated, after in product(("", "1"), PIECES, ("", "\0"))
        if not list_patterns()[name].is_linear(before, repeated, after)
    ]

    assert worse == []


@settings(deadline=None)  # steps are what counts
@given(NAMES, st.lists(st.sampled_from(PIECES), min_size=2, max_size=4))
def test_so_it_is_with_any_mixture(name: str, pieces: list[str]) -> None:
    assert list_patterns()[name].is_linear("", "".join(pieces), "\0")


@settings(deadline=None)  # steps are what counts
@given(NAMES, st.lists(st.sampled_from(PIECES), max_size=12))
def test_the_counter_matches_as_python_does(name: str, pieces: list[str]) -> None:
    text = "".join(pieces)
    compiled = list_patterns()[name].compiled
    spans = [match.span() for match in compiled.finditer(text)]
    whole = compiled.fullmatch(text) is not None

    counter = StepCounter(compiled, text)
    assert (counter.find_spans(), counter.matches_fully()) == (spans, whole)


@pytest.mark.parametrize("written", [r"\s*(\d+)x", r"(?:from\s+)?#?\s*(\d+)\s*-"])
def test_the_counter_tells_a_pattern_that_is_not_linear(written: str) -> None:
    pattern = Pattern(re.compile(written), searches=True)

    assert not all(pattern.is_linear("", piece, "!") for piece in (" ", "1", "a"))
