"""Who is let into a view: whoever has its scope."""

from typing import Any

from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from backoffice.api import scopes
from shared.core.enums import Scope
from shared.core.errors import DomainError


class ScopeMissing(DomainError):
    """The token, or the person, may not do this; detail says which scope is needed."""

    code = "scope_missing"


class HasScope(BasePermission):
    """Lets in who has the scope that the view names: `scope`, or `scopes` by method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Compare the caller's scope with the one needed.

        Raises:
            NotAuthenticated: nobody said who asks.
            ScopeMissing: they may do less.

        """
        if not request.user.is_authenticated:
            raise NotAuthenticated
        has, needed = (
            scopes.get_caller_scope(request),
            get_needed_scope(view, method=str(request.method)),
        )
        if needed is not None and not scopes.includes_scope(has, needed):
            raise ScopeMissing(scope=has, needed=needed)
        return True


def get_needed_scope(view: Any, *, method: str) -> Scope | None:
    """Say which scope a view needs for a method; None: it has no such method, which it answers."""
    by_method: dict[str, Scope] | None = getattr(view, "scopes", None)
    if by_method is None:
        scope: Scope = view.scope
        return scope
    return by_method.get("GET" if method == "HEAD" else method)
