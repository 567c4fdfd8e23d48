"""Who a session belongs to."""

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User

from backoffice.people import second_factor


class People(ModelBackend):
    """Django's own backend, which reads with a person whether they use a second factor."""

    def get_user(self, user_id: int) -> User | None:
        """Read the person of a session."""
        user = second_factor.people().filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
