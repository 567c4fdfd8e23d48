"""Draw page: the inputs once more, and the one step that nobody can undo."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from backoffice.raffles.draws import pages
from backoffice.raffles.draws.pages import DrawAction, DrawPage
from backoffice.ui import audit_log
from backoffice.ui.actions import ActionRefused, build_staff_actor
from backoffice.ui.permissions import require_permission
from shared.raffles.draws.draw_models import SealedList
from shared.raffles.models import Raffle
from shared.raffles.services.draws import drawing


@require_http_methods(["GET", "POST"])
def draw_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Show what the draw is computed from; a POST draws."""
    raffle = pages.load_raffle(request, raffle_id, permission=pages.VIEW_PERMISSION)
    if request.method == "POST":
        return _draw(request, raffle)
    sealed = SealedList.objects.defer("numbers").filter(raffle=raffle).first()
    if sealed is None:
        return redirect(pages.build_page_url(raffle.pk, DrawPage.SEAL))
    inputs = drawing.load_inputs(raffle, sealed)
    if not inputs.prizes:
        return redirect(pages.build_page_url(raffle.pk, DrawPage.RESULT))
    context = {
        "sealed": sealed,
        "inputs": inputs,
        "readings": [state.reading for state in inputs.states if state.reading is not None]
        or list(inputs.stubs),
    }
    return pages.render_draw_page(request, raffle, DrawPage.DRAW, context)


def _draw(request: HttpRequest, raffle: Raffle) -> HttpResponse:
    require_permission(request, pages.DRAW_PERMISSION)
    action = DrawAction(request)
    with action:
        if request.POST.get("sure") != "yes":
            raise ActionRefused("Confirm that it may be drawn; nothing was changed.")
        drawn = drawing.draw(
            raffle.pk,
            fingerprint=request.POST.get("inputs", ""),
            by=build_staff_actor(request),
            now=timezone.now(),
        )
        if drawn.repeated:
            raise ActionRefused("It was drawn before: here is the result.", level=messages.INFO)
        numbers = ", ".join(
            f"{result.prize}: {raffle.format_ticket_number(result.number)}"
            for result in drawn.results
        )
        audit_log.record_action(request, raffle, f"Drew {numbers}")
        action.report(messages.SUCCESS, "Drawn.")
    page = DrawPage.DRAW if action.level == messages.ERROR else DrawPage.RESULT
    return redirect(pages.build_page_url(raffle.pk, page))
