"""Reads of raffles."""

from shared.raffles.errors import RaffleNotFound
from shared.raffles.models import Raffle


def load_raffle(raffle_id: int) -> Raffle:
    """Return a raffle.

    Raises:
        RaffleNotFound: there is no such raffle.

    """
    try:
        return Raffle.objects.get(pk=raffle_id)
    except Raffle.DoesNotExist:
        raise RaffleNotFound(raffle_id=raffle_id) from None
