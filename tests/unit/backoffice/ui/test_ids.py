"""Tests of ids in URLs, queries and forms: one bound, and nothing but digits."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backoffice.ui import ids
from backoffice.ui.ids import MAX_ID


@given(st.integers(min_value=0, max_value=MAX_ID))
@example(0)
@example(MAX_ID)
def test_an_id_that_a_row_can_have_is_parsed(key: int) -> None:
    converter = ids.IdConverter()

    assert ids.parse_digits(str(key)) == key
    assert converter.to_python(converter.to_url(key)) == key


@given(st.integers(min_value=MAX_ID + 1, max_value=10**4_000))
@example(MAX_ID + 1)
def test_a_larger_number_is_no_id(number: int) -> None:
    assert ids.parse_digits(str(number)) is None
    with pytest.raises(ValueError, match="no row has"):
        ids.IdConverter().to_python(str(number))


@pytest.mark.parametrize("text", ["", "x", "-1", "+1", "1.0", " 1", "1_0", "٣", "²", "9" * 5_000])
def test_another_text_is_no_id(text: str) -> None:
    assert ids.parse_digits(text) is None


@pytest.mark.parametrize(
    ("text", "number"), [("007", 7), ("200", 200), ("201", None), ("0007", None)]
)
def test_another_bound_limits_the_digits_too(text: str, number: int | None) -> None:
    assert ids.parse_digits(text, most=200) == number


def test_what_is_no_id_is_left_out_of_several() -> None:
    assert ids.parse_ids(["7", "x", str(2**63), "13"]) == [7, 13]
