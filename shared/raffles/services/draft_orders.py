"""Writes what makes a new order a hold: its code, its numbers and the first line of its history.

On PostgreSQL in one statement: round trips are most of what a hold costs.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from django.db import connection

from shared.core import row_count
from shared.core.enums import OrderAction
from shared.raffles import signals
from shared.raffles.actor import Actor
from shared.raffles.models import Order, TicketNumber

_ASSIGN_CODE_SQL: Final = """
    UPDATE raffles_order SET code = %(code)s
    WHERE id = %(order)s AND NOT EXISTS (SELECT 1 FROM raffles_order WHERE code = %(code)s)
"""

_WRITE_DRAFT_ORDER_SQL: Final = f"""
    WITH coded AS ({_ASSIGN_CODE_SQL} RETURNING id),
    moved AS (
        UPDATE raffles_ticketnumber SET status = 'RESERVED'
        WHERE id = ANY(%(tickets)s) AND status = 'AVAILABLE'
        RETURNING id
    ),
    linked AS (
        INSERT INTO raffles_orderticket (order_id, ticket_id)
        SELECT %(order)s, id FROM moved
    ),
    told AS (
        INSERT INTO raffles_orderevent (order_id, action, actor_kind, actor_id, actor_label,
                                        from_status, to_status, reason, at)
        VALUES (%(order)s, %(action)s, %(kind)s, %(actor)s, %(label)s, '', %(status)s, '', %(now)s)
    )
    SELECT (SELECT count(*) FROM coded), (SELECT count(*) FROM moved)
"""  # noqa: S608 - put together from our own words only


def assign_code(order: Order, *, code: str) -> bool:
    """Give an order its code, unless another order has that code already."""
    with connection.cursor() as cursor:
        cursor.execute(_ASSIGN_CODE_SQL, {"code": code, "order": order.pk})
        given = bool(cursor.rowcount == 1)
    if given:
        order.code = code
    return given


def write_draft_order(
    order: Order, *, code: str, tickets: Collection[TicketNumber], by: Actor, now: datetime
) -> bool:
    """Do what `give_code`, `tickets.hold` and `history.begin` do, on PostgreSQL.

    Returns:
        False if another order has that code already: all but the code is written then.

    """
    values: dict[str, Any] = {
        "code": code,
        "order": order.pk,
        "tickets": [ticket.pk for ticket in tickets],
        "action": OrderAction.HELD.value,
        "kind": by.kind.value,
        "actor": by.id,
        "label": by.label,
        "status": str(order.status),
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_WRITE_DRAFT_ORDER_SQL, values)
        coded, moved = cursor.fetchone()
    row_count.check_row_count(moved, wanted=len(tickets), what=f"order {order.pk} holds numbers")
    if coded:
        order.code = code
    signals.order_changed.send(
        sender=Order, order=order, action=OrderAction.HELD, by=by, reason="", now=now
    )
    return bool(coded)
