"""Sales and buyers as a file for a spreadsheet: streamed, safe to open, and written down."""

import csv
from collections.abc import Callable, Generator
from datetime import datetime
from itertools import batched
from tempfile import TemporaryFile
from typing import IO, Any, Final, cast

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from openpyxl import Workbook
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from backoffice.orders.exports.cells import for_csv, for_excel
from backoffice.orders.exports.rows import Table, Wanted, What, table
from backoffice.ui import audit_log
from shared.core import enums
from shared.core.enums import OrderStatus
from shared.raffles.models import Order, Raffle

PERMISSION: Final = "raffles.export_order"
ROWS_A_SHEET: Final = 1_048_576
"""What an Excel sheet holds, the headings included."""

_LINES_AT_ONCE: Final = 500
_BOM: Final = "\ufeff"
"""Tells Excel that the file is UTF-8."""

_WHAT: Final = {
    What.NUMBERS: "Sales, a row a number",
    What.ORDERS: "Sales, a row an order",
    What.BUYERS: "Buyers, a row a buyer with totals",
}
_FORMATS: Final = {"csv": "CSV", "xlsx": "Excel"}


class Choice(forms.Form):
    """What to export, and how."""

    what = forms.ChoiceField(
        choices=[(what.value, words) for what, words in _WHAT.items()],
        initial=What.NUMBERS.value,
        widget=forms.RadioSelect,
        label="What",
    )
    raffle = forms.ModelChoiceField(
        Raffle.objects.order_by("-id"), required=False, empty_label="All raffles"
    )
    status = forms.ChoiceField(
        choices=[("", "Any status"), *enums.build_choices(OrderStatus)],
        required=False,
        initial=OrderStatus.PAID.value,
        label="Orders that are",
    )
    format = forms.ChoiceField(
        choices=list(_FORMATS.items()), initial="csv", widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("raffle", "status"):
            self.fields[name].widget.attrs["class"] = "form-select"
        for name in ("what", "format"):
            self.fields[name].widget.attrs["class"] = "form-check-input"

    def wanted(self) -> Wanted:
        """Give what was chosen."""
        chosen = self.cleaned_data
        status = OrderStatus(chosen["status"]) if chosen["status"] else None
        return Wanted(What(chosen["what"]), chosen["raffle"], status)


def export(request: HttpRequest) -> HttpResponseBase:
    """Ask what to export; a POST gives the file."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    if request.method == "POST":
        form = Choice(request.POST)
        if form.is_valid():
            return _file(request, form.wanted(), form.cleaned_data["format"])
    else:
        form = Choice(initial={**_INITIAL, **request.GET.dict()})
    context = {"form": form, "title": "Export sales and buyers"}
    return render(request, "desk/export.html", admin.site.each_context(request) | context)


_INITIAL: Final = {name: field.initial for name, field in Choice.base_fields.items()}


def _file(request: HttpRequest, wanted: Wanted, kind: str) -> HttpResponseBase:
    def exported(rows: int, *, whole: bool = True) -> None:
        cut = "" if whole else ", then the download was broken off"
        said = f"Exported {rows:,} rows as {_FORMATS[kind]}: {described(wanted)}{cut}"
        audit_log.note_about(
            request, Order, name=str(wanted.raffle or "All raffles"), sentence=said
        )

    found = table(wanted, zone=settings.TIME_ZONE)
    name = file_name(wanted, kind=kind, now=timezone.localtime())
    if kind == "xlsx":
        file, rows = excel(found, title=wanted.what.capitalize())
        exported(rows)
        return FileResponse(file, as_attachment=True, filename=name, content_type=_EXCEL)
    response = StreamingHttpResponse(
        csv_lines(found, done=exported), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["X-Accel-Buffering"] = "no"
    return response


_EXCEL: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def described(wanted: Wanted) -> str:
    """Say in words what is exported."""
    status = enums.format_label(wanted.status).lower() if wanted.status else "any status"
    return f"{_WHAT[wanted.what].lower()}, {wanted.raffle or 'all raffles'}, {status}"


def file_name(wanted: Wanted, *, kind: str, now: datetime) -> str:
    """Name the file: `orders-summer-raffle-2026-11-22.csv`."""
    raffle = slugify(wanted.raffle.title) if wanted.raffle else "all-raffles"
    return f"{wanted.what.lower()}-{raffle or 'raffle'}-{now:%Y-%m-%d}.{kind}"


class _Line:
    """What csv writes to: gives each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def csv_lines(found: Table, *, done: Callable[..., None]) -> Generator[bytes]:
    """Write a table as CSV, a few hundred lines at a time.

    Args:
        found: what to write.
        done: told how many rows were written, also when the browser went away before the end.

    """
    write = csv.writer(cast("IO[str]", _Line())).writerow
    rows, whole = 0, False
    try:
        yield f"{_BOM}{write(found.headings)}".encode()
        for some in batched(found.rows, _LINES_AT_ONCE):
            rows += len(some)
            yield "".join(str(write(map(for_csv, row))) for row in some).encode()
        whole = True
    finally:
        done(rows, whole=whole)


def excel(found: Table, *, title: str) -> tuple[IO[bytes], int]:
    """Write a table as an Excel file that lies on disk and not in memory.

    Args:
        found: what to write; beyond what a sheet holds a second one begins.
        title: what the sheet is called.

    Returns:
        The open file, which is gone once it is closed, and how many rows it has.

    """
    book = Workbook(write_only=True)
    rows, sheet = 0, _sheet(book, found, title=title)
    for rows, row in enumerate(found.rows, start=1):
        if rows > 1 and rows % (ROWS_A_SHEET - 1) == 1:
            sheet = _sheet(book, found, title=f"{title} {len(book.worksheets) + 1}")
        sheet.append([for_excel(value, sheet=sheet) for value in row])
    file = TemporaryFile()  # noqa: SIM115 - the response closes it
    book.save(file)
    file.seek(0)
    return file, rows


def _sheet(book: Workbook, found: Table, *, title: str) -> WriteOnlyWorksheet:
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    sheet.append(found.headings)
    return cast(WriteOnlyWorksheet, sheet)
