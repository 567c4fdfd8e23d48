"""Admin of deliveries: each event sent to each endpoint, with the answer."""
# ruff: noqa: ARG002 - Django passes these arguments

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.automation import event_labels
from backoffice.changelists.detail_actions import DetailActionsAdmin, detail_action
from backoffice.changelists.facets import CountedConditionFilter
from backoffice.changelists.filters import ConditionFilter
from backoffice.changelists.selects import FilteredAdmin
from backoffice.ui import audit_log, display
from backoffice.ui.actions import ActionResult, apply_to_each_row
from shared.core import config
from shared.core.enums import EventDeliveryStatus
from shared.events.models import Event, EventDelivery, EventEndpoint
from shared.events.services import deliveries
from shared.publishing import event_payloads

MAX_DELIVERIES_PER_ACTION: Final = 500
"""Maximum number of deliveries per action; each is its own transaction."""

_MAX_EVENTS_SEARCHED: Final = 500
"""Maximum number of events whose deliveries a search includes; no order has as many."""

_MAX_ENDPOINTS_OFFERED: Final = 200
"""Maximum number of endpoints in the filter."""

_MAX_ATTEMPTS_SHOWN: Final = 50
"""Maximum number of attempts on a delivery's page."""


class DeliveryStatusFilter(CountedConditionFilter):
    """Deliveries by status, those that need attention first."""

    title = "Status"
    parameter_name = "status"
    answers: ClassVar = {
        status: (label, Q(status=status))
        for status, (label, _) in event_labels.DELIVERY_STATUS_BADGES.items()
    }
    counted = (
        EventDeliveryStatus.FAILED,
        EventDeliveryStatus.QUEUED,
        EventDeliveryStatus.SENDING,
    )


class DeliveryEventTypeFilter(ConditionFilter):
    """Deliveries by type of event."""

    title = "Event"
    parameter_name = "type"
    as_select = True
    answers: ClassVar = event_labels.build_event_type_answers("event__type")


class DeliveryEndpointFilter(admin.SimpleListFilter):
    """Deliveries by endpoint."""

    title = "Endpoint"
    parameter_name = "endpoint"
    as_select = True

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the endpoints as pairs of id and name."""
        endpoints = EventEndpoint.objects.values_list("pk", "name")[:_MAX_ENDPOINTS_OFFERED]
        return [(str(key), name) for key, name in endpoints]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Return the deliveries to the chosen endpoint, or all if none is chosen."""
        endpoint_ids = {value for value, _ in self.lookup_choices}
        if self.value() not in endpoint_ids:
            return queryset
        return queryset.filter(endpoint_id=self.value())


