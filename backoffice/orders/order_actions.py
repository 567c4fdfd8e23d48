"""Notes about an order, and more time for its buyer: POST views that call one use case each."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from backoffice.orders.payment_decisions.decisions import OrderDecision
from backoffice.ui import display
from backoffice.ui.actions import build_staff_actor
from shared.use_cases import order_deadlines, order_notes


@require_POST
def add_note_view(request: HttpRequest, order_id: int) -> HttpResponse:
    """Add a note to the history of an order, whatever its status."""
    with OrderDecision(request, order_id) as decision:
        note = request.POST.get("note", "").replace("\r\n", "\n")  # as the browser counted it
        order_notes.add_order_note(
            order_id, note=note, by=build_staff_actor(request), now=timezone.now()
        )
        decision.report(
            messages.SUCCESS, f"The note is in the history of {decision.order}.", leaves=False
        )
    return decision.redirect_back()


@require_POST
def give_more_time_view(request: HttpRequest, order_id: int) -> HttpResponse:
    """Start the time to confirm or to pay an order anew; the buyer is told."""
    with OrderDecision(request, order_id) as decision:
        order = order_deadlines.give_more_time(
            order_id, by=build_staff_actor(request), now=timezone.now()
        )
        until = display.format_time(order.expires_at, zone=order.raffle.time_zone)
        decision.report(
            messages.SUCCESS, f"{order} has time until {until}. The buyer is told.", leaves=False
        )
    return decision.redirect_back()
