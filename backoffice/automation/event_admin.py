"""Events: what other systems are told of, newest first."""
# ruff: noqa: ARG002 - Django gives these arguments

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.automation import event_labels, event_page
from backoffice.automation.event_labels import build_event_type_answers
from backoffice.changelists.filters import ConditionFilter
from backoffice.changelists.selects import FilteredAdmin
from backoffice.ui import display
from shared.events.models import Event
from shared.raffles import codes


class EventTypeFilter(ConditionFilter):
    """Events by what happened."""

    title = "Event"
    parameter_name = "type"
    as_select = True
    answers: ClassVar = build_event_type_answers("type")


@admin.register(Event)
class EventAdmin(FilteredAdmin):
    """What happened, as other systems are told it."""

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
        """What happened, and the name programs know it by."""
        said = event_labels.describe_event_type(event.type)
        return format_html('{}<span class="why">{}</span>', said, event.type)

    @admin.display(description="About", empty_value="")
    def regarding(self, event: Event) -> str | None:
        """Give the order, or what else it is about."""
        return render_event_subject(event)

    @admin.display(description="Place in the feed")
    def place(self, event: Event) -> str:
        """Give its sequence; it has none for the second until it is relayed."""
        return "–" if event.sequence is None else f"{event.sequence:,}"

    @admin.display(description="When")
    def happened(self, event: Event) -> str:
        """When it happened."""
        return display.format_time(event.created_at)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        """Find by the whole code or id, which an index has."""
        term = search_term.strip()
        return (queryset.filter(build_event_search_condition(term)) if term else queryset), False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Draw the page from what `event_pages` reads."""
        event = kwargs["obj"]
        context |= {
            "title": event_labels.describe_event_type(event.type),
            "page": event_page.load_event_page(event, now=timezone.now()),
        }
        return super().render_change_form(request, context, *args, **kwargs)


def build_event_search_condition(term: str) -> Q:
    """Give the condition: an event's id, or what it is about."""
    return Q(event_id=term) | Q(subject=codes.normalise_code(term) or term)


def render_event_subject(event: Event) -> str | None:
    """Write what an event is about, as a link where there is a page."""
    subject, link = event_labels.describe_event_subject(event)
    return format_html('<a href="{}">{}</a>', link, subject or "The order") if link else subject
