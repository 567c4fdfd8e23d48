"""Excel files of an export, with cells that Excel runs as no formula.

Only an export imports this module, because openpyxl is slow to import.
"""

from tempfile import TemporaryFile
from typing import IO, Final, cast

import regex
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles.numbers import FORMAT_TEXT
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from backoffice.orders.exports.cells import CellValue, is_formula_like
from backoffice.orders.exports.tables import ExportTable

ROWS_PER_SHEET: Final = 1_048_576
"""Maximum rows of an Excel sheet, including the headings."""

_PHONE_NUMBER_PATTERN: Final = regex.compile(r"\+[0-9 ]+")
_TICKET_NUMBER_PATTERN: Final = regex.compile(r"[0-9]+")


def write_excel_file(found: ExportTable, *, title: str) -> tuple[IO[bytes], int]:
    """Write a table to a temporary Excel file on disk.

    Args:
        found: The table; rows beyond `ROWS_PER_SHEET` continue on another sheet.
        title: The name of the sheet.

    Returns:
        The open file, which is deleted when it is closed, and the count of its rows.

    """
    book = Workbook(write_only=True)
    rows, sheet = 0, _add_sheet(book, found, title=title)
    for rows, row in enumerate(found.rows, start=1):
        if rows > 1 and rows % (ROWS_PER_SHEET - 1) == 1:
            sheet = _add_sheet(book, found, title=f"{title} {len(book.worksheets) + 1}")
        sheet.append([format_excel_cell(value, sheet=sheet) for value in row])
    file = TemporaryFile()  # noqa: SIM115 - the response closes it
    book.save(file)
    file.seek(0)
    return file, rows


def _add_sheet(book: Workbook, found: ExportTable, *, title: str) -> WriteOnlyWorksheet:
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    sheet.append(found.headings)
    return cast(WriteOnlyWorksheet, sheet)


def format_excel_cell(value: CellValue, *, sheet: WriteOnlyWorksheet) -> object:
    """Return a value as a cell of an Excel sheet.

    Excel cells have a type, so a text needs no apostrophe. openpyxl makes a formula of a text that
    begins with `=` unless its data type is set. The number format "text" keeps it a text when
    somebody edits the cell, and keeps the leading zeros of a ticket number.
    """
    if not isinstance(value, str):
        return value
    clean = ILLEGAL_CHARACTERS_RE.sub("", value)
    is_plain = not is_formula_like(clean) or _PHONE_NUMBER_PATTERN.fullmatch(clean)
    if is_plain and not _TICKET_NUMBER_PATTERN.fullmatch(clean):
        return clean
    cell = WriteOnlyCell(sheet, value=clean)
    cell.data_type = "s"
    cell.number_format = FORMAT_TEXT
    return cell
