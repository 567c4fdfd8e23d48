"""Status changes of orders and the entries of their history."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from django.db import models

from shared.core import search_columns
from shared.core.enums import OrderAction, OrderStatus
from shared.core.statements import row_count
from shared.core.statements.bound_statements import BoundStatement, run_together
from shared.core.statements.compiled_inserts import CompiledInsert
from shared.core.statements.compiled_queries import CompiledQuery, CompiledUpdate, IsIn, Parameter
from shared.raffles import signals, transitions
from shared.raffles.actor import Actor
from shared.raffles.models import Order, OrderEvent

_INSERT_EVENTS: Final = CompiledInsert(OrderEvent)
_ORDER_FIELDS: Final = {field.attname: field for field in Order._meta.concrete_fields}  # noqa: SLF001 - documented by Django
_NO_CHANGES: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ActionAuthor:
    """Author and time of an action; both None if the history has no such entry."""

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
    """Change the status of a locked order and add a history entry.

    This is the only place where the status of an existing order changes.

    Args:
        order: the order, locked by the caller.
        to: the next status.
        action: the action that the history entry names.
        by: the author.
        now: time of the change.
        reason: the reason as text; may be empty.
        changes: other fields that change with the status, by field name.

    Returns:
        The same order, with its new values.

    Raises:
        TransitionNotAllowed: `transitions.ORDER_TRANSITIONS` does not allow the change.
        WrongRowCount: the order changed meanwhile, so it was not locked.

    """
    current = OrderStatus(order.status)
    transitions.check_transition(transitions.ORDER_TRANSITIONS, current=current, wanted=to)
    _record_change(
        order,
        action=action,
        by=by,
        now=now,
        reason=reason,
        before=current,
        changes={**changes, "status": to},
    )
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
    """Add a history entry to a locked order without changing its status.

    Args:
        order: the order, locked by the caller.
        action: the action that the entry names.
        by: the author.
        now: time of the action.
        reason: the reason as text; may be empty.
        changes: fields that change with it, by field name; not the status.

    Returns:
        The same order, with its new values.

    Raises:
        WrongRowCount: the order changed meanwhile, so it was not locked.

    """
    _record_change(
        order,
        action=action,
        by=by,
        now=now,
        reason=reason,
        before=OrderStatus(order.status),
        changes=changes,
    )
    return order


def bind_hold_event(order: Order, *, by: Actor, now: datetime) -> BoundStatement[int]:
    """Return the statement that adds the first history entry of a new order."""
    return _bind_event(order, action=OrderAction.HELD, by=by, now=now, reason="", before="")


def announce_hold(order: Order, *, by: Actor, now: datetime) -> None:
    """Send the signal of a new order; all of it is written."""
    _announce(order, action=OrderAction.HELD, by=by, now=now, reason="")


def find_last_event(order: Order, *actions: OrderAction) -> OrderEvent | None:
    """Return the latest history entry with one of these actions, or None."""
    latest = _LATEST_EVENT.fetch(order=order.pk, actions=actions)
    return latest[0] if latest else None


_LATEST_EVENT: Final = CompiledQuery(
    lambda: OrderEvent.objects.filter(
        IsIn("action", "actions"), order_id=Parameter("order", models.BigIntegerField())
    ).order_by("-id")[:1]
)


def find_last_author(order: Order, *actions: OrderAction) -> ActionAuthor:
    """Return author and time of the latest of these actions, e.g. for a second reviewer."""
    event = find_last_event(order, *actions)
    return ActionAuthor() if event is None else get_event_author(event)


def get_event_author(event: OrderEvent) -> ActionAuthor:
    """Return author and time of a history entry."""
    return ActionAuthor(by=event.actor_label or event.actor_kind, at=event.at)


def _record_change(
    order: Order,
    *,
    action: OrderAction,
    by: Actor,
    now: datetime,
    reason: str,
    before: OrderStatus,
    changes: Mapping[str, Any],
) -> None:
    """Change fields of a locked order and add a history entry, in one round trip."""
    statements = [_bind_order_update(order, current=before, changes=changes)] if changes else []
    for name, value in changes.items():
        setattr(order, name, value)
    event = _bind_event(order, action=action, by=by, now=now, reason=reason, before=before)
    *changed, _ = run_together(*statements, event)
    row_count.check_row_count(
        sum(changed), wanted=len(statements), what=f"order {order.pk} from {before}"
    )
    _announce(order, action=action, by=by, now=now, reason=reason)


def _bind_order_update(
    order: Order, *, current: OrderStatus, changes: Mapping[str, Any]
) -> BoundStatement[int]:
    written = search_columns.add_search_columns(Order, changes)
    update = _get_order_update(tuple(written))
    return update.bind(order_pk=order.pk, current_status=current, **written)


@cache
def _get_order_update(names: tuple[str, ...]) -> CompiledUpdate:
    """Return the update of these fields of an order in its current status."""
    return CompiledUpdate(
        lambda: Order.objects.filter(
            pk=Parameter("order_pk", models.BigIntegerField()),
            status=Parameter("current_status", models.CharField()),
        ),
        **{name: Parameter(name, _ORDER_FIELDS[name]) for name in names},
    )


def _bind_event(
    order: Order, *, action: OrderAction, by: Actor, now: datetime, reason: str, before: str
) -> BoundStatement[int]:
    event = OrderEvent(
        order_id=order.pk,
        action=action,
        actor_kind=by.kind,
        actor_id=by.id,
        actor_label=by.label,
        from_status=before,
        to_status=order.status,
        reason=reason,
        at=now,
    )
    return _INSERT_EVENTS.bind([event])


def _announce(order: Order, *, action: OrderAction, by: Actor, now: datetime, reason: str) -> None:
    signals.order_changed.send(
        sender=Order, order=order, action=action, by=by, reason=reason, now=now
    )
