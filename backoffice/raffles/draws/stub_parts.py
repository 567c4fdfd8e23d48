"""Printable stubs of a recorded drum, in parts that need little memory."""

from dataclasses import dataclass
from typing import Final

from django.db.models import BinaryField
from django.db.models.functions import Substr
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from backoffice.raffles.draws import pages
from backoffice.ui import ids
from shared.raffles import receipt_lines
from shared.raffles.draws.draw_models import SealedList
from shared.raffles.models import Raffle

STUBS_PER_PART: Final = 4_000
"""Stubs of one file: a hundred sheets, which a printer takes at once."""


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
    from backoffice.raffles.draws import stubs_pdf  # noqa: PLC0415 - reportlab is slow to import

    part = parts[wanted - 1]
    numbers = load_numbers(raffle, part)
    name = f"stubs-{slugify(raffle.title) or raffle.pk}-{part.number}.pdf"
    return HttpResponse(
        stubs_pdf.build_stubs_pdf(raffle.title, numbers),
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
