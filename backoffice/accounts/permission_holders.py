"""Counts of the staff who have a permission."""

from typing import Final

from django.contrib.auth.models import User

_PERMISSION_BACKEND: Final = "django.contrib.auth.backends.ModelBackend"


def count_staff_with_permission(permission: str) -> int:
    """Return how many active members of staff have a permission, in one query.

    Args:
        permission: App label and codename, e.g. "raffles.draw_raffle". Superusers have all.

    """
    holders = User.objects.with_perm(permission, backend=_PERMISSION_BACKEND)
    return holders.filter(is_staff=True).count()
