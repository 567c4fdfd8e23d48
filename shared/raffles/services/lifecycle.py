"""Status changes of raffles: open, pause and close, each in a transaction of its own."""

from datetime import datetime

from django.db import transaction

from shared.core import row_count
from shared.core.enums import RaffleStatus
from shared.raffles import transitions
from shared.raffles.errors import NumbersMissing
from shared.raffles.models import Raffle
from shared.raffles.services import raffle_queries
from shared.raffles.services.ticket_numbers import number_generation


@transaction.atomic(durable=True)
def open_raffle(raffle_id: int, *, now: datetime) -> Raffle:
    """Start the sale of a raffle, or resume it after a pause.

    Args:
        raffle_id: primary key of the raffle.
        now: time of the change.

    Raises:
        RaffleNotFound: there is no such raffle.
        TransitionNotAllowed: it is open, closed or drawn.
        NumbersMissing: not all its ticket numbers exist.

    """
    raffle = _lock_raffle(raffle_id, wanted=RaffleStatus.OPEN)
    existing = number_generation.count_numbers_in_range(
        raffle_id, first=raffle.first_number, last=raffle.last_number
    )
    if existing < raffle.number_count:
        raise NumbersMissing(missing=raffle.number_count - existing)
    return _change_raffle_status(raffle, to=RaffleStatus.OPEN, now=now)


@transaction.atomic(durable=True)
def pause(raffle_id: int, *, now: datetime) -> Raffle:
    """Pause the sale of a raffle; orders that hold ticket numbers can still be paid.

    Args:
        raffle_id: primary key of the raffle.
        now: time of the change.

    Raises:
        RaffleNotFound: there is no such raffle.
        TransitionNotAllowed: it is not open.

    """
    raffle = _lock_raffle(raffle_id, wanted=RaffleStatus.PAUSED)
    return _change_raffle_status(raffle, to=RaffleStatus.PAUSED, now=now)


@transaction.atomic(durable=True)
def close(raffle_id: int, *, now: datetime) -> Raffle:
    """End the sale of a raffle for good; orders that hold ticket numbers can still be paid.

    Args:
        raffle_id: primary key of the raffle.
        now: time of the change.

    Raises:
        RaffleNotFound: there is no such raffle.
        TransitionNotAllowed: it is neither open nor paused.

    """
    raffle = _lock_raffle(raffle_id, wanted=RaffleStatus.CLOSED)
    return _change_raffle_status(raffle, to=RaffleStatus.CLOSED, now=now)


def _lock_raffle(raffle_id: int, *, wanted: RaffleStatus) -> Raffle:
    raffle = raffle_queries.load_raffle(raffle_id, lock=True)
    transitions.check_transition(
        transitions.RAFFLE_TRANSITIONS, current=RaffleStatus(raffle.status), wanted=wanted
    )
    return raffle


def _change_raffle_status(raffle: Raffle, *, to: RaffleStatus, now: datetime) -> Raffle:
    changed = Raffle.objects.filter(pk=raffle.pk, status=raffle.status).update(
        status=to, updated_at=now
    )
    row_count.check_row_count(changed, wanted=1, what=f"raffle {raffle.pk} to {to}")
    raffle.status, raffle.updated_at = to, now
    return raffle
