"""Reads of raffles."""

from shared.raffles.errors import RaffleNotFound
from shared.raffles.models import Raffle


def load_raffle(raffle_id: int, *, lock: bool = False) -> Raffle:
    """Return a raffle.

    Args:
        raffle_id: primary key of the raffle.
        lock: whether its row is locked until the caller's transaction ends.

    Raises:
        RaffleNotFound: there is no such raffle.

    """
    raffles = Raffle.objects.select_for_update(no_key=True) if lock else Raffle.objects.all()
    try:
        return raffles.get(pk=raffle_id)
    except Raffle.DoesNotExist:
        raise RaffleNotFound(raffle_id=raffle_id) from None
