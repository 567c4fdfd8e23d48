"""Permissions of staff on orders and payment proofs."""

from typing import Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

DECIDE_PERMISSION: Final = "raffles.change_order"
REFUND_PERMISSION: Final = "raffles.refund_order"


def may_decide_orders(request: HttpRequest) -> bool:
    """Whether the user may decide about payments and orders."""
    return request.user.has_perm(DECIDE_PERMISSION)


def require_decision_permission(request: HttpRequest) -> None:
    """Raise an error unless the user may decide about payments and orders.

    Raises:
        PermissionDenied: The user may not.

    """
    if not may_decide_orders(request):
        raise PermissionDenied


def may_refund_orders(request: HttpRequest) -> bool:
    """Whether the user may refund paid orders."""
    return request.user.has_perm(REFUND_PERMISSION)


def require_view_permission(request: HttpRequest) -> None:
    """Raise an error unless the user may see orders.

    Raises:
        PermissionDenied: The user may not.

    """
    if not (request.user.has_perm("raffles.view_order") or may_decide_orders(request)):
        raise PermissionDenied
