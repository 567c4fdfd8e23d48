"""The last decision about an order as a sentence, for a reviewer who comes second."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from backoffice.ui import display
from shared.core.enums import ActorKind, OrderAction
from shared.raffles.models import Order, OrderEvent

_ACTION_PHRASES: Final = {
    OrderAction.PAID: "confirmed it",
    OrderAction.PROOF_REJECTED: "rejected its proof",
    OrderAction.PROOF_MOVED: "moved its proof to another order",
    OrderAction.PROOF_DISMISSED: "dismissed its proof",
    OrderAction.ASKED_AGAIN: "asked the buyer for another proof",
    OrderAction.CANCELLED: "cancelled it",
    OrderAction.EXPIRED: "saw it expire",
    OrderAction.NUMBERS_REPLACED: "gave it other numbers",
    OrderAction.REFUND_NOTED: "noted a refund",
    OrderAction.UNCONFIRMED: "undid its confirmation",
    OrderAction.REFUNDED: "refunded it",
    OrderAction.LATE_PAYMENT: "found that its numbers are gone",
}
"""Actions that end or pause a review, as the rest of a sentence after the actor."""

_ACTOR_NAMES: Final = {ActorKind.SWEEPER: "the clock", ActorKind.CHAT: "the buyer"}


def describe_last_decision(order: Order, *, now: datetime) -> str:
    """Return the last decision about an order, e.g. "rita confirmed it at 10:31 (2 min ago)".

    Args:
        order: The order, with its raffle, whose time zone is used.
        now: The current time.

    Returns:
        The sentence without a full stop; empty if nothing was decided yet.

    """
    event = order.events.filter(action__in=list(_ACTION_PHRASES)).order_by("-id").first()
    return "" if event is None else describe_decision(event, zone=order.raffle.time_zone, now=now)


def describe_decision(event: OrderEvent, *, zone: str, now: datetime) -> str:
    """Return a history entry with a decision as a sentence about the order.

    Args:
        event: An entry whose action is a decision.
        zone: IANA name of the raffle's time zone.
        now: The current time.

    """
    if event.action == OrderAction.EXPIRED:
        return f"it expired {format_decision_time(event.at, zone=zone, now=now)}"
    name = (
        _ACTOR_NAMES.get(ActorKind(event.actor_kind))
        or event.actor_label
        or event.actor_kind.lower()
    )
    did = _ACTION_PHRASES[OrderAction(event.action)]
    return f"{name} {did} {format_decision_time(event.at, zone=zone, now=now)}"


def format_decision_time(at: datetime, *, zone: str, now: datetime) -> str:
    """Return the time of a decision, e.g. "at 10:31 (2 min ago)"; with the day if not today."""
    local = at.astimezone(ZoneInfo(zone))
    if now - at < timedelta(minutes=1):
        return f"at {local:%H:%M} (just now)"
    if local.date() == now.astimezone(ZoneInfo(zone)).date():
        return f"at {local:%H:%M} ({display.format_time_since(at, now=now)} ago)"
    return f"on {display.format_time(at, zone=zone)} ({display.format_time_since(at, now=now)} ago)"
