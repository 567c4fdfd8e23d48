"""Locks an order together with its buyer, and tells buyers what became of it."""

from collections.abc import Callable
from datetime import datetime

from shared.conversation import facts
from shared.conversation.values import OrderFacts, Reply
from shared.core.enums import OutboxKind
from shared.raffles.models import Order
from shared.raffles.services import orders
from shared.whatsapp.models import WhatsAppContact
from shared.whatsapp.services import contacts, outbox


def locked(order_id: int, *, sender_id: int | None = None) -> Order:
    """Lock the order's contact, then the order: the one order of locks there is.

    Args:
        order_id: which order.
        sender_id: another contact to be locked with it, e.g. a friend who paid; contacts are
            locked in ascending order.

    Raises:
        OrderNotFound: if there is no such order.

    """
    contact_ids = {orders.contact_of(order_id), sender_id}
    for contact_id in sorted(known for known in contact_ids if known is not None):
        contacts.lock(contact_id)
    return orders.lock(order_id)


def tell(order: Order, text: Callable[[OrderFacts], Reply], *, now: datetime) -> None:
    """Queue the notice of a locked order's buyer; a sale without a contact has nobody to tell."""
    if order.contact is not None:
        say(order.contact, text(facts.of_order(order, now=now)), now=now)


def say(contact: WhatsAppContact, reply: Reply, *, now: datetime) -> None:
    """Queue a notice for a locked contact; outside the 24-hour window it waits."""
    outbox.enqueue(
        contact, reply.message(), key=reply.key, kind=OutboxKind.NOTICE, now=now, about=reply.about
    )
