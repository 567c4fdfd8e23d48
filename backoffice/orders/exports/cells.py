"""Cells of an export that no spreadsheet program runs as a formula."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Final

from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles.numbers import FORMAT_TEXT
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

type CellValue = str | int | Decimal | None
"""A value of an export: text, whole number or amount; times are formatted as text before."""

_INVISIBLE_CHARACTERS: Final = r"[ \x00-\x08\x0b\x0c\x0e-\x1f\xa0\u200b-\u200f\u2060\ufeff]*"
_FORMULA_SIGNS: Final = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_FORMULA_START: Final = re.compile(_INVISIBLE_CHARACTERS + _FORMULA_SIGNS)
"""The start of a formula, also after invisible characters and in full-width letters.

Source: OWASP, "CSV Injection".
"""
_FORMULA_AFTER_SEPARATOR: Final = re.compile(
    rf"([;\t\r\n])(?={_INVISIBLE_CHARACTERS}{_FORMULA_SIGNS})"
)
"""The same after other separators of cells or lines, such as the semicolon in many countries."""

_PHONE_NUMBER_PATTERN: Final = re.compile(r"\+[0-9 ]+")


def is_formula_like(text: str) -> bool:
    """Whether a spreadsheet program may take a text for a formula or a command."""
    return _FORMULA_START.match(text) is not None


def format_csv_cell(value: CellValue) -> str | int | Decimal:
    """Return a value as a cell of a CSV file.

    A text that may be taken for a formula gets an apostrophe in front. This includes phone
    numbers, which are then shown as text without losing digits.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    escaped = _FORMULA_AFTER_SEPARATOR.sub(r"\1'", value)
    return f"'{escaped}" if is_formula_like(value) else escaped


def format_excel_cell(value: CellValue, *, sheet: WriteOnlyWorksheet) -> object:
    """Return a value as a cell of an Excel sheet.

    Excel cells have a type, so a text needs no apostrophe. openpyxl makes a formula of a text that
    begins with `=` unless its data type is set. The number format "text" keeps it a text when
    somebody edits the cell.
    """
    if not isinstance(value, str):
        return value
    clean = ILLEGAL_CHARACTERS_RE.sub("", value)
    if not is_formula_like(clean) or _PHONE_NUMBER_PATTERN.fullmatch(clean):
        return clean
    cell = WriteOnlyCell(sheet, value=clean)
    cell.data_type = "s"
    cell.number_format = FORMAT_TEXT
    return cell


def format_iso_time(at: datetime | None) -> str | None:
    """Return a time in its own zone as ISO 8601, e.g. "2026-11-22T10:31:00-05:00"."""
    return None if at is None else at.isoformat(timespec="seconds")
