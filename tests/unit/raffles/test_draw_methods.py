"""Tests of the pure functions that find winners, with published and hand-computed results."""

import hashlib
from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.enums import SourceKind
from shared.raffles.draws import draw_methods
from shared.raffles.draws.draw_methods import SourceShape
from tests.cases import walk_cases

RFC_3797_KEY = "9319./2.5.8.10.12./9.18.26.34.41.45./"
"""Key string of the example in RFC 3797, section 6."""
RFC_3797_POOL = [f"{number:02d}" for number in range(1, 26)]

CHI_SQUARE_LIMIT = 27.9
"""Exceeded by one honest run of a thousand, with nine degrees of freedom."""

SIX_OF_49 = SourceShape(SourceKind.LOTTERY, value_count=6, lowest=1, highest=49)
THREE_DIGITS = SourceShape(SourceKind.LOTTERY, highest=999)
PICK_THREE = SourceShape(SourceKind.LOTTERY, value_count=3, highest=9, repeats_values=True)
DRAND = SourceShape(SourceKind.DRAND)
HEX_PROBLEM = "The randomness of a round has 64 hex digits, 0 to 9 and a to f."


def select_all(pool: list[str], *, key_string: str, times: int) -> list[str]:
    """Select so many ticket numbers, each time from those that are left."""
    removed: list[int] = []
    for selection in range(times):
        chosen = draw_methods.select_by_rfc3797(
            pool, key_string=key_string, removed=removed, selection=selection
        )
        removed.append(pool.index(chosen.ticket))
    return [pool[place] for place in removed]


def test_selects_as_the_example_of_rfc_3797() -> None:
    key_string = draw_methods.build_key_string(
        [
            (SourceKind.OTHER, ["09319"]),
            (SourceKind.LOTTERY, ["12", "2", "08", "5", "10"]),
            (SourceKind.LOTTERY, ["41", "9", "45", "26", "34", "18"]),
        ]
    )

    assert key_string == RFC_3797_KEY
    digest = draw_methods.compute_digest(key_string, 0)
    assert digest.hex().upper() == "990DD0A5692A029A98B5E01AA28F3459"
    assert select_all(RFC_3797_POOL, key_string=key_string, times=10) == (
        ["17", "07", "02", "16", "25", "23", "08", "24", "19", "13"]
    )


def test_a_round_of_drand_is_a_source_with_one_value_of_64_digits() -> None:
    value = "0123456789abcdef" * 4
    sources = [(SourceKind.DRAND, [value]), (SourceKind.LOTTERY, ["007", "1"])]

    assert draw_methods.build_key_string(sources) == f"{value}./1.7./"


