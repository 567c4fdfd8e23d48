"""Generation of a raffle's ticket numbers in steps, so that no request takes long.

With JavaScript, `generate.js` requests one step after the other and shows the progress. Without,
the user presses "Go on".
"""

from django.contrib import admin, messages
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from backoffice.ui import audit_log
from backoffice.ui.actions import ActionResult, run_action
from backoffice.ui.permissions import require_permission
from shared.core.enums import RaffleStatus
from shared.raffles.models import Raffle
from shared.raffles.services.ticket_numbers import number_generation
from shared.raffles.services.ticket_numbers.number_generation import GenerationProgress


@require_http_methods(["GET", "POST"])
def generate_ticket_numbers_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Show the progress; a POST generates the next numbers.

    A POST that accepts JSON but not HTML returns `made`, `total` and `done`; any other redirects to
    this page.
    """
    require_permission(request, "raffles.change_raffle")
    raffle = get_object_or_404(Raffle, pk=raffle_id)
    if request.method == "POST":
        return _answer_generation_request(request, raffle)
    progress = number_generation.measure_progress(raffle)
    context = {
        "raffle": raffle,
        "progress": progress,
        "made": f"{progress.made:,}",
        "total": f"{progress.total:,}",
        "first": raffle.format_ticket_number(raffle.first_number),
        "last": raffle.format_ticket_number(raffle.last_number),
        "may_open": raffle.status == RaffleStatus.DRAFT,
        "title": f"Numbers of {raffle}",
    }
    page = admin.site.each_context(request) | context
    return render(request, "admin/raffles/raffle/generate.html", page)


def _answer_generation_request(request: HttpRequest, raffle: Raffle) -> HttpResponse:
    if not request.accepts("text/html"):
        return _generate_and_answer_json(request, raffle)

    def act() -> ActionResult:
        step = _generate_next_numbers(request, raffle)
        return messages.SUCCESS, f"{step.made:,} of {step.total:,} numbers are made."

    run_action(request, act)
    return redirect("admin:raffles_raffle_generate", raffle.pk)


def _generate_and_answer_json(request: HttpRequest, raffle: Raffle) -> JsonResponse:
    try:
        step = _generate_next_numbers(request, raffle)
    except (OperationalError, InterfaceError):
        return JsonResponse({"message": "The database is busy."}, status=503)
    return JsonResponse({"made": step.made, "total": step.total, "done": step.done})


def _generate_next_numbers(request: HttpRequest, raffle: Raffle) -> GenerationProgress:
    """Generate the next numbers; log only the first and the last step."""
    step = number_generation.generate_next_numbers(raffle.pk)
    if step.added and step.done:
        audit_log.record_action(request, raffle, f"Made all {step.total:,} numbers")
    elif step.added and step.made == step.added:
        audit_log.record_action(request, raffle, f"Began to make {step.total:,} numbers")
    return step
