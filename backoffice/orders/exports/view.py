"""Export of sales and buyers as CSV or Excel: streamed, free of formulas, and logged."""

import csv
from collections.abc import Callable, Generator
from datetime import date, datetime, time, timedelta
from itertools import batched
from typing import IO, Any, Final, cast
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.text import slugify

from backoffice.orders.exports.cells import format_csv_cell
from backoffice.orders.exports.selection import ExportKind, ExportSelection
from backoffice.orders.exports.tables import ExportTable, build_export_table
from backoffice.ui import audit_log
from backoffice.ui.permissions import require_permission
from shared.core import enums
from shared.core.enums import OrderStatus
from shared.raffles.models import Order, Raffle

EXPORT_PERMISSION: Final = "raffles.export_order"
_LINES_PER_CHUNK: Final = 500
_BOM: Final = "\ufeff"
"""The byte order mark by which Excel recognises UTF-8."""

_KIND_LABELS: Final = {
    ExportKind.NUMBERS: "Sales, a row a number",
    ExportKind.ORDERS: "Sales, a row an order",
    ExportKind.BUYERS: "Buyers, a row a buyer with totals",
    ExportKind.REFUNDS: "Refunds to make and made, a row each, orders of any status",
    ExportKind.MONEY: "Money in and money back, a row a payment or refund",
}
_FORMAT_LABELS: Final = {"csv": "CSV", "xlsx": "Excel"}


class _DateInput(forms.DateInput):
    """The browser's own date picker."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": "form-control", **(attrs or {})}, format="%Y-%m-%d")


class ExportForm(forms.Form):
    """The orders, the kind of rows and the file format of an export."""

    what = forms.ChoiceField(
        choices=[(what.value, words) for what, words in _KIND_LABELS.items()],
        initial=ExportKind.NUMBERS.value,
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
    since = forms.DateField(required=False, label="From", widget=_DateInput)
    until = forms.DateField(required=False, label="To, that day included", widget=_DateInput)
    format = forms.ChoiceField(
        choices=list(_FORMAT_LABELS.items()), initial="csv", widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("raffle", "status"):
            self.fields[name].widget.attrs["class"] = "form-select"
        for name in ("what", "format"):
            self.fields[name].widget.attrs["class"] = "form-check-input"

    def build_selection(self) -> ExportSelection:
        """Return the orders and the kind of rows that were chosen."""
        chosen = self.cleaned_data
        what = ExportKind(chosen["what"])
        by_status = chosen["status"] and what != ExportKind.MONEY
        status = OrderStatus(chosen["status"]) if by_status else None
        raffle: Raffle | None = chosen["raffle"]
        zone = ZoneInfo(raffle.time_zone if raffle else settings.TIME_ZONE)
        start, until = chosen["since"], chosen["until"]
        return ExportSelection(
            what,
            raffle,
            status,
            start=_get_midnight(start, zone=zone) if start else None,
            end=_get_midnight(until + timedelta(days=1), zone=zone) if until else None,
        )

    def clean(self) -> dict[str, Any]:
        """Refuse dates in the wrong order, and dates for refunds, which may still be to make."""
        chosen = super().clean() or {}
        since, until = chosen.get("since"), chosen.get("until")
        if since and until and since > until:
            self.add_error("until", "This day is before the first one.")
        if chosen.get("what") == ExportKind.REFUNDS and (since or until):
            self.add_error("since", "Refunds have no dates here; choose the rows of money.")
        return chosen


def _get_midnight(day: date, *, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone)


def export_view(request: HttpRequest) -> HttpResponseBase:
    """Return the form, or the file for a valid POST.

    Raises:
        PermissionDenied: The user may not export orders.

    """
    require_permission(request, EXPORT_PERMISSION)
    if request.method == "POST":
        form = ExportForm(request.POST)
        if form.is_valid():
            return _build_file_response(
                request, form.build_selection(), form.cleaned_data["format"]
            )
    else:
        form = ExportForm(initial={**_INITIAL_VALUES, **request.GET.dict()})
    context = {"form": form, "title": "Export sales and buyers"}
    return render(request, "orders/export.html", admin.site.each_context(request) | context)


_INITIAL_VALUES: Final = {name: field.initial for name, field in ExportForm.base_fields.items()}


def _build_file_response(
    request: HttpRequest, wanted: ExportSelection, kind: str
) -> HttpResponseBase:
    def record_export(rows: int, *, whole: bool = True) -> None:
        cut = "" if whole else ", then the download was broken off"
        sentence = (
            f"Exported {rows:,} rows as {_FORMAT_LABELS[kind]}: {describe_selection(wanted)}{cut}"
        )
        audit_log.record_bulk_action(
            request, Order, name=str(wanted.raffle or "All raffles"), sentence=sentence
        )

    table = build_export_table(wanted, zone=settings.TIME_ZONE, now=timezone.now())
    name = build_file_name(wanted, kind=kind, now=timezone.localtime())
    if kind == "xlsx":
        from backoffice.orders.exports import excel  # noqa: PLC0415 - openpyxl is slow to import

        file, rows = excel.write_excel_file(table, title=wanted.what.capitalize())
        record_export(rows)
        return FileResponse(
            file, as_attachment=True, filename=name, content_type=_EXCEL_CONTENT_TYPE
        )
    response = StreamingHttpResponse(
        generate_csv_lines(table, done=record_export), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["X-Accel-Buffering"] = "no"
    return response


_EXCEL_CONTENT_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def describe_selection(wanted: ExportSelection) -> str:
    """Return a description of the exported rows."""
    status = enums.format_label(wanted.status).lower() if wanted.status else "any status"
    chosen = f"{_KIND_LABELS[wanted.what].lower()}, {wanted.raffle or 'all raffles'}, {status}"
    return ", ".join(filter(None, (chosen, _describe_dates(wanted))))


def _describe_dates(wanted: ExportSelection) -> str:
    since = f"from {wanted.start:%Y-%m-%d}" if wanted.start else ""
    last = wanted.end - timedelta(days=1) if wanted.end else None
    return " ".join(filter(None, (since, f"to {last:%Y-%m-%d}" if last else "")))


def build_file_name(wanted: ExportSelection, *, kind: str, now: datetime) -> str:
    """Return the file name, e.g. `orders-summer-raffle-2026-11-22.csv`."""
    raffle = slugify(wanted.raffle.title) if wanted.raffle else "all-raffles"
    return f"{wanted.what.lower()}-{raffle or 'raffle'}-{now:%Y-%m-%d}.{kind}"


class _LineEcho:
    """A file for `csv.writer` that returns each line instead of storing it."""

    def write(self, line: str) -> str:
        return line


def generate_csv_lines(found: ExportTable, *, done: Callable[..., None]) -> Generator[bytes]:
    """Yield a table as CSV, in chunks of a few hundred lines.

    Args:
        found: The table.
        done: Called at the end with the count of rows, and with `whole=False` if the browser
            closed the connection before.

    """
    write = csv.writer(cast("IO[str]", _LineEcho())).writerow
    rows, whole = 0, False
    try:
        yield f"{_BOM}{write(found.headings)}".encode()
        for chunk in batched(found.rows, _LINES_PER_CHUNK):
            rows += len(chunk)
            yield "".join(str(write(map(format_csv_cell, row))) for row in chunk).encode()
        whole = True
    finally:
        done(rows, whole=whole)
