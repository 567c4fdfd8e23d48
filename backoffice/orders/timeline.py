"""The history of an order as people read it: what happened, through which door, when and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from backoffice.ui import display
from shared.core.enums import ActorKind, OrderAction
from shared.raffles.models import OrderEvent

_ACTION_LABELS: Final[Mapping[OrderAction, str]] = {
    OrderAction.HELD: "Numbers held",
    OrderAction.PLACED: "Order placed",
    OrderAction.PROOF_RECEIVED: "Proof of payment received",
    OrderAction.PROOF_REJECTED: "Proof turned down",
    OrderAction.PAID: "Payment confirmed",
    OrderAction.CANCELLED: "Cancelled",
    OrderAction.EXPIRED: "Expired, numbers free again",
    OrderAction.NUMBERS_TAKEN_BACK: "Numbers taken back",
    OrderAction.NUMBERS_REPLACED: "Numbers replaced",
    OrderAction.ASKED_AGAIN: "Asked for a better proof",
    OrderAction.LATE_PAYMENT: "Paid too late, a decision is needed",
    OrderAction.REFUND_NOTED: "Refund noted",
}

_ACTOR_BADGES: Final[Mapping[ActorKind, tuple[str, str]]] = {
    ActorKind.CHAT: ("Chat", "fa-comment"),
    ActorKind.STAFF: ("Staff", "fa-user"),
    ActorKind.TOKEN: ("API", "fa-plug"),
    ActorKind.SWEEPER: ("Clock", "fa-clock"),
}
"""Through which door it came, and that door's icon."""

_ACTION_TONES: Final[Mapping[OrderAction, str]] = {
    OrderAction.PAID: "good",
    OrderAction.PROOF_REJECTED: "bad",
    OrderAction.LATE_PAYMENT: "bad",
    OrderAction.CANCELLED: "over",
    OrderAction.EXPIRED: "over",
}


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of the history.

    Attributes:
        done: what happened: "Payment confirmed".
        source: `chat`, `staff`, `token` or `sweeper`.
        door: the same for people: "API".
        icon: of the door.
        who: the buyer, member of staff or token by name; empty for the clock.
        at: when.
        clock: the same in the raffle's zone: "22 Nov 2026, 15:42".
        ago: and how long ago: "12 min".
        reason: why, as it was written down.
        tone: `good`, `bad`, `over` or nothing.

    """

    done: str
    source: str
    door: str
    icon: str
    who: str
    at: datetime
    clock: str
    ago: str
    reason: str
    tone: str


def build_timeline(
    events: Iterable[OrderEvent], *, zone: str, now: datetime
) -> tuple[TimelineEntry, ...]:
    """Tell events that were read already, newest first.

    Args:
        events: of one order, oldest first.
        zone: IANA name of the raffle's time zone.
        now: what "12 min ago" counts from.

    """
    return tuple(_build_entry(event, zone=zone, now=now) for event in reversed(list(events)))


def _build_entry(event: OrderEvent, *, zone: str, now: datetime) -> TimelineEntry:
    action, kind = OrderAction(event.action), ActorKind(event.actor_kind)
    door, icon = _ACTOR_BADGES[kind]
    return TimelineEntry(
        done=_ACTION_LABELS[action],
        source=kind.lower(),
        door=door,
        icon=icon,
        who="" if kind is ActorKind.SWEEPER else event.actor_label,
        at=event.at,
        clock=display.format_time(event.at, zone=zone),
        ago=display.format_time_since(event.at, now=now),
        reason=event.reason,
        tone=_ACTION_TONES.get(action, ""),
    )