@given(
    pool=st.lists(st.integers(0, 999), min_size=1, max_size=40, unique=True).map(sorted),
    value=st.text("0123456789abcdef", min_size=64, max_size=64),
)
def test_every_number_is_selected_once_and_as_a_shrinking_list_says(
    pool: list[int], value: str
) -> None:
    tickets, left = [f"{number:03d}" for number in pool], [f"{number:03d}" for number in pool]
    expected = []
    for selection in range(len(left)):
        mark = bytes([selection // 256, selection % 256])
        digest = hashlib.md5(mark + f"{value}./".encode() + mark).hexdigest()
        expected.append(left.pop(int(digest, 16) % len(left)))

    assert select_all(tickets, key_string=f"{value}./", times=len(tickets)) == expected


def test_ten_tickets_win_equally_often_in_20000_draws_and_never_twice() -> None:
    pool = [f"{number}" for number in range(10)]
    wins: Counter[str] = Counter()
    for turn in range(20_000):
        key_string = f"{hashlib.sha256(str(turn).encode()).hexdigest()}./"
        first, second = select_all(pool, key_string=key_string, times=2)
        assert first != second
        wins[first] += 1

    assert sum((wins[ticket] - 2_000) ** 2 / 2_000 for ticket in pool) < CHI_SQUARE_LIMIT


GENESIS = datetime(2023, 8, 23, 15, 9, 27, tzinfo=UTC)


@walk_cases(
    ("at", "number"),
    [
        (GENESIS, 1),
        (GENESIS + timedelta(seconds=2, microseconds=999_999), 1),
        (GENESIS + timedelta(seconds=3), 2),
        (datetime(2026, 11, 22, 20, 0, tzinfo=UTC), (1_795_377_600 - 1_692_803_367) // 3 + 1),
    ],
)
def test_the_round_of_a_time_is_the_latest_one_published(at: datetime, number: int) -> None:
    assert draw_methods.compute_drand_round(at) == number


@walk_cases(
    ("shape", "outcomes"),
    [
        (SIX_OF_49, 13_983_816),
        (THREE_DIGITS, 1_000),
        (PICK_THREE, 1_000 // 6),
        (SourceShape(SourceKind.LOTTERY, value_count=2, highest=0, repeats_values=True), 1),
        (DRAND, 2**256),
    ],
)
def test_counts_the_outcomes_of_a_source(shape: SourceShape, outcomes: int) -> None:
    assert draw_methods.count_outcomes(shape) == outcomes


@walk_cases(
    ("shape", "values"),
    [
        (SIX_OF_49, ["01", "49", "7", "8", "9", "10"]),
        (THREE_DIGITS, ["000"]),
        (THREE_DIGITS, ["0" * 77 + "999"]),
        (PICK_THREE, ["7", "7", "07"]),
        (DRAND, ["0123456789abcdef" * 4]),
    ],
)
def test_takes_what_a_source_can_publish(shape: SourceShape, values: list[str]) -> None:
    assert draw_methods.find_value_problem(shape, values) is None


@walk_cases(
    ("shape", "values", "problem"),
    [
        (SIX_OF_49, ["1", "2", "3", "4", "5"], "It publishes 6 values, not 5."),
        (THREE_DIGITS, [], "It publishes 1 value, not 0."),
        (SIX_OF_49, ["1", "2", "3", "4", "5", "5"], "It never draws the same number twice."),
        (SIX_OF_49, ["1", "2", "3", "4", "5", "05"], "It never draws the same number twice."),
        (SIX_OF_49, ["0", "2", "3", "4", "5", "6"], "0 is not between 1 and 49."),
        (SIX_OF_49, ["50", "2", "3", "4", "5", "6"], "50 is not between 1 and 49."),
        (THREE_DIGITS, ["-1"], "“-1” is not a whole number in the digits 0 to 9."),
        (THREE_DIGITS, ["+1"], "“+1” is not a whole number in the digits 0 to 9."),
        (THREE_DIGITS, ["1 2"], "“1 2” is not a whole number in the digits 0 to 9."),
        (THREE_DIGITS, ["1_0"], "“1_0” is not a whole number in the digits 0 to 9."),
        (THREE_DIGITS, ["1.0"], "“1.0” is not a whole number in the digits 0 to 9."),
        (THREE_DIGITS, [""], "“” is not a whole number in the digits 0 to 9."),
        (THREE_DIGITS, ["１２３"], "“１２３” is not a whole number in the digits 0 to 9."),
        (THREE_DIGITS, ["٣"], "“٣” is not a whole number in the digits 0 to 9."),
        (THREE_DIGITS, ["²"], "“²” is not a whole number in the digits 0 to 9."),
        (THREE_DIGITS, ["9" * 80], f"{'9' * 20} is not between 0 and 999."),
        (
            THREE_DIGITS,
            ["9" * 5_000],
            f"“{'9' * 20}…” is too long: a value has 80 digits at most.",
        ),
        (DRAND, ["ab" * 31], HEX_PROBLEM),
        (DRAND, ["AB" * 32], HEX_PROBLEM),
        (
            DRAND,
            ["ab" * 32 + "\n"],
            HEX_PROBLEM,
        ),
        (DRAND, ["ab" * 32] * 2, "It publishes 1 value, not 2."),
    ],
)
def test_says_why_values_are_no_result(shape: SourceShape, values: list[str], problem: str) -> None:
    assert draw_methods.find_value_problem(shape, values) == problem


@settings(max_examples=25)
@given(
    st.sampled_from([SIX_OF_49, THREE_DIGITS, PICK_THREE, DRAND]),
    st.lists(st.text(max_size=8), max_size=6),
)
def test_never_fails_on_any_input(shape: SourceShape, values: list[str]) -> None:
    if draw_methods.find_value_problem(shape, values) is None:
        draw_methods.build_key_string([(shape.kind, values)]).encode("ascii")


@walk_cases(
    ("value", "width", "digits"),
    [("98017", 2, "17"), ("98007", 3, "007"), ("7", 3, "007"), ("0", 1, "0"), ("123", 3, "123")],
)
def test_takes_as_many_last_digits_as_a_ticket_number_has(
    value: str, width: int, digits: str
) -> None:
    assert draw_methods.take_last_digits(value, width=width) == digits


SOLD = ["03", "05", "09"]


@walk_cases(
    ("start", "excluded", "after", "winner"),
    [
        ("05", [], False, "05"),
        ("04", [], False, "05"),
        ("00", [], False, "03"),
        ("10", [], False, "03"),
        ("99", [], False, "03"),
        ("05", ["05"], False, "09"),
        ("05", ["05", "09"], False, "03"),
        ("05", [], True, "09"),
        ("09", ["03"], True, "05"),
        ("09", ["03", "05", "09"], True, None),
    ],
)
def test_the_next_sold_number_upwards_wins_and_the_first_follows_the_last(
    start: str, excluded: list[str], after: bool, winner: str | None
) -> None:
    selected = draw_methods.select_next_sold(SOLD, start=start, excluded=excluded, after=after)

    assert (selected.ticket if selected else None) == winner
    assert selected is None or SOLD[selected.index] == winner


@given(st.sets(st.integers(0, 99), max_size=30), st.integers(0, 99), st.sets(st.integers(0, 99)))
def test_the_next_sold_number_is_the_nearest_one_going_round(
    sold: set[int], start: int, excluded: set[int]
) -> None:
    pool = [f"{number:02d}" for number in sorted(sold)]
    nearest = min(sold - excluded, key=lambda number: (number - start) % 100, default=None)

    selected = draw_methods.select_next_sold(
        pool,
        start=f"{start:02d}",
        excluded=[f"{number:02d}" for number in excluded],
        after=False,
    )

    assert (int(selected.ticket) if selected else None) == nearest
    assert draw_methods.is_sold(pool, f"{start:02d}") == (start in sold)
