"""The history of an order for staff: actions with their source, actor, time and reason."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from backoffice.ui import display
from shared.core.enums import ActorKind, OrderAction
from shared.raffles.models import OrderEvent

ACTION_LABELS: Final[Mapping[OrderAction, str]] = {
    OrderAction.HELD: "Numbers held",
    OrderAction.PLACED: "Order placed",
    OrderAction.PROOF_RECEIVED: "Proof of payment received",
    OrderAction.PROOF_REJECTED: "Proof rejected",
    OrderAction.PROOF_MOVED: "Proof moved to another order",
    OrderAction.PROOF_DISMISSED: "Proof dismissed",
    OrderAction.PAID: "Payment confirmed",
    OrderAction.CANCELLED: "Cancelled",
    OrderAction.EXPIRED: "Expired, numbers free again",
    OrderAction.NUMBERS_TAKEN_BACK: "Numbers taken back",
    OrderAction.NUMBERS_REPLACED: "Numbers replaced",
    OrderAction.ASKED_AGAIN: "Asked for a better proof",
    OrderAction.LATE_PAYMENT: "A payment needs a decision",
    OrderAction.REFUND_NOTED: "Refund noted",
    OrderAction.UNCONFIRMED: "Confirmation undone, under review again",
    OrderAction.REFUNDED: "Refunded",
    OrderAction.CONTACT_CHANGED: "Moved to another contact of its buyer",
    OrderAction.REVIEW_ENDED: "No proof left to check, the time to pay runs again",
    OrderAction.TIME_EXTENDED: "Time extended for a receipt that may belong to it",
    OrderAction.ERASED: "Personal data erased",
    OrderAction.NOTE_ADDED: "Note",
    OrderAction.TIME_GIVEN: "More time given",
}

_ACTOR_BADGES: Final[Mapping[ActorKind, tuple[str, str]]] = {
    ActorKind.CHAT: ("Chat", "fa-comment"),
    ActorKind.STAFF: ("Staff", "fa-user"),
    ActorKind.TOKEN: ("API", "fa-plug"),
    ActorKind.SWEEPER: ("Clock", "fa-clock"),
}
"""Label and icon of the source of an action."""

_ACTION_TONES: Final[Mapping[OrderAction, str]] = {
    OrderAction.PAID: "good",
    OrderAction.PROOF_REJECTED: "bad",
    OrderAction.LATE_PAYMENT: "bad",
    OrderAction.CANCELLED: "over",
    OrderAction.EXPIRED: "over",
    OrderAction.UNCONFIRMED: "bad",
    OrderAction.REFUNDED: "over",
}


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One entry of the history.

    Attributes:
        done: The label of the action, e.g. "Payment confirmed".
        source: `chat`, `staff`, `token` or `sweeper`.
        door: The label of the source, e.g. "API".
        icon: The icon of the source.
        who: The name of the buyer, member of staff or token; empty for the clock.
        at: The time of the action.
        clock: The same in the raffle's time zone, e.g. "22 Nov 2026, 15:42".
        ago: The time since then, e.g. "12 min".
        reason: The reason that was recorded; may be empty.
        tone: `good`, `bad`, `over` or empty.

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
    """Return the entries of a history, newest first.

    Args:
        events: The history of one order, oldest first.
        zone: IANA name of the raffle's time zone.
        now: The current time.

    """
    return tuple(_build_entry(event, zone=zone, now=now) for event in reversed(list(events)))


def _build_entry(event: OrderEvent, *, zone: str, now: datetime) -> TimelineEntry:
    action, kind = OrderAction(event.action), ActorKind(event.actor_kind)
    door, icon = _ACTOR_BADGES[kind]
    return TimelineEntry(
        done=ACTION_LABELS[action],
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
