"""Actions of staff on deliveries of events."""

from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from backoffice.ui import audit_log
from backoffice.ui.actions import ActionResult, run_action
from shared.events.models import EventDelivery
from shared.events.services import deliveries

RESEND_PERMISSION: Final = "events.change_eventdelivery"


@require_POST
def resend_delivery_view(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Queue a delivery again."""
    if not request.user.has_perm(RESEND_PERMISSION):
        raise PermissionDenied
    rows = EventDelivery.objects.select_related("event", "endpoint")
    delivery = get_object_or_404(rows, pk=delivery_id)

    def act() -> ActionResult:
        resend_delivery(request, delivery)
        if not delivery.endpoint.active:
            return messages.WARNING, "Queued. It leaves once its endpoint is turned on."
        return messages.SUCCESS, "Queued again; it leaves within seconds."

    run_action(request, act)
    return redirect("admin:events_eventdelivery_change", delivery.pk)


def resend_delivery(request: HttpRequest, delivery: EventDelivery) -> None:
    """Queue a delivery again and log it.

    Raises:
        DeliveryUnderWay: the delivery is being sent.

    """
    deliveries.resend_delivery(delivery.pk, now=timezone.now())
    audit_log.record_action(request, delivery, "Sent the event again")
