"""API tokens: who lets which program in, with what scope, and when it last came."""
# ruff: noqa: ARG002 - Django gives these arguments

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
from backoffice.automation.token_form import SCOPE_LABELS, describe_token_state
from backoffice.changelists.filters import ConditionFilter
from backoffice.changelists.selects import FilteredAdmin
from backoffice.ui import display
from shared.core.enums import Scope


class TokenStateFilter(ConditionFilter):
    """Tokens that work, or do not any more."""

    title = "State"
    parameter_name = "works"
    answers: ClassVar = {"yes": ("Works", Q()), "no": ("Expired or revoked", Q())}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Keep those of the chosen answer; which have expired, the clock decides."""
        over = Q(revoked_at__isnull=False) | Q(expires_at__lte=timezone.now())
        match self.value():
            case "yes":
                return queryset.exclude(over)
            case "no":
                return queryset.filter(over)
            case _:
                return queryset


@admin.register(ApiToken)
class ApiTokenAdmin(FilteredAdmin):
    """What lets programs in; superusers make and revoke them on pages of the desk."""

    menu_name = "API tokens"
    lead = "What lets n8n and other programs in. A token is shown once, when it is made."
    add_words = "New token"
    list_display = ("name", "begins", "scope_named", "state", "used", "expires", "made")
    list_filter = (TokenStateFilter,)
    page_only = ("digest",)
    ordering = ("-id",)

    @admin.display(description="Begins with")
    def begins(self, token: ApiToken) -> SafeString:
        """How to tell it from others."""
        return format_html("<code>{}…</code>", token.prefix)

    @admin.display(description="Scope")
    def scope_named(self, token: ApiToken) -> str:
        """What it may do, in a word."""
        return SCOPE_LABELS[Scope(token.scope)][0]

    @admin.display(description="State")
    def state(self, token: ApiToken) -> SafeString:
        """Whether it works."""
        state, style = describe_token_state(token, now=timezone.now())
        return display.render_badge(state, style=style)

    @admin.display(description="Last used")
    def used(self, token: ApiToken) -> str:
        """When its program last came, to the minute."""
        return display.format_time(token.last_used_at) if token.last_used_at else "never"

    @admin.display(description="Expires")
    def expires(self, token: ApiToken) -> str:
        """Until when it works."""
        return token_actions.describe_token_expiry(token)

    @admin.display(description="Made")
    def made(self, token: ApiToken) -> str:
        """When, and by whom."""
        by = f" by {token.created_by}" if token.created_by else ""
        return f"{display.format_time(token.created_at)}{by}"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let superusers."""
        return token_actions.may_manage_tokens(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Make one, by a use case and outside the transaction of Django's own form."""
        return token_actions.add_token_view(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show one."""
        if not object_id.isdecimal():
            raise Http404
        return token_actions.token_view(request, int(object_id))

    def get_urls(self) -> list[URLPattern]:
        """Add the address that revokes."""
        view = self.admin_site.admin_view(token_actions.revoke_token_view)
        own = path("<int:token_id>/revoke/", view, name="api_apitoken_revoke")
        return [own, *super().get_urls()]
