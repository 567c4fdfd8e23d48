"""Permission of DRF that requires the scope of a view."""

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
    """Permission for callers with the view's scope: `scope`, or `scopes` by method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return true if the caller has the scope that the view needs.

        Raises:
            NotAuthenticated: the caller is not authenticated.
            ScopeMissing: the caller does not have the scope.

        """
        if not request.user.is_authenticated:
            raise NotAuthenticated
        needed = get_needed_scope(view, method=str(request.method))
        if needed is not None and needed not in scopes.get_caller_scopes(request):
            raise ScopeMissing(scope=scopes.name_caller_scope(request), needed=needed)
        return True


def get_needed_scope(view: Any, *, method: str) -> Scope | None:
    """Return the scope that a view needs for a method.

    Returns:
        The scope; None if the view does not have the method, to which it then responds itself.

    """
    by_method: dict[str, Scope] | None = getattr(view, "scopes", None)
    if by_method is None:
        scope: Scope = view.scope
        return scope
    return by_method.get("GET" if method == "HEAD" else method)
