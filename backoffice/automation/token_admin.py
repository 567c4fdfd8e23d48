"""Admin of API tokens."""
# ruff: noqa: ARG002 - Django passes these arguments

from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.api import tokens
from backoffice.api.models import ApiToken
from backoffice.automation.token_form import TokenForm
from backoffice.automation.token_labels import (
    SCOPE_LABELS,
    describe_token_expiry,
    render_token_badge,
)
from backoffice.changelists.detail_actions import Confirmation, DetailActionsAdmin, detail_action
from backoffice.changelists.filters import ConditionFilter
from backoffice.changelists.selects import FilteredAdmin
from backoffice.changelists.service_forms import ServiceFormAdmin
from backoffice.ui import audit_log, display
from backoffice.ui.actions import ActionResult
from shared.core import config
from shared.core.enums import Scope

_EXAMPLE_PATH: Final = "/api/orders?status=PENDING_PAYMENT"


class TokenStateFilter(ConditionFilter):
    """Tokens that are valid, or expired or revoked."""

    title = "State"
    parameter_name = "works"
    answers: ClassVar = {"yes": ("Works", Q()), "no": ("Expired or revoked", Q())}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Return the tokens that match the chosen answer at the current time."""
        is_invalid = Q(revoked_at__isnull=False) | Q(expires_at__lte=timezone.now())
        match self.value():
            case "yes":
                return queryset.exclude(is_invalid)
            case "no":
                return queryset.filter(is_invalid)
            case _:
                return queryset


@admin.register(ApiToken)
class ApiTokenAdmin(ServiceFormAdmin, DetailActionsAdmin, FilteredAdmin):
    """API tokens, which only superusers create and revoke; none is changed or deleted."""

    menu_name = "API tokens"
    lead = "What lets n8n and other programs in. A token is shown once, when it is made."
    list_display = ("name", "begins", "scope_named", "state", "used", "expires", "made")
    list_filter = (TokenStateFilter,)
    page_only = ("digest",)
    ordering = ("-id",)
    form = TokenForm
    detail_actions = ("revoke",)
    add_form_template = "admin/automation/add_form.html"
    change_form_template = "admin/api/apitoken/change_form.html"

    @admin.display(description="Begins with")
    def begins(self, token: ApiToken) -> SafeString:
        """Return the first characters of the token."""
        return format_html("<code>{}…</code>", token.prefix)

    @admin.display(description="Scope")
    def scope_named(self, token: ApiToken) -> str:
        """Return the label of the scope."""
        return SCOPE_LABELS[Scope(token.scope)][0]

    @admin.display(description="State")
    def state(self, token: ApiToken) -> SafeString:
        """Return the state as a badge."""
        return render_token_badge(token)

    @admin.display(description="Last used")
    def used(self, token: ApiToken) -> str:
        """Return when the token was last used."""
        return display.format_time(token.last_used_at) if token.last_used_at else "never"

    @admin.display(description="Expires")
    def expires(self, token: ApiToken) -> str:
        """Return when the token expires."""
        return describe_token_expiry(token)

    @admin.display(description="Created")
    def made(self, token: ApiToken) -> str:
        """Return when and by whom the token was created."""
        by = f" by {token.created_by}" if token.created_by else ""
        return f"{display.format_time(token.created_at)}{by}"

    def has_manage_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may create and revoke tokens."""
        return bool(request.user.is_superuser)

    has_add_permission = has_manage_permission

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Create the token; its text lives as long as the request."""
        issued = tokens.issue_token(
            name=form.cleaned_data["name"],
            scope=Scope(form.cleaned_data["scope"]),
            by=request.user.get_username(),
            expires_at=form.expires_at,
            now=timezone.now(),
        )
        obj.pk = issued.token.pk
        obj.refresh_from_db()
        obj.text = issued.text

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Return what the log says."""
        scope = Scope(form.cleaned_data["scope"])
        return f"Created the token, scope {SCOPE_LABELS[scope][0].lower()}"

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the new token, on the only page that does.

        There is no redirect, because the token would have to be stored until the next request. If
        the form is submitted again, it is refused because the name is taken.
        """
        bearer = f"Bearer {obj.text}"
        address = f"{config.get_settings().public_url}{_EXAMPLE_PATH}"
        return self.render_page(
            request,
            obj,
            "admin/api/apitoken/made.html",
            title="New API token",
            text=obj.text,
            curl=f"curl -H 'Authorization: {bearer}' '{address}'",
            bearer=bearer,
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Add the title, and the words of the form."""
        if token := kwargs["obj"]:
            context["title"] = token.name
        else:
            refused = "No token was made yet."
            context |= {"title": "New API token", "save": "Create the token", "refused": refused}
        return super().render_change_form(request, context, *args, **kwargs)

    @detail_action(
        route="<id:token_id>/revoke/",
        name="revoke",
        label="Revoke it",
        style="outline-danger",
        permission="manage",
        confirmation=Confirmation(
            "Revoke {}?",
            "Whoever uses it is refused from the next request on. It cannot be taken back; what "
            "was done with it stays in the histories.",
            "Yes, revoke the token",
            facts="admin/api/apitoken/facts.html",
        ),
    )
    def revoke(self, request: HttpRequest, token: ApiToken) -> ActionResult:
        """Revoke the token."""
        if token.revoked_at is not None:
            return messages.INFO, f"{token} was revoked already; nothing was changed."
        tokens.revoke_token(token, by=request.user.get_username(), now=timezone.now())
        audit_log.record_action(request, token, "Revoked the token")
        return messages.SUCCESS, f"{token} is revoked: whoever uses it is refused from now on."
