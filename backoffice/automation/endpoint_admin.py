"""Admin of endpoints."""
# ruff: noqa: ARG002 - Django passes these arguments

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.models import DELETION
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.automation import endpoint_health
from backoffice.automation.endpoint_form import EndpointForm
from backoffice.automation.endpoint_health import EndpointHealth
from backoffice.changelists import change_messages
from backoffice.changelists.detail_actions import Confirmation, DetailActionsAdmin, detail_action
from backoffice.changelists.facets import CountedConditionFilter
from backoffice.changelists.selects import FilteredAdmin, FilteredChangeList
from backoffice.changelists.service_forms import ServiceFormAdmin
from backoffice.ui import audit_log, display
from backoffice.ui.actions import ActionResult, StaffAction
from shared.core import config
from shared.events.models import EventEndpoint
from shared.events.services import endpoints


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
        health = endpoint_health.load_endpoint_health(self.result_list)
        for endpoint in self.result_list:
            vars(endpoint)["health"] = health[endpoint.pk]


@admin.register(EventEndpoint)
class EventEndpointAdmin(ServiceFormAdmin, DetailActionsAdmin, FilteredAdmin):
    """Endpoints, which only superusers manage.

    Anyone who knows a secret can forge our signature, and anyone who sets an address receives
    every order.
    """

    menu_name = "Event endpoints"
    lead = "Addresses, such as a Webhook node of n8n, that are told what happens here."
    list_display = ("who", "state", "wanted", "fares", "last")
    list_filter = (EndpointStateFilter,)
    page_only = ("secret", "header_value")
    ordering = ("name",)
    form = EndpointForm
    fields = ("name", "url", "types", ("header_name", "header_value"))
    detail_actions = ("turn_on", "turn_off", "replace_secret")
    add_form_template = "admin/automation/add_form.html"
    change_form_template = "admin/events/eventendpoint/change_form.html"

    @admin.display(description="Name")
    def who(self, endpoint: EventEndpoint) -> SafeString:
        """Return the name, with the shortened address below."""
        address = display.shorten_text(endpoint.url, length=70)
        return format_html('{}<span class="why">{}</span>', endpoint.name, address)

    @admin.display(description="State")
    def state(self, endpoint: EventEndpoint) -> SafeString:
        """Return the state as a badge, with the reason below."""
        state, style = endpoint_health.describe_endpoint_state(endpoint)
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
            display.shorten_text(endpoint_health.describe_last_delivery(health, now=timezone.now()))
            or None
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the change list with the endpoints' health."""
        return EndpointChangeList

    def has_manage_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may create and change endpoints and see their secrets."""
        return bool(request.user.is_superuser)

    has_add_permission = has_change_permission = has_delete_permission = has_manage_permission

    def save_model(self, request: HttpRequest, obj: EventEndpoint, form: Any, change: bool) -> None:
        """Create or change the endpoint."""
        allow_private = config.get_settings().events_allow_private
        if not change:
            created = endpoints.create_endpoint(
                **form.cleaned_data,
                by=request.user.get_username(),
                allow_private=allow_private,
                now=timezone.now(),
            )
            obj.pk = created.pk
            obj.refresh_from_db()
            messages.success(
                request,
                f"Events are sent to {obj} from now on. Its secret signs them; find it here.",
            )
        elif form.has_changed():
            endpoints.change_endpoint(obj.pk, **form.cleaned_data, allow_private=allow_private)
            messages.success(request, "Saved. What waits for it is sent as it stands here now.")
        else:
            messages.info(request, "Nothing was changed.")

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Return what the log says; empty if nothing was changed."""
        if add:
            return f"Created the endpoint for {form.cleaned_data['url']}"
        return change_messages.describe_changes(form, secret={"header_value"})

    def response_add(
        self, request: HttpRequest, obj: EventEndpoint, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Redirect to the endpoint's page, which shows the secret."""
        return self.redirect_to_page(obj)

    def response_change(self, request: HttpRequest, obj: EventEndpoint) -> HttpResponse:
        """Redirect to the endpoint's page."""
        return self.redirect_to_page(obj)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Add the title, and the endpoint's health."""
        if endpoint := kwargs["obj"]:
            health = endpoint_health.load_endpoint_health([endpoint])[endpoint.pk]
            context |= {
                "title": endpoint.name,
                "health": health,
                "last": endpoint_health.describe_last_delivery(health, now=timezone.now()),
            }
        else:
            context |= {"title": "New event endpoint", "save": "Create the endpoint"}
        return super().render_change_form(request, context, *args, **kwargs)

    @detail_action(
        route="<id:endpoint_id>/turn-on/",
        name="on",
        label="Turn on",
        icon="play",
        style="success",
        permission="manage",
    )
    def turn_on(self, request: HttpRequest, endpoint: EventEndpoint) -> ActionResult:
        """Turn the endpoint on."""
        endpoints.enable_endpoint(endpoint.pk)
        audit_log.record_action(request, endpoint, "Turned the endpoint on")
        return messages.SUCCESS, (
            f"{endpoint} is on: what waits for it leaves now. What happened while it was off is "
            "not sent; it stands among the events."
        )

    @detail_action(
        route="<id:endpoint_id>/turn-off/",
        name="off",
        label="Turn off",
        icon="pause",
        permission="manage",
    )
    def turn_off(self, request: HttpRequest, endpoint: EventEndpoint) -> ActionResult:
        """Turn the endpoint off."""
        reason = f"Turned off by {request.user.get_username()}."
        endpoints.disable_endpoint(endpoint.pk, reason=reason, now=timezone.now())
        audit_log.record_action(request, endpoint, "Turned the endpoint off")
        return messages.SUCCESS, f"{endpoint} is off: nothing is sent there."

    @detail_action(
        route="<id:endpoint_id>/new-secret/",
        name="new_secret",
        label="Replace it",
        permission="manage",
        confirmation=Confirmation(
            "A new secret for {}?",
            "Events are signed with the new secret from the next one on, and the old one is "
            "forgotten. Until the receiver knows the new one it will refuse them; they are tried "
            "again for two days.",
            "Yes, replace the secret",
        ),
    )
    def replace_secret(self, request: HttpRequest, endpoint: EventEndpoint) -> ActionResult:
        """Replace the endpoint's secret."""
        endpoints.renew_secret(endpoint.pk)
        audit_log.record_action(request, endpoint, "Replaced the secret")
        return messages.SUCCESS, (
            "The new secret signs from the next event on; copy it to the receiver now."
        )

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Delete an endpoint after a confirmation page, which does not load its whole log.

        Django's own view would delete the log in one long transaction.
        """
        if not self.has_delete_permission(request):
            raise PermissionDenied
        endpoint: EventEndpoint | None = self.get_object(request, object_id)
        if endpoint is None:
            raise Http404
        if request.method != "POST":
            return self.render_confirmation(request, endpoint, _describe_deletion(endpoint))
        with StaffAction(request) as action:
            endpoints.delete_endpoint(endpoint.pk, now=timezone.now())
            audit_log.record_action(
                request, endpoint, f"Deleted the endpoint for {endpoint.url}", flag=DELETION
            )
            action.report(messages.SUCCESS, f"{endpoint} and its log are deleted. The events stay.")
        return redirect("admin:events_eventendpoint_changelist")


def _describe_deletion(endpoint: EventEndpoint) -> Confirmation:
    count = endpoint.deliveries.count()
    return Confirmation(
        "Delete {}?",
        f"Nothing is sent to {endpoint.url} any more, and its log goes with it: {count} "
        f"deliver{'y' if count == 1 else 'ies'} with their tries. The events themselves stay. To "
        "stop it for a while, turn it off instead.",
        "Yes, delete the endpoint",
    )
