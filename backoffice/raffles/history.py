"""The history of a raffle for staff: who changed it, when and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from backoffice.ui import display
from shared.core.enums import ActorKind, RaffleAction
from shared.raffles.models import Raffle, RaffleEvent

RAFFLE_ACTION_LABELS: Final = {
    RaffleAction.OPENED: "Opened",
    RaffleAction.PAUSED: "Paused",
    RaffleAction.CLOSED: "Closed",
    RaffleAction.DRAW_MOVED: "Draw moved",
    RaffleAction.CALLED_OFF: "Called off",
    RaffleAction.SEALED: "Sealed for the draw",
    RaffleAction.DRAWN: "Drawn",
    RaffleAction.RULES_FROZEN: "Rules of the draw frozen",
    RaffleAction.VALUE_ENTERED: "Value entered",
    RaffleAction.VALUE_CONFIRMED: "Value confirmed",
    RaffleAction.VOID_PROPOSED: "Value to be declared void",
    RaffleAction.VALUE_VOIDED: "Value declared void",
    RaffleAction.REDRAWN: "Drawn again",
    RaffleAction.WINNER_CONFIRMED: "Winner confirmed",
    RaffleAction.RESULTS_TOLD: "Buyers told the results",
    RaffleAction.PRIZE_CLAIMED: "Prize claimed",
}

ACTOR_LABELS: Final = {
    ActorKind.CHAT: "in the chat",
    ActorKind.STAFF: "in the back office",
    ActorKind.TOKEN: "by the API",
    ActorKind.SWEEPER: "by itself",
}


@dataclass(frozen=True, slots=True)
class RaffleHistoryEntry:
    """An entry of the history.

    Attributes:
        what: The action, e.g. "Draw moved".
        dates: The old and the new draw date in the raffle's time zone; empty for other actions.
        who: Name and kind of the actor, e.g. "olga, in the back office".
        at: The time in the raffle's time zone.
        reason: The reason that buyers read; may be empty.

    """

    what: str
    dates: str
    who: str
    at: str
    reason: str


def load_raffle_events(raffle: Raffle) -> list[RaffleEvent]:
    """Return the history of a raffle, newest first, in one query."""
    return list(raffle.events.order_by("-id"))


def load_history(raffle: Raffle) -> list[RaffleHistoryEntry]:
    """Return the entries of a raffle's history, newest first."""
    return build_history(load_raffle_events(raffle), zone=raffle.time_zone)


def build_history(events: Iterable[RaffleEvent], *, zone: str) -> list[RaffleHistoryEntry]:
    """Return the entries of a raffle's history in the order of the events.

    Args:
        events: The events.
        zone: IANA name of the raffle's time zone.

    """
    return [
        RaffleHistoryEntry(
            what=RAFFLE_ACTION_LABELS[RaffleAction(event.action)],
            dates=_describe_dates(event, zone=zone),
            who=", ".join(filter(None, (event.actor_label, _describe_actor_kind(event)))),
            at=display.format_time(event.at, zone=zone),
            reason=event.reason,
        )
        for event in events
    ]


def _describe_actor_kind(event: RaffleEvent) -> str:
    return ACTOR_LABELS[ActorKind(event.actor_kind)]


def _describe_dates(event: RaffleEvent, *, zone: str) -> str:
    if event.action != RaffleAction.DRAW_MOVED:
        return ""
    before = display.format_time(event.draw_before, zone=zone) if event.draw_before else "no date"
    after = display.format_time(event.draw_after, zone=zone) if event.draw_after else "sold out"
    return f"from {before} to {after}"
