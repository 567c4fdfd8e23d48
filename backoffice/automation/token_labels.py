"""Labels of API tokens and their scopes for staff."""

from datetime import datetime
from typing import Final

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
}
"""Label and description by scope; each scope includes the one before."""


def describe_token_state(token: ApiToken, *, now: datetime) -> tuple[str, str]:
    """Return the state of a token and Bootstrap's style for it."""
    if token.revoked_at is not None:
        return "Revoked", "secondary"
    if token.expires_at is not None and token.expires_at <= now:
        return "Expired", "secondary"
    return "Works", "success"


def describe_token_expiry(token: ApiToken) -> str:
    """Return when a token expires."""
    return display.format_time(token.expires_at) if token.expires_at else "never"
