"""Who calls, and what they may do."""

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
"""What a person must be allowed to do in the back office to have a scope; superusers have all."""


def get_actor(request: Request) -> Actor:
    """Say who asks, as histories keep it."""
    if isinstance(request.auth, ApiToken):
        return Actor(ActorKind.TOKEN, id=str(request.auth.pk), label=request.auth.name)
    return Actor(ActorKind.STAFF, id=str(request.user.pk), label=request.user.get_username())


def get_caller_name(request: Request) -> str:
    """Give the name of who asks."""
    return get_actor(request).label


def get_caller_scope(request: Request) -> Scope | None:
    """Say how much the caller may do; None: nothing at all."""
    if isinstance(request.auth, ApiToken):
        return Scope(request.auth.scope)
    if request.user.is_superuser:
        return Scope.ADMIN
    return next(
        (scope for scope, need in PERMISSION_PER_SCOPE.items() if request.user.has_perm(need)), None
    )


def includes_scope(has: Scope | None, needed: Scope) -> bool:
    """Whether a scope is enough for what needs another: each includes the one before."""
    rising = list(Scope)
    return has is not None and rising.index(has) >= rising.index(needed)
