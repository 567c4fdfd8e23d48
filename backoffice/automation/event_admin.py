"""Admin of events."""
# ruff: noqa: ARG002 - Django passes these arguments

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.automation import event_labels
from backoffice.changelists.filters import ConditionFilter
from backoffice.changelists.selects import FilteredAdmin
from backoffice.ui import display
from shared.events.models import Event


class EventTypeFilter(ConditionFilter):
    """Events by type."""

    title = "Event"
    parameter_name = "type"
    as_select = True
    answers: ClassVar = event_labels.build_event_type_answers("type")


@admin.register(Event)
class EventAdmin(FilteredAdmin):
    """Events that other systems receive."""

    menu_name = "Events"
    lead = "What happened, as n8n and other systems are told it. Events are kept for 90 days."
    list_display = ("what", "regarding", "place", "happened")
    list_filter = (EventTypeFilter,)
    search_fields: ClassVar[tuple[str, ...]] = ("event_id",)
    search_help_text = "Order code or event id"
    ordering = ("-id",)
    page_only = ("data",)
    change_form_template = "admin/events/event/change_form.html"

    @admin.display(description="Event")
    def what(self, event: Event) -> SafeString:
        """Return the label of the type, with the type below."""
        label = event_labels.describe_event_type(event.type)
        return format_html('{}<span class="why">{}</span>', label, event.type)

    @admin.display(description="About", empty_value="")
    def regarding(self, event: Event) -> str:
        """Return the subject of the event, as a link if it is an order."""
        return event_labels.render_event_subject(event)

    @admin.display(description="Place in the feed")
    def place(self, event: Event) -> str:
        """Return the sequence number; a dash until the gateway has assigned one."""
        return event_labels.format_feed_place(event)

    @admin.display(description="When")
    def happened(self, event: Event) -> str:
        """Return when it happened."""
        return display.format_time(event.created_at)

    def find_rows(
        self, request: HttpRequest, queryset: QuerySet[Event], term: str
    ) -> QuerySet[Event]:
        """Return events by order code or event id, which are indexed."""
        return queryset.filter(event_labels.build_event_search_condition(term))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Add the deliveries to the context."""
        event: Event = kwargs["obj"]
        deliveries = event.deliveries.select_related("endpoint").defer("response")
        context |= {
            "title": event_labels.describe_event_type(event.type),
            "deliveries": deliveries.order_by("endpoint__name"),
        }
        return super().render_change_form(request, context, *args, **kwargs)
