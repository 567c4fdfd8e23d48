"""What a person has done here: who has done anything is never deleted, or its traces would be."""

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db.models import Q

from shared.core.enums import ActorKind
from shared.raffles.models import OrderEvent


def has_activity(person: User) -> bool:
    """Whether a person stands in the log, in an order's history, or has a token that may."""
    events = OrderEvent.objects.filter(
        Q(actor_kind=ActorKind.STAFF) | Q(actor_kind=ActorKind.TOKEN), actor_id=str(person.pk)
    )
    return LogEntry.objects.filter(user_id=person.pk).exists() or events.exists()
