"""Notes of staff about orders, for the history; buyers read none of them."""

from datetime import datetime

from django.db import transaction

from shared.core import logs
from shared.raffles.actor import Actor
from shared.raffles.models import Order
from shared.raffles.services import locks, orders

_log = logs.get_logger(__name__)


@transaction.atomic(durable=True)
def add_order_note(order_id: int, *, note: str, by: Actor, now: datetime) -> Order:
    """Add a note to the history of an order, whatever its status.

    Args:
        order_id: primary key of the order.
        note: the note, for staff.
        by: the author.
        now: the present time.

    Raises:
        OrderNotFound: there is no such order.
        NoteEmpty, NoteTooLong: see `orders.add_note`.

    """
    order = orders.add_note(locks.lock_order_with_contacts(order_id), note=note, by=by, now=now)
    _log.info("order_note_added", order_id=order_id, by=by.kind)
    return order
