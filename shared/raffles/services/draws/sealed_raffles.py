"""Sealed raffles under their lock, and what is asked of them at each step of the draw."""

from shared.raffles.draws.draw_errors import PrizeClaimed, RaffleNotSealed
from shared.raffles.draws.draw_models import DrawResult, PrizeClaim, SealedList, SourceReading
from shared.raffles.models import Raffle
from shared.raffles.services import locks


def lock_sealed_raffle(raffle_id: int) -> tuple[Raffle, SealedList]:
    """Lock a raffle exclusively, and return it with its sealed list, whose numbers load when used.

    Raises:
        RaffleNotFound: there is no such raffle.
        RaffleNotSealed: it is not sealed.

    """
    raffle = locks.lock_raffle(raffle_id)
    sealed = SealedList.objects.defer("numbers").filter(raffle=raffle).first()
    if sealed is None:
        raise RaffleNotSealed
    return raffle, sealed


def refuse_if_claimed(result: DrawResult) -> None:
    """Check that the prize of a result was not claimed.

    Raises:
        PrizeClaimed: it was; author and time are in the details.

    """
    claim = PrizeClaim.objects.filter(result=result, claimed_at__isnull=False).first()
    if claim is not None and claim.claimed_at is not None:
        raise PrizeClaimed(by=claim.claimed_by, at=claim.claimed_at)


def load_void_readings(raffle_id: int) -> frozenset[int]:
    """Return the ids of values that were declared void after a prize had been drawn from them."""
    void = SourceReading.objects.filter(raffle_id=raffle_id, void_of_draw=True)
    return frozenset(void.values_list("pk", flat=True))
