"""Tests of export cells: none is a formula, and ticket numbers keep their zeros."""

import unicodedata
from typing import Any, Final, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.styles.numbers import FORMAT_TEXT
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from backoffice.orders.exports import cells, excel

CATEGORIES: Final = ("Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co")
"""Categories of what cannot be seen; which characters are unassigned depends on the library."""
INVISIBLE = st.text(st.characters(categories=CATEGORIES), max_size=5)
SIGNS = "=+-@＝＋－＠﹦﹢﹣﹫"


@given(before=INVISIBLE, sign=st.sampled_from(SIGNS + "\t\r\n"), after=st.text(max_size=5))
@example(before="\u3000", sign="=", after="1+1")
@example(before="\u2028\u202e\u00ad", sign="＝", after="HYPERLINK()")
@example(before="\u3164\ufe0f", sign="@", after="SUM(A1)")
def test_a_formula_after_invisible_characters_is_a_text(before: str, sign: str, after: str) -> None:
    assert cast("str", cells.format_csv_cell(before + sign + after)).startswith("'")


@given(st.text(max_size=20))
def test_no_text_begins_with_a_sign_once_what_is_invisible_is_stripped(text: str) -> None:
    cell = cast("str", cells.format_csv_cell(text))
    visible = cell.lstrip(
        "".join(each for each in cell if unicodedata.category(each) in CATEGORIES)
    )

    assert not visible.startswith(tuple(SIGNS))


@given(st.text(max_size=20))
def test_a_cell_has_nothing_but_the_text_and_apostrophes(text: str) -> None:
    assert cast("str", cells.format_csv_cell(text)).replace("'", "") == text.replace("'", "")


@pytest.mark.parametrize("number", ["7", "007", "0", "000123"])
def test_a_ticket_number_is_a_text_with_its_zeros(number: str) -> None:
    sheet = cast("WriteOnlyWorksheet", Workbook(write_only=True).create_sheet())

    cell: Any = excel.format_excel_cell(number, sheet=sheet)

    assert cells.format_csv_cell(number) == number
    assert (cell.value, cell.data_type, cell.number_format) == (number, "s", FORMAT_TEXT)
