"""Writes of a new hold: its order, its ticket numbers and the first entry of its history.

They are one round trip on PostgreSQL, because round trips are most of the cost of a hold. So the
order's id, from which its code is derived, is known before.
"""

from collections.abc import Collection
from datetime import datetime
from functools import cache
from hashlib import blake2s
from itertools import count
from typing import Final

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper

from shared.core.statements.bound_statements import BoundStatement, run_together
from shared.core.statements.compiled_inserts import CompiledInsert
from shared.raffles import codes
from shared.raffles.actor import Actor
from shared.raffles.models import Order, TicketNumber
from shared.raffles.services import history, tickets

_NEXT_ID_SQL: Final = {
    "postgresql": "SELECT nextval(pg_get_serial_sequence('raffles_order', 'id'))",
    "sqlite": """
        SELECT 1 + max(
            coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'raffles_order'), 0),
            coalesce((SELECT max(id) FROM raffles_order), 0)
        )
    """,
}
"""On SQLite the rule of AUTOINCREMENT, https://www.sqlite.org/autoinc.html."""

_INSERT_ORDERS: Final = CompiledInsert(Order, unique=["code"])


def bind_next_order_id() -> BoundStatement[int]:
    """Return the statement whose result is the id of the next order.

    On SQLite it is the next one until this transaction ends, since there is one writer. On
    PostgreSQL it is drawn from the sequence, so a refused hold leaves a gap.
    """
    return BoundStatement(_NEXT_ID_SQL[connection.vendor], [], _read_id)


def _read_id(cursor: CursorWrapper) -> int:
    return int(cursor.fetchone()[0])


def write_draft_order(
    order: Order, *, chosen: Collection[TicketNumber], by: Actor, now: datetime
) -> None:
    """Insert an order and its code, hold its ticket numbers and record the hold.

    Args:
        order: a new draft, with the id that `bind_next_order_id` returned.
        chosen: its ticket numbers, locked and free.
        by: the author of the hold.
        now: time of the hold.

    Raises:
        WrongRowCount: not all ticket numbers were free.

    """
    order.code = _build_code(order)
    inserted, held, *_ = run_together(
        _INSERT_ORDERS.bind([order]),
        *tickets.bind_hold(chosen, order=order),
        history.bind_hold_event(order, by=by, now=now),
    )
    tickets.check_held(held, wanted=len(chosen))
    if not inserted:
        _insert_with_next_code(order)
    history.announce_hold(order, by=by, now=now)


def _insert_with_next_code(order: Order) -> None:
    """Insert an order with another tweak of its code; one of a former key may be in use already.

    Foreign keys are checked when the transaction ends, so its ticket numbers may precede it.
    """
    for tweak in count(1):
        order.code = _build_code(order, tweak=tweak)
        (inserted,) = run_together(_INSERT_ORDERS.bind([order]))
        if inserted:
            return


def _build_code(order: Order, *, tweak: int = 0) -> str:
    return codes.build_order_code(order.pk, key=_derive_code_key(settings.SECRET_KEY), tweak=tweak)


@cache
def _derive_code_key(secret: str) -> bytes:
    return blake2s(secret.encode(), person=b"ordercod").digest()
