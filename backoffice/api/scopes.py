"""Identity and scope of the caller of an API request."""

from collections.abc import Mapping
from typing import Final

from rest_framework.request import Request

from backoffice.api.models import ApiToken
from shared.core.enums import ActorKind, Scope
from shared.raffles.actor import Actor

PERMISSION_PER_SCOPE: Final[Mapping[Scope, str]] = {
    Scope.REVIEW: "raffles.change_order",
    Scope.READ: "raffles.view_order",
}
"""Permission that gives a user a scope, the highest scope first; superusers have all scopes."""


def get_actor(request: Request) -> Actor:
    """Return the caller as an actor for histories."""
    if isinstance(request.auth, ApiToken):
        token = request.auth
        return Actor(ActorKind.TOKEN, id=str(token.pk), label=token.name, owner=token.created_by)
    return Actor(ActorKind.STAFF, id=str(request.user.pk), label=request.user.get_username())


def get_caller_name(request: Request) -> str:
    """Return the name of the caller's token or user."""
    return get_actor(request).label


def get_caller_scope(request: Request) -> Scope | None:
    """Return the highest scope of the caller; None if the caller has none."""
    if isinstance(request.auth, ApiToken):
        return Scope(request.auth.scope)
    if request.user.is_superuser:
        return Scope.ADMIN
    return next(
        (scope for scope, need in PERMISSION_PER_SCOPE.items() if request.user.has_perm(need)), None
    )


def includes_scope(has: Scope | None, needed: Scope) -> bool:
    """Whether a scope includes another; each member of `Scope` includes those before it."""
    ascending = list(Scope)
    return has is not None and ascending.index(has) >= ascending.index(needed)
