"""More time for orders that wait for their buyer; each queues its message to the buyer."""

from datetime import datetime

from django.db import transaction

from shared.conversation.notify import notify_buyer
from shared.conversation.texts import order_updates
from shared.core import logs
from shared.raffles.actor import Actor
from shared.raffles.models import Order
from shared.raffles.services import locks, orders

_log = logs.get_logger(__name__)


@transaction.atomic(durable=True)
def give_more_time(order_id: int, *, by: Actor, now: datetime) -> Order:
    """Give a hold or an unpaid order more time; the buyer reads the new deadline.

    The time is the raffle's time to pay, from now on, and never goes beyond the draw.

    Args:
        order_id: primary key of the order.
        by: the author.
        now: the present time.

    Returns:
        The order with its new deadline.

    Raises:
        OrderNotFound: there is no such order.
        OrderAlreadyPaid, OrderEnded, OrderUnderReview, EnoughTimeLeft, RaffleSealed, RaffleDrawn,
            RaffleCalledOff, DrawTimeReached: see `orders.give_more_time`.

    """
    order = orders.give_more_time(locks.lock_order_with_contacts(order_id), by=by, now=now)
    notify_buyer(
        order, lambda known: order_updates.build_more_time_message(known, now=now), now=now
    )
    _log.info("order_time_given", order_id=order_id, by=by.kind)
    return order
