"""Labels of API tokens and their scopes for staff."""

from typing import Final

from django.utils import timezone
from django.utils.safestring import SafeString

from backoffice.api.models import ApiToken
from backoffice.ui import display
from shared.core.enums import Scope

SCOPE_LABELS: Final = {
    Scope.READ: ("Read", "Looks at orders, proofs, raffles and events. Changes nothing."),
    Scope.REVIEW: (
        "Review",
        "Also decides about payments as a reviewer does: confirms, rejects, cancels.",
    ),
    Scope.ADMIN: (
        "Admin",
        "Also opens, pauses and closes raffles, and says where events are sent.",
    ),
    Scope.DRAW: (
        "Draw",
        "Looks as Read does, enters values of sealed raffles and draws. No payments, no raffles.",
    ),
}
"""Label and description by scope."""


def describe_scope(scope: str) -> str:
    """Return label and description of a scope."""
    label, description = SCOPE_LABELS[Scope(scope)]
    return f"{label}. {description}"


def render_token_badge(token: ApiToken) -> SafeString:
    """Return the state of a token as a badge."""
    if token.revoked_at is not None:
        return display.render_badge("Revoked", style="secondary")
    if token.expires_at is not None and token.expires_at <= timezone.now():
        return display.render_badge("Expired", style="secondary")
    return display.render_badge("Works", style="success")


def describe_token_expiry(token: ApiToken) -> str:
    """Return when a token expires."""
    return display.format_time(token.expires_at) if token.expires_at else "never"
