"""API tokens: made, shown this once, and revoked; by superusers alone."""

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
from backoffice.automation.token_form import SCOPE_LABELS, TokenForm, describe_token_state
from backoffice.ui import audit_log, display
from backoffice.ui.actions import ActionResult, run_action
from shared.core import config
from shared.core.enums import Scope
from shared.core.errors import DomainError

_EXAMPLE_PATH: Final = "/api/orders?status=PENDING_PAYMENT"


@dataclass(frozen=True, slots=True)
class NewTokenPage:
    """The page of a token that was just made, the only one that ever shows it.

    Attributes:
        text: the token itself.
        scope: what it is called, and what it lets a program do.
        expires: until when it works.
        curl: a first request, ready to paste.
        bearer: what n8n's Header Auth wants as the value of `Authorization`.

    """

    text: str
    scope: tuple[str, str]
    expires: str
    curl: str
    bearer: str


@dataclass(frozen=True, slots=True)
class TokenDetailPage:
    """The page of a token: everything but the token."""

    state: str
    style: str
    scope: tuple[str, str]
    made: str
    used: str
    expires: str
    revoked: str


def may_manage_tokens(request: HttpRequest) -> bool:
    """Say whether this person makes and revokes tokens: with one, anybody could be anybody."""
    return bool(request.user.is_superuser)


@never_cache
def add_token_view(request: HttpRequest) -> HttpResponse:
    """Make a token, and answer with the one page that shows it.

    There is no redirect on purpose: the token would have to be stored until the next page asks.
    Sent again, the form is refused, for the name is taken then.
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
            form.refuse(refusal)
        else:
            token = issued.token
            said = f"Made the token, scope {SCOPE_LABELS[Scope(token.scope)][0].lower()}"
            audit_log.record_action(request, token, said, flag=ADDITION)
            fresh = _build_new_token_page(token, issued.text)
            return _render_token_page(
                request, "made.html", original=token, fresh=fresh, title="New API token"
            )
    return _render_token_page(request, "add.html", form=form, title="New API token")


@never_cache
def token_view(request: HttpRequest, token_id: int) -> HttpResponse:
    """Show what is known of a token, which is not the token."""
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
    """Let a token in no more; asks once more before it does."""
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


def describe_token_expiry(token: ApiToken) -> str:
    """Say until when a token works."""
    return display.format_time(token.expires_at) if token.expires_at else "never"


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


def _render_token_page(request: HttpRequest, template: str, **shown: Any) -> HttpResponse:
    opts = ApiToken._meta  # noqa: SLF001 - Django documents it
    context = admin.site.each_context(request) | {"opts": opts} | shown
    return render(request, f"admin/api/apitoken/{template}", context)
