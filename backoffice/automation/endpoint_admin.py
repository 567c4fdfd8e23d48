"""Admin of endpoints."""
# ruff: noqa: ARG002 - Django passes these arguments

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.automation import endpoint_actions, endpoint_page
from backoffice.automation.endpoint_page import EndpointHealth
from backoffice.changelists.facets import CountedConditionFilter
from backoffice.changelists.selects import FilteredAdmin, FilteredChangeList
from backoffice.ui import display
from shared.events.models import EventEndpoint


class EndpointStateFilter(CountedConditionFilter):
    """Endpoints that are turned on or off."""

    title = "State"
    parameter_name = "active"
    answers: ClassVar = {"yes": ("On", Q(active=True)), "no": ("Off", Q(active=False))}
    counted = ("yes", "no")


class EndpointChangeList(FilteredChangeList):
    """A list of endpoints, each with its health."""

    def get_results(self, request: HttpRequest) -> None:
        """Load the page, and the health of its endpoints."""
        super().get_results(request)
        self.result_list: list[EventEndpoint] = list(self.result_list)
        health = endpoint_page.load_endpoint_health(self.result_list)
        for endpoint in self.result_list:
            vars(endpoint)["health"] = health[endpoint.pk]


@admin.register(EventEndpoint)
class EventEndpointAdmin(FilteredAdmin):
    """Endpoints; the views of `endpoint_actions` replace Django's own forms."""

    menu_name = "Event endpoints"
    lead = "Addresses, such as a Webhook node of n8n, that are told what happens here."
    add_words = "New endpoint"
    list_display = ("who", "state", "wanted", "fares", "last")
    list_filter = (EndpointStateFilter,)
    page_only = ("secret", "header_value")
    ordering = ("name",)

    @admin.display(description="Name")
    def who(self, endpoint: EventEndpoint) -> SafeString:
        """Return the name, with the shortened address below."""
        address = display.shorten_text(endpoint.url, length=70)
        return format_html('{}<span class="why">{}</span>', endpoint.name, address)

    @admin.display(description="State")
    def state(self, endpoint: EventEndpoint) -> SafeString:
        """Return the state as a badge, with the reason below."""
        state, style = endpoint_page.describe_endpoint_state(endpoint)
        badge = display.render_badge(state, style=style)
        return format_html('{}<span class="why">{}</span>', badge, endpoint.disabled_reason)

    @admin.display(description="Wants")
    def wanted(self, endpoint: EventEndpoint) -> str:
        """Return how many types of events it receives."""
        count = len(endpoint.types)
        return "All events" if not count else f"{count} kind{'' if count == 1 else 's'}"

    @admin.display(description="In its queue")
    def fares(self, endpoint: EventEndpoint) -> str:
        """Return how many deliveries wait and how many failed."""
        health: EndpointHealth = vars(endpoint)["health"]
        given_up = f", {health.failed:,} given up" if health.failed else ""
        return f"{health.waiting:,} waiting{given_up}"

    @admin.display(description="Last result", empty_value="nothing yet")
    def last(self, endpoint: EventEndpoint) -> str | None:
        """Return the result of the last delivery."""
        health: EndpointHealth = vars(endpoint)["health"]
        return (
            display.shorten_text(endpoint_page.describe_last_delivery(health, now=timezone.now()))
            or None
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the change list with the endpoints' health."""
        return EndpointChangeList

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may create endpoints."""
        return endpoint_actions.may_manage_endpoints(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Create an endpoint, outside the transaction of Django's own form view."""
        return endpoint_actions.add_endpoint_view(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show or change an endpoint, outside the transaction of Django's own form view."""
        return endpoint_actions.endpoint_view(request, _parse_endpoint_id(object_id))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Delete an endpoint without loading its whole log into the confirmation page."""
        return endpoint_actions.delete_endpoint_view(request, _parse_endpoint_id(object_id))

    def get_urls(self) -> list[URLPattern]:
        """Add the URLs of the buttons."""
        admin_view = self.admin_site.admin_view

        def build_button_url(route: str, view: Callable[..., Any], name: str) -> URLPattern:
            return path(
                f"<int:endpoint_id>/{route}/", admin_view(view), name=f"events_eventendpoint_{name}"
            )

        return [
            build_button_url("turn-on", endpoint_actions.enable_endpoint_view, "on"),
            build_button_url("turn-off", endpoint_actions.disable_endpoint_view, "off"),
            build_button_url("new-secret", endpoint_actions.renew_secret_view, "new_secret"),
            *super().get_urls(),
        ]


def _parse_endpoint_id(object_id: str) -> int:
    if not object_id.isdecimal():
        raise Http404
    return int(object_id)
