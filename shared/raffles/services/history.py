"""Changes an order's status, along one table, and writes every change into its history."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from shared.core import row_count
from shared.core.enums import OrderAction, OrderStatus
from shared.raffles import signals, transitions
from shared.raffles.actor import Actor
from shared.raffles.models import Order, OrderEvent

_NO_CHANGES: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ActionAuthor:
    """Who did something and when; both None where the history does not know."""

    by: str | None = None
    at: datetime | None = None


def change_order_status(
    order: Order,
    *,
    to: OrderStatus,
    action: OrderAction,
    by: Actor,
    now: datetime,
    reason: str = "",
    changes: Mapping[str, Any] = _NO_CHANGES,
) -> Order:
    """Give a locked order its next status: the only place where a status changes.

    Args:
        order: locked by the caller.
        to: the next status.
        action: what happened, as the history tells it.
        by: who did it.
        now: when.
        reason: why, in words; may be empty.
        changes: other fields that change with it.

    Raises:
        TransitionNotAllowed: if `transitions.ORDER` does not let it follow.

    """
    current = OrderStatus(order.status)
    transitions.check_transition(transitions.ORDER_TRANSITIONS, current=current, wanted=to)
    _update_order(order, current=current, changes={**changes, "status": to})
    _create_event(order, action=action, by=by, now=now, reason=reason, before=current)
    return order


def record_order_event(
    order: Order,
    *,
    action: OrderAction,
    by: Actor,
    now: datetime,
    reason: str = "",
    changes: Mapping[str, Any] = _NO_CHANGES,
) -> Order:
    """Write into the history of a locked order what left its status as it is."""
    current = OrderStatus(order.status)
    if changes:
        _update_order(order, current=current, changes=changes)
    _create_event(order, action=action, by=by, now=now, reason=reason, before=current)
    return order


def record_hold(order: Order, *, by: Actor, now: datetime) -> None:
    """Write the first line of an order's history."""
    _create_event(order, action=OrderAction.HELD, by=by, now=now, reason="", before=None)


def find_last_event(order: Order, *actions: OrderAction) -> OrderEvent | None:
    """Give the latest event of these kinds, if there is one."""
    return order.events.filter(action__in=actions).order_by("-id").first()


def find_last_author(order: Order, *actions: OrderAction) -> ActionAuthor:
    """Say who did one of these things last, so that whoever comes second can be told."""
    event = find_last_event(order, *actions)
    return ActionAuthor() if event is None else get_event_author(event)


def get_event_author(event: OrderEvent) -> ActionAuthor:
    """Give the signature of an event."""
    return ActionAuthor(by=event.actor_label or event.actor_kind, at=event.at)


def _update_order(order: Order, *, current: OrderStatus, changes: Mapping[str, Any]) -> None:
    done = Order.objects.filter(pk=order.pk, status=current).update(**changes)
    row_count.check_row_count(done, wanted=1, what=f"order {order.pk} from {current}")
    for name, value in changes.items():
        setattr(order, name, value)


def _create_event(
    order: Order,
    *,
    action: OrderAction,
    by: Actor,
    now: datetime,
    reason: str,
    before: OrderStatus | None,
) -> None:
    OrderEvent.objects.create(
        order=order,
        action=action,
        actor_kind=by.kind,
        actor_id=by.id,
        actor_label=by.label,
        from_status=before or "",
        to_status=order.status,
        reason=reason,
        at=now,
    )
    signals.order_changed.send(
        sender=Order, order=order, action=action, by=by, reason=reason, now=now
    )
