"""Status changes of raffles and the entries of their history.

The functions run inside the caller's transaction, which locks the raffle exclusively unless they
say otherwise.
"""

from datetime import datetime
from typing import Final

from shared.core.enums import RaffleAction, RaffleStatus
from shared.core.statements import row_count
from shared.raffles import signals, transitions
from shared.raffles.actor import Actor
from shared.raffles.models import Raffle, RaffleEvent
from shared.raffles.services import locks

_ACTIONS_ABOUT_ORDERS: Final = (
    RaffleAction.OPENED,
    RaffleAction.PAUSED,
    RaffleAction.CLOSED,
    RaffleAction.DRAW_MOVED,
    RaffleAction.CALLED_OFF,
    RaffleAction.REDRAWN,
    RaffleAction.RESULTS_TOLD,
)
"""Actions after which the orders of the raffle are worked off."""


def lock_raffle_for(raffle_id: int, *, wanted: RaffleStatus) -> Raffle:
    """Lock a raffle exclusively, if its status may become the wanted one.

    Raises:
        RaffleNotFound: there is no such raffle.
        TransitionNotAllowed: its present status does not allow it.

    """
    raffle = locks.lock_raffle(raffle_id)
    transitions.check_transition(
        transitions.RAFFLE_TRANSITIONS, current=RaffleStatus(raffle.status), wanted=wanted
    )
    return raffle


def change_status(
    raffle: Raffle,
    *,
    to: RaffleStatus,
    action: RaffleAction,
    by: Actor,
    now: datetime,
    reason: str = "",
) -> Raffle:
    """Change the status of a raffle locked by `lock_raffle_for`, with an entry in its history."""
    before = RaffleStatus(raffle.status)
    changed = Raffle.objects.filter(pk=raffle.pk, status=before).update(status=to, updated_at=now)
    row_count.check_row_count(changed, wanted=1, what=f"raffle {raffle.pk} to {to}")
    raffle.status, raffle.updated_at = to, now
    record_raffle_event(raffle, action=action, before=before, by=by, now=now, reason=reason)
    return raffle


def record_raffle_event(
    raffle: Raffle,
    *,
    action: RaffleAction,
    before: RaffleStatus,
    by: Actor,
    now: datetime,
    reason: str = "",
    draw_before: datetime | None = None,
) -> None:
    """Add an entry to the history of a locked raffle, and send `raffle_changed`.

    The first sale, which freezes the rules, locks the raffle only shared.
    """
    event = RaffleEvent.objects.create(
        raffle=raffle,
        action=action,
        actor_kind=by.kind,
        actor_id=by.id,
        actor_label=by.label,
        from_status=before,
        to_status=raffle.status,
        reason=reason,
        draw_before=draw_before,
        draw_after=raffle.draw_at,
        at=now,
        unfinished=action in _ACTIONS_ABOUT_ORDERS,
    )
    signals.raffle_changed.send(sender=Raffle, raffle=raffle, event=event, by=by, now=now)
