"""Actions of superusers on endpoints.

Only superusers may use them: anyone who knows a secret can forge our signature, and anyone who
sets an address receives every order.
"""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, DELETION
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from backoffice.automation import endpoint_page
from backoffice.automation.endpoint_form import EndpointForm, build_initial_values
from backoffice.ui import audit_log
from backoffice.ui.actions import ActionResult, run_action
from shared.core import config
from shared.core.errors import DomainError
from shared.events.models import EventDelivery, EventEndpoint
from shared.events.services import endpoints

VIEW_PERMISSION: Final = "events.view_eventendpoint"


def may_manage_endpoints(request: HttpRequest) -> bool:
    """Return whether the user may create and change endpoints and see their secrets."""
    return bool(request.user.is_superuser)


@never_cache
def add_endpoint_view(request: HttpRequest) -> HttpResponse:
    """Create an endpoint and redirect to its page, which shows the secret."""
    _require_manage_permission(request)
    form = EndpointForm(request.POST or None)
    if form.is_valid():
        try:
            endpoint = endpoints.create_endpoint(
                **form.cleaned_data,
                by=request.user.get_username(),
                allow_private=config.get_settings().events_allow_private,
                now=timezone.now(),
            )
        except DomainError as refusal:
            form.add_refusal(refusal)
        else:
            audit_log.record_action(
                request, endpoint, f"Made the endpoint for {endpoint.url}", flag=ADDITION
            )
            messages.success(
                request,
                f"Events are sent to {endpoint} from now on. Its secret signs them; find it here.",
            )
            return redirect("admin:events_eventendpoint_change", endpoint.pk)
    return _render_endpoint_page(request, "add.html", form=form, title="New endpoint")


@never_cache
def endpoint_view(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """Show an endpoint, with a form for users who may change it."""
    if not request.user.has_perm(VIEW_PERMISSION):
        raise PermissionDenied
    endpoint = get_object_or_404(EventEndpoint, pk=endpoint_id)
    may_manage = may_manage_endpoints(request)
    if request.method == "POST" and not may_manage:
        raise PermissionDenied
    form = EndpointForm(request.POST or None, initial=build_initial_values(endpoint))
    if form.is_valid() and _save_changes(request, endpoint, form):
        return redirect("admin:events_eventendpoint_change", endpoint.pk)
    return _render_endpoint_page(
        request,
        "change_form.html",
        form=form if may_manage else None,
        secret=endpoint.secret if may_manage else "",
        page=endpoint_page.load_endpoint_page(endpoint, now=timezone.now()),
        original=endpoint,
        title=endpoint.name,
    )


@require_POST
def enable_endpoint_view(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """Turn an endpoint on."""

    def act(endpoint: EventEndpoint) -> ActionResult:
        endpoints.enable_endpoint(endpoint.pk)
        audit_log.record_action(request, endpoint, "Turned the endpoint on")
        return messages.SUCCESS, (
            f"{endpoint} is on: what waits for it leaves now. What happened while it was off is "
            "not sent; it stands among the events."
        )

    return _run_endpoint_action(request, endpoint_id, act)


@require_POST
def disable_endpoint_view(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """Turn an endpoint off."""

    def act(endpoint: EventEndpoint) -> ActionResult:
        reason = f"Turned off by {request.user.get_username()}."
        endpoints.disable_endpoint(endpoint.pk, reason=reason, now=timezone.now())
        audit_log.record_action(request, endpoint, "Turned the endpoint off")
        return messages.SUCCESS, f"{endpoint} is off: nothing is sent there."

    return _run_endpoint_action(request, endpoint_id, act)


@require_POST
def renew_secret_view(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """Replace an endpoint's secret after a confirmation page."""
    _require_manage_permission(request)
    endpoint = get_object_or_404(EventEndpoint, pk=endpoint_id)
    if request.POST.get("sure") != "yes":
        title = f"A new secret for {endpoint}?"
        return _render_endpoint_page(request, "new_secret.html", original=endpoint, title=title)

    def act(endpoint: EventEndpoint) -> ActionResult:
        endpoints.renew_secret(endpoint.pk)
        audit_log.record_action(request, endpoint, "Replaced the secret")
        return messages.SUCCESS, (
            "The new secret signs from the next event on; copy it to the receiver now."
        )

    return _run_endpoint_action(request, endpoint_id, act)


@never_cache
def delete_endpoint_view(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """Delete an endpoint and its log after a confirmation page."""
    _require_manage_permission(request)
    endpoint = get_object_or_404(EventEndpoint, pk=endpoint_id)
    if request.method != "POST":
        return _render_endpoint_page(
            request,
            "delete.html",
            original=endpoint,
            deliveries=EventDelivery.objects.filter(endpoint=endpoint).count(),
            title=f"Delete {endpoint}?",
        )

    def act() -> ActionResult:
        endpoints.delete_endpoint(endpoint.pk, now=timezone.now())
        audit_log.record_action(
            request, endpoint, f"Deleted the endpoint for {endpoint.url}", flag=DELETION
        )
        return messages.SUCCESS, f"{endpoint} and its log are deleted. The events stay."

    run_action(request, act)
    return redirect("admin:events_eventendpoint_changelist")


def _save_changes(request: HttpRequest, endpoint: EventEndpoint, form: EndpointForm) -> bool:
    """Save the form; return False and add the error to its field if that is refused."""
    if not form.has_changed():
        messages.info(request, "Nothing was changed.")
        return True
    try:
        endpoints.change_endpoint(
            endpoint.pk,
            **form.cleaned_data,
            allow_private=config.get_settings().events_allow_private,
        )
    except DomainError as refusal:
        form.add_refusal(refusal)
        return False
    labels = [str(form.fields[name].label).lower() for name in form.changed_data]
    audit_log.record_action(request, endpoint, f"Changed {', '.join(labels)}")
    messages.success(request, "Saved. What waits for it is sent as it stands here now.")
    return True


def _run_endpoint_action(
    request: HttpRequest, endpoint_id: int, act: Callable[[EventEndpoint], ActionResult]
) -> HttpResponse:
    _require_manage_permission(request)
    endpoint = get_object_or_404(EventEndpoint, pk=endpoint_id)
    run_action(request, lambda: act(endpoint))
    return redirect("admin:events_eventendpoint_change", endpoint.pk)


def _require_manage_permission(request: HttpRequest) -> None:
    if not may_manage_endpoints(request):
        raise PermissionDenied


def _render_endpoint_page(request: HttpRequest, template: str, **details: Any) -> HttpResponse:
    opts = EventEndpoint._meta  # noqa: SLF001 - Django documents it
    context = admin.site.each_context(request) | {"opts": opts} | details
    return render(request, f"admin/events/eventendpoint/{template}", context)
