"""Downloads of a draw: the public record, the winners for the operator alone, the results page."""

from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from backoffice.raffles.draws import pages
from backoffice.raffles.draws.pages import DrawPage
from backoffice.ui import audit_log
from backoffice.ui.permissions import require_permission
from shared.raffles.draws.draw_errors import RaffleNotSealed
from shared.raffles.services.draws.records import (
    public_record,
    record_state,
    results_page,
    winners_file,
)


@require_GET
def record_view(request: HttpRequest, raffle_id: int) -> HttpResponseBase:
    """Return the public record as a ZIP; it has no personal data."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.VIEW_PERMISSION)
    try:
        with transaction.atomic():
            record = public_record.build_public_record(raffle)
    except RaffleNotSealed:
        return redirect(pages.build_page_url(raffle.pk, DrawPage.SEAL))
    name = public_record.build_record_name(raffle)
    return FileResponse(record, as_attachment=True, filename=name)


@require_POST
def winners_file_view(request: HttpRequest, raffle_id: int) -> HttpResponseBase:
    """Return the winners' identities as a ZIP; the download is logged."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.EXPORT_PERMISSION)
    require_permission(request, pages.WINNERS_PERMISSION)
    try:
        with transaction.atomic():
            record = winners_file.build_winners_file(raffle)
    except RaffleNotSealed:
        return redirect(pages.build_page_url(raffle.pk, DrawPage.SEAL))
    audit_log.record_action(request, raffle, "Downloaded the winners of the draw")
    name = winners_file.build_winners_name(raffle)
    return FileResponse(record, as_attachment=True, filename=name)


@require_GET
def results_page_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Return the static results page, to put anywhere; it has no personal data."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.VIEW_PERMISSION)
    try:
        with transaction.atomic():
            state = record_state.load_record_state(raffle.pk)
            page = results_page.build_results_page(state)
    except RaffleNotSealed:
        return redirect(pages.build_page_url(raffle.pk, DrawPage.SEAL))
    name = f"results-{raffle.pk}.html"
    return HttpResponse(
        page,
        content_type="text/html; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
