"""Search for a user's traces; a user with any is deactivated instead of deleted."""

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User

from shared.core.enums import ActorKind
from shared.raffles.models import OrderEvent


def has_activity(person: User) -> bool:
    """Return whether the user has log entries or is an actor in the history of an order.

    Only events of staff count: an API token is an actor, too, and its key may equal the user's.
    """
    events = OrderEvent.objects.filter(actor_kind=ActorKind.STAFF, actor_id=str(person.pk))
    return LogEntry.objects.filter(user_id=person.pk).exists() or events.exists()
