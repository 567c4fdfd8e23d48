"""Locks of an order and its contacts, in the order that avoids deadlocks."""

from shared.raffles.models import Order
from shared.raffles.services import order_queries, orders
from shared.whatsapp.services.inbox import contacts


def lock_order_with_contacts(order_id: int, *, sender_id: int | None = None) -> Order:
    """Lock the order's contact, then the order.

    All code locks contacts first, then orders, so that transactions do not deadlock.

    Args:
        order_id: primary key of the order.
        sender_id: another contact to lock, e.g. a friend who paid; contacts are locked in
            ascending order of their ids.

    Raises:
        OrderNotFound: there is no such order.

    """
    contact_ids = {order_queries.find_contact_id(order_id), sender_id}
    for contact_id in sorted(known for known in contact_ids if known is not None):
        contacts.lock_contact(contact_id)
    return orders.lock_order(order_id)
