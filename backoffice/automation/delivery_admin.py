"""Deliveries: which event reached which endpoint, what was answered, and why it waits."""
# ruff: noqa: ARG002 - Django gives these arguments

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.automation import delivery_actions, event_labels, event_page
from backoffice.automation.event_admin import build_event_search_condition, render_event_subject
from backoffice.automation.event_labels import build_event_type_answers
from backoffice.changelists.facets import CountedConditionFilter
from backoffice.changelists.filters import ConditionFilter
from backoffice.changelists.selects import FilteredAdmin
from backoffice.ui import display
from backoffice.ui.actions import apply_to_each_row
from shared.core.enums import EventDeliveryStatus
from shared.events.models import Event, EventDelivery, EventEndpoint

MAX_DELIVERIES_PER_ACTION: Final = 500
"""Deliveries that one action sends again; each is a transaction of its own."""

_MAX_EVENTS_SEARCHED: Final = 500
"""Events whose deliveries are looked for; no order has so many."""


class DeliveryStatusFilter(CountedConditionFilter):
    """Deliveries by how far they got; what needs a look comes first."""

    title = "Status"
    parameter_name = "status"
    answers: ClassVar = {
        status: (said, Q(status=status))
        for status, (said, _) in event_labels.DELIVERY_STATUS_BADGES.items()
    }
    counted = (
        EventDeliveryStatus.FAILED,
        EventDeliveryStatus.QUEUED,
        EventDeliveryStatus.SENDING,
    )


class DeliveryEventTypeFilter(ConditionFilter):
    """Deliveries by what happened."""

    title = "Event"
    parameter_name = "type"
    as_select = True
    answers: ClassVar = build_event_type_answers("event__type")


class DeliveryEndpointFilter(admin.SimpleListFilter):
    """Deliveries to one endpoint."""

    title = "Endpoint"
    parameter_name = "endpoint"
    as_select = True

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Give the endpoints one can choose."""
        found = EventEndpoint.objects.values_list("pk", "name")[:200]
        return [(str(key), name) for key, name in found]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Keep the chosen endpoint's rows."""
        offered = {value for value, _ in self.lookup_choices}
        return queryset.filter(endpoint_id=self.value()) if self.value() in offered else queryset


@admin.register(EventDelivery)
class EventDeliveryAdmin(FilteredAdmin):
    """The log of what was sent where."""

    menu_name = "Deliveries"
    lead = "Which event was sent where, what was answered, and what is tried again."
    list_display = ("what", "regarding", "to", "state", "answer", "queued")
    list_filter = (DeliveryStatusFilter, DeliveryEndpointFilter, DeliveryEventTypeFilter)
    list_select_related = ("event", "endpoint")
    search_fields: ClassVar[tuple[str, ...]] = ("event__event_id",)
    search_help_text = "Order code or event id"
    ordering = ("-id",)
    actions = ("resend",)
    page_only = ("response", "event__data", "endpoint__secret", "endpoint__header_value")
    change_form_template = "admin/events/eventdelivery/change_form.html"

    @admin.display(description="Event")
    def what(self, delivery: EventDelivery) -> str:
        """Give the name programs know it by."""
        return delivery.event.type

    @admin.display(description="About", empty_value="")
    def regarding(self, delivery: EventDelivery) -> str | None:
        """Give the order, or what else it is about."""
        return render_event_subject(delivery.event)

    @admin.display(description="Endpoint")
    def to(self, delivery: EventDelivery) -> str:
        """Where it goes."""
        return delivery.endpoint.name

    @admin.display(description="Status")
    def state(self, delivery: EventDelivery) -> SafeString:
        """State as a badge, and below it why and when it is tried again."""
        state, style = event_labels.describe_delivery_state(delivery)
        why = display.shorten_text(
            event_labels.explain_delivery_state(delivery, now=timezone.now()), length=160
        )
        return format_html(
            '{}<span class="why">{}</span>', display.render_badge(state, style=style), why
        )

    @admin.display(description="Answer", empty_value="")
    def answer(self, delivery: EventDelivery) -> SafeString | None:
        """HTTP status and how long it took, and below it how often it was tried."""
        if not delivery.attempts:
            return None
        answer = event_labels.describe_response(delivery.http_status, delivery.latency_ms)
        tries = f"{delivery.attempts} tries" if delivery.attempts > 1 else ""
        return format_html('{}<span class="why">{}</span>', answer, tries)

    @admin.display(description="Queued")
    def queued(self, delivery: EventDelivery) -> str:
        """When it was queued first."""
        return display.format_time(delivery.created_at)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[EventDelivery], search_term: str
    ) -> tuple[QuerySet[EventDelivery], bool]:
        """Find by the whole code or id, asking the events first."""
        term = search_term.strip()
        if not term:
            return queryset, False
        events = (
            Event.objects.filter(build_event_search_condition(term))
            .order_by("-id")
            .values_list("pk", flat=True)
        )
        return queryset.filter(event_id__in=list(events[:_MAX_EVENTS_SEARCHED])), False

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Say who may send again."""
        return request.user.has_perm(delivery_actions.RESEND_PERMISSION)

    @admin.action(description="Send again", permissions=["resend"])
    def resend(self, request: HttpRequest, chosen: QuerySet[EventDelivery]) -> None:
        """Queue the chosen deliveries anew, the oldest event first."""
        rows = list(chosen.order_by("pk")[: MAX_DELIVERIES_PER_ACTION + 1])
        if len(rows) > MAX_DELIVERIES_PER_ACTION:
            messages.error(
                request, f"Choose {MAX_DELIVERIES_PER_ACTION} at most; nothing was changed."
            )
            return
        apply_to_each_row(
            request,
            rows,
            delivery_actions.resend_delivery,
            done="Queued again",
            name=event_labels.describe_delivery,
        )

    def get_urls(self) -> list[URLPattern]:
        """Add the address that sends again."""
        view = self.admin_site.admin_view(delivery_actions.resend_delivery_view)
        return [
            path("<int:delivery_id>/again/", view, name="events_eventdelivery_again"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[EventDelivery]:
        """Fetch the event and the endpoint along."""
        return super().get_queryset(request).select_related("event", "endpoint")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Draw the page from what `event_pages` reads."""
        delivery = kwargs["obj"]
        context |= {
            "title": event_labels.describe_delivery(delivery),
            "page": event_page.load_delivery_page(delivery, request=request, now=timezone.now()),
        }
        return super().render_change_form(request, context, *args, **kwargs)
