"""Stubs of a recorded drum as PDF.

Only their download imports this module, because reportlab is slow to import.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Any, Final

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

_COLUMNS: Final = 4
_ROWS: Final = 10
_MARGIN: Final = 24.0
"""Points; printers leave such a margin white."""
_FONT: Final = "Helvetica"
_NUMBER_FONT: Final = "Helvetica-Bold"
_TITLE_SIZE: Final = 8
_MAX_NUMBER_SIZE: Final = 40


def build_stubs_pdf(title: str, numbers: Sequence[str]) -> bytes:
    """Return sheets of A4 with forty stubs each, to be cut along the dashed lines.

    Args:
        title: The raffle's title; letters that the font lacks are left out.
        numbers: The ticket numbers with their zeros, all of one width.

    """
    written = BytesIO()
    canvas = Canvas(written, pagesize=A4, pageCompression=1)
    canvas.setTitle(f"Stubs: {title}")
    per_sheet = _COLUMNS * _ROWS
    for start in range(0, len(numbers), per_sheet):
        _draw_sheet(canvas, title, numbers[start : start + per_sheet])
        canvas.showPage()
    canvas.save()
    return written.getvalue()


def _draw_sheet(canvas: Any, title: str, numbers: Sequence[str]) -> None:
    width, height = A4
    cell_width = (width - 2 * _MARGIN) / _COLUMNS
    cell_height = (height - 2 * _MARGIN) / _ROWS
    canvas.setDash(2, 3)
    canvas.setLineWidth(0.5)
    canvas.grid(
        [_MARGIN + column * cell_width for column in range(_COLUMNS + 1)],
        [_MARGIN + row * cell_height for row in range(_ROWS + 1)],
    )
    words = _fit_title(title, width=cell_width - 12)
    size = _fit_number(numbers[0], width=cell_width - 16)
    for place, number in enumerate(numbers):
        row, column = divmod(place, _COLUMNS)
        middle = _MARGIN + (column + 0.5) * cell_width
        bottom = height - _MARGIN - (row + 1) * cell_height
        canvas.setFont(_FONT, _TITLE_SIZE)
        canvas.drawCentredString(middle, bottom + cell_height - 16, words)
        canvas.setFont(_NUMBER_FONT, size)
        canvas.drawCentredString(middle, bottom + (cell_height - 16 - size) / 2 + 4, number)


def _fit_title(title: str, *, width: float) -> str:
    """Return as much of a title as the font has letters for and one line has room for."""
    words = title.encode("cp1252", "ignore").decode("cp1252").strip()
    if stringWidth(words, _FONT, _TITLE_SIZE) <= width:
        return words
    while words and stringWidth(f"{words}…", _FONT, _TITLE_SIZE) > width:
        words = words[:-1]
    return f"{words.rstrip()}…"


def _fit_number(number: str, *, width: float) -> float:
    """Return the largest font size, in points, in which a ticket number fits."""
    return min(_MAX_NUMBER_SIZE, width / stringWidth(number, _NUMBER_FONT, 1))
