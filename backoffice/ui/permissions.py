"""Permissions that a view requires."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest


def require_permission(request: HttpRequest, permission: str) -> None:
    """Raise an error unless the user has a permission.

    Args:
        request: The request of the user.
        permission: App label and codename, e.g. "raffles.change_raffle".

    Raises:
        PermissionDenied: The user does not have it.

    """
    if not request.user.has_perm(permission):
        raise PermissionDenied
