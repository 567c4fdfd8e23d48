"""Tests of patterns of ticket numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.conversation.understanding.numbers.number_patterns import NumberPattern, Parity, Part
from tests.cases import walk_cases

MATCHING = [
    (NumberPattern(), [0, 7, 999]),
    (NumberPattern(ending="7"), [7, 17, 997]),
    (NumberPattern(ending="07"), [7, 107, 907]),
    (NumberPattern(ending="0"), [0, 10, 100]),
    (NumberPattern(starting="0"), [0, 7, 99]),
    (NumberPattern(starting="07"), [70, 79]),
    (NumberPattern(starting="7"), [700, 799]),
    (NumberPattern(containing="00"), [0, 7, 100]),
    (NumberPattern(containing="13"), [13, 130, 139, 913]),
    (NumberPattern(parity=Parity.ODD), [1, 999]),
    (NumberPattern(parity=Parity.EVEN), [0, 998]),
    (NumberPattern(part=Part.LOW), [0, 999]),
    (NumberPattern(low=100), [100, 999]),
    (NumberPattern(high=100), [0, 100]),
    (NumberPattern(low=10, high=20, parity=Parity.ODD, ending="3"), [13]),
]
OTHERS = [
    (NumberPattern(ending="7"), [0, 70, 71]),
    (NumberPattern(ending="07"), [70, 17]),
    (NumberPattern(ending="0007"), [7]),
    (NumberPattern(starting="7"), [7, 70]),
    (NumberPattern(starting="07"), [7, 700]),
    (NumberPattern(containing="13"), [31, 103]),
    (NumberPattern(parity=Parity.ODD), [0, 998]),
    (NumberPattern(parity=Parity.EVEN), [1, 999]),
    (NumberPattern(low=100), [99]),
    (NumberPattern(high=100), [101]),
    (NumberPattern(low=10, high=20, parity=Parity.ODD, ending="3"), [3, 23, 15]),
]


@walk_cases(("pattern", "numbers"), MATCHING)
def test_matches_numbers_as_the_raffle_writes_them(
    pattern: NumberPattern, numbers: list[int]
) -> None:
    assert [number for number in numbers if not pattern.matches(number, width=3)] == []


@walk_cases(("pattern", "numbers"), OTHERS)
def test_matches_no_other_numbers(pattern: NumberPattern, numbers: list[int]) -> None:
    assert [number for number in numbers if pattern.matches(number, width=3)] == []


@pytest.mark.parametrize(
    ("pattern", "looser"),
    [
        (NumberPattern(ending="177", parity=Parity.ODD), "77"),
        (NumberPattern(ending="77"), "7"),
        (NumberPattern(starting="77"), "7"),
        (NumberPattern(containing="77"), "7"),
        (NumberPattern(ending="7"), ""),
        (NumberPattern(parity=Parity.ODD), ""),
    ],
)
def test_becomes_looser_by_a_digit_and_then_any_number(pattern: NumberPattern, looser: str) -> None:
    found = pattern.loosen()

    assert found is not None
    assert found.ending + found.starting + found.containing == looser
    assert looser or found == NumberPattern()


def test_any_number_cannot_become_looser() -> None:
    assert NumberPattern().loosen() is None


PATTERNS = st.builds(
    NumberPattern,
    ending=st.text("0123456789", max_size=3),
    starting=st.text("0123456789", max_size=3),
    containing=st.text("0123456789", max_size=3),
    parity=st.none() | st.sampled_from(Parity),
    part=st.none() | st.sampled_from(Part),
    low=st.none() | st.integers(0, 999),
    high=st.none() | st.integers(0, 999),
)


@given(pattern=PATTERNS, number=st.integers(0, 999))
def test_a_looser_pattern_matches_what_the_pattern_matches(
    pattern: NumberPattern, number: int
) -> None:
    looser = pattern.loosen()
    if looser is not None and pattern.matches(number, width=3):
        assert looser.matches(number, width=3)
