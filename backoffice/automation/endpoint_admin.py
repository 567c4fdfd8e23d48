"""Endpoints: where events are sent, and how that goes."""
# ruff: noqa: ARG002 - Django gives these arguments

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
    """Endpoints that are on, or off."""

    title = "State"
    parameter_name = "active"
    answers: ClassVar = {"yes": ("On", Q(active=True)), "no": ("Off", Q(active=False))}
    counted = ("yes", "no")


class EndpointChangeList(FilteredChangeList):
    """A page of endpoints, each with how it fares."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, and at once how its endpoints fare."""
        super().get_results(request)
        self.result_list: list[EventEndpoint] = list(self.result_list)
        health = endpoint_page.load_endpoint_health(self.result_list)
        for endpoint in self.result_list:
            vars(endpoint)["health"] = health[endpoint.pk]


@admin.register(EventEndpoint)
class EventEndpointAdmin(FilteredAdmin):
    """Where events are sent; superusers make and change them on pages of the desk."""

    menu_name = "Event endpoints"
    lead = "Addresses, such as a Webhook node of n8n, that are told what happens here."
    add_words = "New endpoint"
    list_display = ("who", "state", "wanted", "fares", "last")
    list_filter = (EndpointStateFilter,)
    page_only = ("secret", "header_value")
    ordering = ("name",)

    @admin.display(description="Name")
    def who(self, endpoint: EventEndpoint) -> SafeString:
        """What it is called, and where it is, cut."""
        address = display.shorten_text(endpoint.url, length=70)
        return format_html('{}<span class="why">{}</span>', endpoint.name, address)

    @admin.display(description="State")
    def state(self, endpoint: EventEndpoint) -> SafeString:
        """On or off, and why."""
        state, style = endpoint_page.describe_endpoint_state(endpoint)
        badge = display.render_badge(state, style=style)
        return format_html('{}<span class="why">{}</span>', badge, endpoint.disabled_reason)

    @admin.display(description="Wants")
    def wanted(self, endpoint: EventEndpoint) -> str:
        """How many kinds of events it gets."""
        kinds = len(endpoint.types)
        return "All events" if not kinds else f"{kinds} kind{'' if kinds == 1 else 's'}"

    @admin.display(description="In its queue")
    def fares(self, endpoint: EventEndpoint) -> str:
        """How many wait and how many were given up."""
        health: EndpointHealth = vars(endpoint)["health"]
        given_up = f", {health.failed:,} given up" if health.failed else ""
        return f"{health.waiting:,} waiting{given_up}"

    @admin.display(description="Last result", empty_value="nothing yet")
    def last(self, endpoint: EventEndpoint) -> str | None:
        """What came of the last delivery."""
        health: EndpointHealth = vars(endpoint)["health"]
        return (
            display.shorten_text(endpoint_page.describe_last_delivery(health, now=timezone.now()))
            or None
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Give the list that knows how they fare."""
        return EndpointChangeList

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let superusers."""
        return endpoint_actions.may_manage_endpoints(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Make one, by a use case and outside the transaction of Django's own form."""
        return endpoint_actions.add_endpoint_view(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show one, and change it likewise."""
        return endpoint_actions.endpoint_view(request, _parse_endpoint_id(object_id))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Delete one without reading its whole log into a page."""
        return endpoint_actions.delete_endpoint_view(request, _parse_endpoint_id(object_id))

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses of the buttons."""
        guarded = self.admin_site.admin_view

        def button(route: str, view: Callable[..., Any], name: str) -> URLPattern:
            address = f"<int:endpoint_id>/{route}/"
            return path(address, guarded(view), name=f"events_eventendpoint_{name}")

        return [
            button("turn-on", endpoint_actions.enable_endpoint_view, "on"),
            button("turn-off", endpoint_actions.disable_endpoint_view, "off"),
            button("new-secret", endpoint_actions.renew_secret_view, "new_secret"),
            *super().get_urls(),
        ]


def _parse_endpoint_id(object_id: str) -> int:
    if not object_id.isdecimal():
        raise Http404
    return int(object_id)
