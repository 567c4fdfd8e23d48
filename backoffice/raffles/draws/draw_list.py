"""List of the draws: each raffle with its next step, and the address that leads to that step."""

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from backoffice.orders.pagination import get_worklist_page
from backoffice.raffles import status
from backoffice.raffles.draws import next_steps, pages
from backoffice.ui.permissions import require_permission
from shared.core.enums import RaffleStatus
from shared.raffles.models import Raffle


@require_GET
def draw_list_view(request: HttpRequest) -> HttpResponse:
    """Show the raffles that are on sale, sealed or drawn, each with its next step."""
    require_permission(request, pages.VIEW_PERMISSION)
    hidden = [RaffleStatus.DRAFT, RaffleStatus.CANCELLED]
    raffles = Raffle.objects.exclude(status__in=hidden)
    now = timezone.now()
    rows = next_steps.annotate_draw_progress(raffles, now=now).order_by("-pk")
    page = get_worklist_page(rows, count=raffles.count(), number=request.GET.get("page", ""))
    context = {
        "page": page,
        "rows": [
            (
                raffle,
                status.render_status_badge(raffle),
                next_steps.find_next_step(raffle, now=now),
            )
            for raffle in page
        ],
        "title": "Draws",
    }
    return render(request, "raffles/draws/list.html", admin.site.each_context(request) | context)


@require_GET
def next_step_view(request: HttpRequest, raffle_id: int) -> HttpResponse:
    """Redirect to the page of a raffle's next step."""
    require_permission(request, pages.VIEW_PERMISSION)
    now = timezone.now()
    rows = next_steps.annotate_draw_progress(Raffle.objects.filter(pk=raffle_id), now=now)
    raffle = rows.first()
    if raffle is None:
        raise Http404("There is no such raffle.")
    return redirect(next_steps.find_next_step(raffle, now=now).address)
