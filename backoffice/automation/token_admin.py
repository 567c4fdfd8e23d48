"""Admin of API tokens."""
# ruff: noqa: ARG002 - Django passes these arguments

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.api.models import ApiToken
from backoffice.automation import token_actions
from backoffice.automation.token_labels import (
    SCOPE_LABELS,
    describe_token_expiry,
    describe_token_state,
)
from backoffice.changelists.filters import ConditionFilter
from backoffice.changelists.selects import FilteredAdmin
from backoffice.ui import display
from shared.core.enums import Scope


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
class ApiTokenAdmin(FilteredAdmin):
    """API tokens; the views of `token_actions` replace Django's own forms."""

    menu_name = "API tokens"
    lead = "What lets n8n and other programs in. A token is shown once, when it is made."
    add_words = "New token"
    list_display = ("name", "begins", "scope_named", "state", "used", "expires", "made")
    list_filter = (TokenStateFilter,)
    page_only = ("digest",)
    ordering = ("-id",)

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
        state, style = describe_token_state(token, now=timezone.now())
        return display.render_badge(state, style=style)

    @admin.display(description="Last used")
    def used(self, token: ApiToken) -> str:
        """Return when the token was last used."""
        return display.format_time(token.last_used_at) if token.last_used_at else "never"

    @admin.display(description="Expires")
    def expires(self, token: ApiToken) -> str:
        """Return when the token expires."""
        return describe_token_expiry(token)

    @admin.display(description="Made")
    def made(self, token: ApiToken) -> str:
        """Return when and by whom the token was created."""
        by = f" by {token.created_by}" if token.created_by else ""
        return f"{display.format_time(token.created_at)}{by}"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may create tokens."""
        return token_actions.may_manage_tokens(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Create a token, outside the transaction of Django's own form view."""
        return token_actions.add_token_view(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show a token."""
        if not object_id.isdecimal():
            raise Http404
        return token_actions.token_view(request, int(object_id))

    def get_urls(self) -> list[URLPattern]:
        """Add the URL that revokes a token."""
        view = self.admin_site.admin_view(token_actions.revoke_token_view)
        own = path("<int:token_id>/revoke/", view, name="api_apitoken_revoke")
        return [own, *super().get_urls()]
