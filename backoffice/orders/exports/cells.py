"""Values of an export as cells that no spreadsheet program takes for a formula.

import-export's own `IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT` is not used: it looks at the sign `=`
alone, takes it away from what people wrote, and needs the whole table in memory.
"""

import re
from datetime import datetime
from decimal import Decimal
from typing import Final

from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles.numbers import FORMAT_TEXT
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

type CellValue = str | int | Decimal | None
"""What an export holds: texts, whole numbers and amounts; times are texts by then."""

_INVISIBLE_CHARACTERS: Final = r"[ \x00-\x08\x0b\x0c\x0e-\x1f\xa0\u200b-\u200f\u2060\ufeff]*"
_FORMULA_SIGNS: Final = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_FORMULA_START: Final = re.compile(_INVISIBLE_CHARACTERS + _FORMULA_SIGNS)
"""What begins like a formula, also after signs that do not show, and in full-width letters.

Source: OWASP, "CSV Injection".
"""
_FORMULA_AFTER_SEPARATOR: Final = re.compile(
    rf"([;\t\r\n])(?={_INVISIBLE_CHARACTERS}{_FORMULA_SIGNS})"
)
"""The same behind what separates cells or lines where a comma does not, as in much of Europe."""


_PHONE_NUMBER_PATTERN: Final = re.compile(r"\+[0-9 ]+")


def is_formula_like(text: str) -> bool:
    """Whether a spreadsheet program may take the text for a formula, or act on how it begins."""
    return _FORMULA_START.match(text) is not None


def format_csv_cell(value: CellValue) -> str | int | Decimal:
    """Give a value as a cell of a CSV file.

    A text that may be taken for a formula gets an apostrophe in front, phone numbers among them:
    they stay what they are, are shown in full, and no digit is lost.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    inside = _FORMULA_AFTER_SEPARATOR.sub(r"\1'", value)
    return f"'{inside}" if is_formula_like(value) else inside


def format_excel_cell(value: CellValue, *, sheet: WriteOnlyWorksheet) -> object:
    """Give a value as a cell of an Excel sheet.

    Cells have a type there, so a text is a text and needs no apostrophe; openpyxl makes a formula
    of what begins with `=`, unless it is told. The format "text" keeps it one when it is edited.
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
    """Write a time in its own zone as ISO 8601: "2026-11-22T10:31:00-05:00"."""
    return None if at is None else at.isoformat(timespec="seconds")
