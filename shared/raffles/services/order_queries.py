"""Reads of orders for callers that must not write them."""

from datetime import datetime

from shared.core.constants import DEADLINE_GRACE
from shared.raffles import codes
from shared.raffles.errors import OrderNotFound
from shared.raffles.models import Order
from shared.raffles.predicates import EXPIRING_ORDERS


def find_order(reference: str) -> int:
    """Give the id of the order that somebody calls by its id or its code, in any spelling.

    Raises:
        OrderNotFound: if there is none.

    """
    text = reference.strip().removeprefix("#")
    if text.isascii() and text.isdigit():
        found = Order.objects.filter(pk=int(text[:20]))  # beyond any id
    else:
        found = Order.objects.filter(code=codes.normalise_code(text) or "")
    order_id = found.values_list("pk", flat=True).first()
    if order_id is None:
        raise OrderNotFound(reference=reference)
    return order_id


def find_contact_id(order_id: int) -> int | None:
    """Give the buyer of an order, who must be locked before it; None for a sale without one.

    Raises:
        OrderNotFound: if there is no such order.

    """
    try:
        return Order.objects.values_list("contact_id", flat=True).get(pk=order_id)
    except Order.DoesNotExist:
        raise OrderNotFound(order_id=order_id) from None


def list_orders_to_expire(*, now: datetime, limit: int) -> list[tuple[int, int | None]]:
    """List orders whose time has run out, grace included, longest ago first.

    Returns:
        Pairs of order id and contact id, so that the contact can be locked first.

    """
    due = Order.objects.filter(EXPIRING_ORDERS, expires_at__lt=now - DEADLINE_GRACE)
    return list(due.order_by("expires_at").values_list("id", "contact_id")[:limit])