@admin.register(EventDelivery)
class EventDeliveryAdmin(DetailActionsAdmin, FilteredAdmin):
    """Log of deliveries."""

    menu_name = "Deliveries"
    lead = "Which event was sent where, what was answered, and what is tried again."
    list_display = ("what", "regarding", "to", "state", "answer", "queued")
    list_filter = (DeliveryStatusFilter, DeliveryEndpointFilter, DeliveryEventTypeFilter)
    list_select_related = ("event", "endpoint")
    search_fields: ClassVar[tuple[str, ...]] = ("event__event_id",)
    search_help_text = "Order code or event id"
    ordering = ("-id",)
    actions = ("resend",)
    detail_actions = ("send_again",)
    page_only = ("response", "event__data", "endpoint__secret", "endpoint__header_value")
    change_form_template = "admin/events/eventdelivery/change_form.html"

    @admin.display(description="Event")
    def what(self, delivery: EventDelivery) -> str:
        """Return the type of the event."""
        return delivery.event.type

    @admin.display(description="About", empty_value="")
    def regarding(self, delivery: EventDelivery) -> str:
        """Return the subject of the event, as a link if it is an order."""
        return event_labels.render_event_subject(delivery.event)

    @admin.display(description="Endpoint")
    def to(self, delivery: EventDelivery) -> str:
        """Return the name of the endpoint."""
        return delivery.endpoint.name

    @admin.display(description="Status")
    def state(self, delivery: EventDelivery) -> SafeString:
        """Return the state as a badge, with its reason and the next attempt below."""
        state, style = event_labels.describe_delivery_state(delivery)
        why = display.shorten_text(
            event_labels.explain_delivery_state(delivery, now=timezone.now()), length=160
        )
        return format_html(
            '{}<span class="why">{}</span>', display.render_badge(state, style=style), why
        )

    @admin.display(description="Answer", empty_value="")
    def answer(self, delivery: EventDelivery) -> SafeString | None:
        """Return HTTP status and latency, with the number of attempts below."""
        if not delivery.attempts:
            return None
        answer = event_labels.describe_response(delivery.http_status, delivery.latency_ms)
        tries = f"{delivery.attempts} tries" if delivery.attempts > 1 else ""
        return format_html('{}<span class="why">{}</span>', answer, tries)

    @admin.display(description="Queued")
    def queued(self, delivery: EventDelivery) -> str:
        """Return when the delivery was queued first."""
        return display.format_time(delivery.created_at)

    def find_rows(
        self, request: HttpRequest, queryset: QuerySet[EventDelivery], term: str
    ) -> QuerySet[EventDelivery]:
        """Return deliveries by order code or event id, with a separate query for the events."""
        events = (
            Event.objects.filter(event_labels.build_event_search_condition(term))
            .order_by("-id")
            .values_list("pk", flat=True)
        )
        return queryset.filter(event_id__in=list(events[:_MAX_EVENTS_SEARCHED]))

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may send deliveries again."""
        return request.user.has_perm("events.change_eventdelivery")

    @admin.action(description="Send again", permissions=["resend"])
    def resend(self, request: HttpRequest, chosen: QuerySet[EventDelivery]) -> None:
        """Queue the chosen deliveries again, oldest first."""
        rows = list(chosen.order_by("pk")[: MAX_DELIVERIES_PER_ACTION + 1])
        if len(rows) > MAX_DELIVERIES_PER_ACTION:
            messages.error(
                request, f"Choose {MAX_DELIVERIES_PER_ACTION} at most; nothing was changed."
            )
            return
        apply_to_each_row(
            request,
            rows,
            _resend_delivery,
            done="Queued again",
            name=event_labels.describe_delivery,
        )

    @detail_action(
        route="<id:delivery_id>/again/",
        name="again",
        label="Send again",
        icon="redo",
        style="primary w-100",
        permission="resend",
    )
    def send_again(self, request: HttpRequest, delivery: EventDelivery) -> ActionResult:
        """Queue the delivery again."""
        _resend_delivery(request, delivery)
        if not delivery.endpoint.active:
            return messages.WARNING, "Queued. It leaves once its endpoint is turned on."
        return messages.SUCCESS, "Queued again; it leaves within seconds."

    def get_queryset(self, request: HttpRequest) -> QuerySet[EventDelivery]:
        """Return the deliveries with their events and endpoints."""
        return super().get_queryset(request).select_related("event", "endpoint")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Add the request body and the attempts to the context."""
        delivery: EventDelivery = kwargs["obj"]
        tries = list(delivery.tries.order_by("-id")[: _MAX_ATTEMPTS_SHOWN + 1])
        context |= {
            "title": event_labels.describe_delivery(delivery),
            "body": event_payloads.build_event_payload(
                delivery.event, public_url=config.get_settings().public_url, now=timezone.now()
            ),
            "tries": tries[:_MAX_ATTEMPTS_SHOWN],
            "more_tries": len(tries) > _MAX_ATTEMPTS_SHOWN,
        }
        return super().render_change_form(request, context, *args, **kwargs)


def _resend_delivery(request: HttpRequest, delivery: EventDelivery) -> None:
    """Queue a delivery again and log it.

    Raises:
        DeliveryUnderWay: the delivery is being sent.

    """
    deliveries.resend_delivery(delivery.pk, now=timezone.now())
    audit_log.record_action(request, delivery, "Sent the event again")
