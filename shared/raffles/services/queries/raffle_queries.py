"""Reads of raffles."""

from typing import Final

from shared.core.statements.compiled_queries import CompiledQuery, IsIn
from shared.raffles.errors import RaffleNotFound
from shared.raffles.models import Raffle

RAFFLES_BY_ID: Final = CompiledQuery(
    lambda: Raffle.objects.filter(IsIn("id", "ids")).order_by("id")
)
"""Raffles with these `ids`, ascending."""


def load_raffle(raffle_id: int) -> Raffle:
    """Return a raffle.

    Raises:
        RaffleNotFound: there is no such raffle.

    """
    found = RAFFLES_BY_ID.fetch(ids=[raffle_id])
    if not found:
        raise RaffleNotFound(raffle_id=raffle_id)
    return found[0]
