"""Cells of an export that no spreadsheet program runs as a formula."""

from datetime import datetime
from decimal import Decimal
from typing import Final

import regex

type CellValue = str | int | Decimal | None
"""A value of an export: text, whole number or amount; times are formatted as text before."""

_INVISIBLE_CHARACTERS: Final = r"[[\p{Z}\p{C}\p{M}\p{DI}]--[\t\r\n]]*+"
"""By Unicode category, not by name: spaces, controls, marks, and letters without a picture."""
_FORMULA_SIGNS: Final = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212]"
"""Signs in ASCII, full width (＝＋－＠) and small (﹦﹢﹣﹫), the minus sign, and ends of cells."""
_FORMULA_START: Final = regex.compile(_INVISIBLE_CHARACTERS + _FORMULA_SIGNS, regex.V1)
"""The start of a formula, also after invisible characters.

Source: OWASP, "CSV Injection".
"""
_FORMULA_AFTER_SEPARATOR: Final = regex.compile(
    rf"([;\t\r\n])(?={_INVISIBLE_CHARACTERS}{_FORMULA_SIGNS})", regex.V1
)
"""The same after other separators of cells or lines, such as the semicolon in many countries."""


def is_formula_like(text: str) -> bool:
    """Whether a spreadsheet program may take a text for a formula or a command."""
    return _FORMULA_START.match(text) is not None


def format_csv_cell(value: CellValue) -> str | int | Decimal:
    """Return a value as a cell of a CSV file.

    A text that may be taken for a formula gets an apostrophe in front. This includes phone
    numbers, which are then shown as text without losing digits. A ticket number stays as it is,
    with its leading zeros.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    escaped = _FORMULA_AFTER_SEPARATOR.sub(r"\1'", value)
    return f"'{escaped}" if is_formula_like(value) else escaped


def format_iso_time(at: datetime | None) -> str | None:
    """Return a time in its own zone as ISO 8601, e.g. "2026-11-22T10:31:00-05:00"."""
    return None if at is None else at.isoformat(timespec="seconds")
