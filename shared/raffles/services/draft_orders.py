"""Writes of a new hold: its code, its ticket numbers and the first entry of its history.

On PostgreSQL they are one statement, because round trips are most of the cost of a hold.
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
    recorded AS (
        INSERT INTO raffles_orderevent (order_id, action, actor_kind, actor_id, actor_label,
                                        from_status, to_status, reason, at)
        VALUES (%(order)s, %(action)s, %(kind)s, %(actor)s, %(label)s, '', %(status)s, '', %(now)s)
    )
    SELECT (SELECT count(*) FROM coded), (SELECT count(*) FROM moved)
"""  # noqa: S608 - composed of constants only


def assign_code(order: Order, *, code: str) -> bool:
    """Set the code of an order unless another order has that code.

    Returns:
        Whether the code was set.

    """
    with connection.cursor() as cursor:
        cursor.execute(_ASSIGN_CODE_SQL, {"code": code, "order": order.pk})
        assigned = bool(cursor.rowcount == 1)
    if assigned:
        order.code = code
    return assigned


def write_draft_order(
    order: Order, *, code: str, tickets: Collection[TicketNumber], by: Actor, now: datetime
) -> bool:
    """Assign the code, hold the ticket numbers and record the hold, on PostgreSQL.

    It does the same as `assign_code`, `tickets.hold_tickets` and `history.record_hold` together.

    Args:
        order: a new draft.
        code: its code, by `codes.build_order_code`.
        tickets: its ticket numbers, locked and free.
        by: the author of the hold.
        now: time of the hold.

    Returns:
        Whether the code was set; False if another order has it. The rest is written in any case.

    Raises:
        WrongRowCount: not all ticket numbers were free.

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
