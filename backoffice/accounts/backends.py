"""Authentication backend of sessions, with fewer queries than Django's own."""

from typing import Any, Final

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission, User
from django.db.models import IntegerField, Q, QuerySet

from backoffice.accounts import second_factor
from shared.core.statements.compiled_queries import CompiledQuery, Parameter


def _query_granted() -> QuerySet[Any, Any]:
    user_id = Parameter("user_id", IntegerField())
    granted = Permission.objects.filter(Q(user=user_id) | Q(group__user=user_id))
    return granted.order_by().values_list("content_type__app_label", "codename")


_GRANTED: Final = CompiledQuery(_query_granted)


class People(ModelBackend):
    """Django's model backend with one query for a user and one for all their permissions."""

    def get_user(self, user_id: int) -> User | None:
        """Return the user of a session, with whether they have a second factor."""
        user = second_factor.load_person(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return the user's own and their groups' permissions, in one query instead of two."""
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        if user_obj.is_superuser:
            return super().get_all_permissions(user_obj)
        if not hasattr(user_obj, "_perm_cache"):  # the same cache as Django's backend uses
            names = _GRANTED.fetch(user_id=user_obj.pk)
            user_obj._perm_cache = {f"{app}.{codename}" for app, codename in names}  # noqa: SLF001
        return set(user_obj._perm_cache)  # noqa: SLF001
