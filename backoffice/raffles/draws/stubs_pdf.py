"""Printable stubs of a recorded drum, as PDF in parts that need little memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from django.db.models import BinaryField
from django.db.models.functions import Substr
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.text import slugify
from django.views.decorators.http import require_GET
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from backoffice.raffles.draws import pages
from backoffice.ui import ids
from shared.raffles import receipt_lines
from shared.raffles.draws.draw_models import SealedList
from shared.raffles.models import Raffle

STUBS_PER_PART: Final = 4_000
"""Stubs of one file: a hundred sheets, which a printer takes at once."""
_COLUMNS: Final = 4
_ROWS: Final = 10
_MARGIN: Final = 24.0
"""Points; printers leave such a margin white."""
_FONT: Final = "Helvetica"
_NUMBER_FONT: Final = "Helvetica-Bold"
_TITLE_SIZE: Final = 8
_MAX_NUMBER_SIZE: Final = 40


@dataclass(frozen=True, slots=True)
class StubPart:
    """A file of stubs: its number, and which of the sealed list's numbers are in it, from 1."""

    number: int
    first: int
    last: int


def list_parts(sealed: SealedList) -> list[StubPart]:
    """Return the files that together have a stub for every sold number."""
    starts = range(0, sealed.count, STUBS_PER_PART)
    return [
        StubPart(number, first=start + 1, last=min(start + STUBS_PER_PART, sealed.count))
        for number, start in enumerate(starts, start=1)
    ]


@require_GET
def stubs_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Return one part of the stubs as PDF; `part` is its number, from 1."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.DRAW_PERMISSION)
    wanted = ids.parse_digits(request.GET.get("part", "1"), most=1_000)
    sealed = SealedList.objects.defer("numbers").filter(raffle=raffle).first()
    parts = list_parts(sealed) if sealed is not None else []
    if sealed is None or wanted is None or not 1 <= wanted <= len(parts):
        raise Http404("There are no such stubs.")
    part = parts[wanted - 1]
    numbers = load_numbers(raffle, part)
    name = f"stubs-{slugify(raffle.title) or raffle.pk}-{part.number}.pdf"
    return HttpResponse(
        build_stubs_pdf(raffle.title, numbers),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def load_numbers(raffle: Raffle, part: StubPart) -> list[str]:
    """Return the ticket numbers of one part; the database sends no others."""
    line = raffle.width + 1  # its LF
    wanted = Substr(
        "numbers",
        (part.first - 1) * line + 1,
        (part.last - part.first + 1) * line,
        output_field=BinaryField(),
    )
    found = SealedList.objects.filter(raffle=raffle).values_list(wanted, flat=True)
    return receipt_lines.read_list(bytes(found[0]))


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
