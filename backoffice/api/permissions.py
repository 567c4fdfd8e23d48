"""What a user must be allowed to do before a view lets them in."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class HasNamedPermission(BasePermission):
    """Lets in who has the permission that the view names in `needs`, such as staff in the admin."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Compare the user's permissions with the view's."""
        return request.user.has_perm(view.needs)
