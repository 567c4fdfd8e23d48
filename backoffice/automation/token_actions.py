"""Actions of superusers on API tokens: creation, with the token shown once, and revocation."""

from dataclasses import dataclass
from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from backoffice.api import tokens
from backoffice.api.models import ApiToken
from backoffice.automation.token_form import TokenForm
from backoffice.automation.token_labels import (
    SCOPE_LABELS,
    describe_token_expiry,
    describe_token_state,
)
from backoffice.ui import audit_log, display
from backoffice.ui.actions import ActionResult, run_action
from shared.core import config
from shared.core.enums import Scope
from shared.core.errors import DomainError

_EXAMPLE_PATH: Final = "/api/orders?status=PENDING_PAYMENT"


@dataclass(frozen=True, slots=True)
class NewTokenPage:
    """Context of the page of a new token, the only page that shows the token.

    Attributes:
        text: the token.
        scope: label and description of the scope.
        expires: when it expires.
        curl: an example request.
        bearer: value of the header `Authorization`, for n8n's Header Auth.

    """

    text: str
    scope: tuple[str, str]
    expires: str
    curl: str
    bearer: str


@dataclass(frozen=True, slots=True)
class TokenDetailPage:
    """Context of a token's page, without the token."""

    state: str
    style: str
    scope: tuple[str, str]
    made: str
    used: str
    expires: str
    revoked: str


def may_manage_tokens(request: HttpRequest) -> bool:
    """Return whether the user may create and revoke tokens; only superusers may."""
    return bool(request.user.is_superuser)


@never_cache
def add_token_view(request: HttpRequest) -> HttpResponse:
    """Create a token and show it on the response page.

    There is no redirect, because the token would have to be stored until the next request. If the
    form is submitted again, it is refused because the name is taken.
    """
    _require_manage_permission(request)
    form = TokenForm(request.POST or None)
    if form.is_valid():
        try:
            issued = tokens.issue_token(
                name=form.cleaned_data["name"],
                scope=Scope(form.cleaned_data["scope"]),
                by=request.user.get_username(),
                expires_at=form.expires_at,
                now=timezone.now(),
            )
        except DomainError as refusal:
            form.add_refusal(refusal)
        else:
            token = issued.token
            change = f"Made the token, scope {SCOPE_LABELS[Scope(token.scope)][0].lower()}"
            audit_log.record_action(request, token, change, flag=ADDITION)
            new_token_page = _build_new_token_page(token, issued.text)
            return _render_token_page(
                request, "made.html", original=token, fresh=new_token_page, title="New API token"
            )
    return _render_token_page(request, "add.html", form=form, title="New API token")


@never_cache
def token_view(request: HttpRequest, token_id: int) -> HttpResponse:
    """Show the details of a token; the token itself is not stored."""
    if not request.user.has_perm("api.view_apitoken") or request.method == "POST":
        raise PermissionDenied
    token = get_object_or_404(ApiToken, pk=token_id)
    return _render_token_page(
        request,
        "change_form.html",
        original=token,
        page=_build_token_page(token),
        may_revoke=may_manage_tokens(request) and token.revoked_at is None,
        title=token.name,
    )


@require_POST
def revoke_token_view(request: HttpRequest, token_id: int) -> HttpResponse:
    """Revoke a token after a confirmation page."""
    _require_manage_permission(request)
    token = get_object_or_404(ApiToken, pk=token_id)
    if request.POST.get("sure") != "yes":
        title = f"Revoke {token}?"
        return _render_token_page(
            request, "revoke.html", original=token, page=_build_token_page(token), title=title
        )

    def act() -> ActionResult:
        if token.revoked_at is not None:
            return messages.INFO, f"{token} was revoked already; nothing was changed."
        tokens.revoke_token(token, by=request.user.get_username(), now=timezone.now())
        audit_log.record_action(request, token, "Revoked the token")
        return messages.SUCCESS, f"{token} is revoked: whoever uses it is refused from now on."

    run_action(request, act)
    return redirect("admin:api_apitoken_change", token.pk)


def _build_new_token_page(token: ApiToken, text: str) -> NewTokenPage:
    bearer = f"Bearer {text}"
    address = f"{config.get_settings().public_url}{_EXAMPLE_PATH}"
    return NewTokenPage(
        text=text,
        scope=SCOPE_LABELS[Scope(token.scope)],
        expires=describe_token_expiry(token),
        curl=f"curl -H 'Authorization: {bearer}' '{address}'",
        bearer=bearer,
    )


def _build_token_page(token: ApiToken) -> TokenDetailPage:
    state, style = describe_token_state(token, now=timezone.now())
    return TokenDetailPage(
        state=state,
        style=style,
        scope=SCOPE_LABELS[Scope(token.scope)],
        made=_format_time_and_user(display.format_time(token.created_at), token.created_by),
        used=display.format_time(token.last_used_at) if token.last_used_at else "never",
        expires=describe_token_expiry(token),
        revoked=_format_time_and_user(display.format_time(token.revoked_at), token.revoked_by)
        if token.revoked_at
        else "",
    )


def _format_time_and_user(at: str, name: str) -> str:
    return f"{at}, {name}" if name else at


def _require_manage_permission(request: HttpRequest) -> None:
    if not may_manage_tokens(request):
        raise PermissionDenied


def _render_token_page(request: HttpRequest, template: str, **details: Any) -> HttpResponse:
    opts = ApiToken._meta  # noqa: SLF001 - Django documents it
    context = admin.site.each_context(request) | {"opts": opts} | details
    return render(request, f"admin/api/apitoken/{template}", context)
