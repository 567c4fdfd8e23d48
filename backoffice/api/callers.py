"""Who calls."""

from rest_framework.authtoken.models import Token
from rest_framework.request import Request

from shared.core.enums import ActorKind
from shared.raffles.actor import Actor


def actor(request: Request) -> Actor:
    """Say who asks; never by the token itself, which is its own primary key."""
    kind = ActorKind.TOKEN if isinstance(request.auth, Token) else ActorKind.STAFF
    return Actor(kind, id=str(request.user.pk), label=request.user.get_username())
