"""Notes of staff about orders, for the history; buyers read none of them."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from shared.core import logs
from shared.core.enums import OrderAction
from shared.raffles.actor import Actor
from shared.raffles.models import Order
from shared.raffles.services import history, locks, orders

_log = logs.get_logger(__name__)


REPEATED_WITHIN: Final = timedelta(minutes=1)


@transaction.atomic(durable=True)
def add_order_note(order_id: int, *, note: str, by: Actor, now: datetime) -> Order:
    """Add a note to the history of an order, whatever its status.

    The same note by the same author within `REPEATED_WITHIN`, as of a form that is sent twice, is
    not added again.

    Args:
        order_id: primary key of the order.
        note: the note, for staff.
        by: the author.
        now: the present time.

    Raises:
        OrderNotFound: there is no such order.
        NoteEmpty, NoteTooLong: see `orders.add_note`.

    """
    order = locks.lock_order_with_contacts(order_id)
    if _is_repeated(order, note=note, by=by, now=now):
        return order
    order = orders.add_note(order, note=note, by=by, now=now)
    _log.info("order_note_added", order_id=order_id, by=by.kind)
    return order


def _is_repeated(order: Order, *, note: str, by: Actor, now: datetime) -> bool:
    latest = history.find_last_event(order, OrderAction.NOTE_ADDED)
    if latest is None or now - latest.at > REPEATED_WITHIN:
        return False
    same_author = (latest.actor_kind, latest.actor_id) == (by.kind, by.id)
    return same_author and latest.reason == note.strip()
