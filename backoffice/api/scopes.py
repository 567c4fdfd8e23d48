"""Identity and scope of the caller of an API request."""

from collections.abc import Mapping
from typing import Final

from rest_framework.request import Request

from backoffice.api.models import ApiToken
from shared.core.enums import ActorKind, Scope
from shared.raffles.actor import Actor

INCLUDED_SCOPES: Final[Mapping[Scope, frozenset[Scope]]] = {
    Scope.READ: frozenset({Scope.READ}),
    Scope.REVIEW: frozenset({Scope.READ, Scope.REVIEW}),
    Scope.ADMIN: frozenset({Scope.READ, Scope.REVIEW, Scope.ADMIN}),
    Scope.DRAW: frozenset({Scope.READ, Scope.DRAW}),
}
"""What a token of each scope may do.

Drawing is not part of ADMIN: no token that exists gains it, and a workflow that only enters the
value of a source need not be able to refund or to call off.
"""

PERMISSION_PER_SCOPE: Final[Mapping[Scope, str]] = {
    Scope.REVIEW: "raffles.change_order",
    Scope.READ: "raffles.view_order",
    Scope.DRAW: "raffles.draw_raffle",
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


def get_caller_scopes(request: Request) -> frozenset[Scope]:
    """Return the scopes of the caller; staff have what their permissions give them."""
    if isinstance(request.auth, ApiToken):
        return INCLUDED_SCOPES[Scope(request.auth.scope)]
    if request.user.is_superuser:
        return frozenset(Scope)
    given = {scope for scope, need in PERMISSION_PER_SCOPE.items() if request.user.has_perm(need)}
    return frozenset(given | ({Scope.READ} if Scope.REVIEW in given else set()))


def name_caller_scope(request: Request) -> Scope | None:
    """Return the highest scope of the caller as refusals name it; None if the caller has none."""
    if isinstance(request.auth, ApiToken):
        return Scope(request.auth.scope)
    has = get_caller_scopes(request)
    return next((scope for scope in PERMISSION_PER_SCOPE if scope in has), None)
