"""Reads of orders, also for modules that must not write them."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db.models import BigIntegerField

from shared.core.constants import DEADLINE_GRACE
from shared.core.enums import OrderStatus
from shared.core.statements.compiled_queries import CompiledQuery, IsIn, Parameter
from shared.raffles import codes
from shared.raffles.errors import OrderNotFound
from shared.raffles.models import Order, OrderTicket
from shared.raffles.order_tickets import choose_ticket_numbers
from shared.raffles.predicates import EXPIRING_ORDERS


def find_order(reference: str) -> int:
    """Return the id of the order with this id or code.

    Args:
        reference: an id, also as #123, or a code in any spelling that `codes.normalise_code` reads.

    Raises:
        OrderNotFound: there is no such order.

    """
    text = reference.strip().removeprefix("#")
    if text.isascii() and text.isdigit():
        found = Order.objects.filter(pk=int(text[:20]))  # 20 digits exceed any id
    else:
        found = Order.objects.filter(code=codes.normalise_code(text) or "")
    order_id = found.values_list("pk", flat=True).first()
    if order_id is None:
        raise OrderNotFound(reference=reference)
    return order_id


def find_order_of_contact(order_id: int, *, contact_id: int) -> Order | None:
    """Return an order if it belongs to this contact; otherwise None."""
    found = _ORDERS_OF_CONTACT.fetch(order=order_id, contact=contact_id)
    return found[0] if found else None


_ORDERS_OF_CONTACT: Final = CompiledQuery(
    lambda: Order.objects.filter(
        pk=Parameter("order", BigIntegerField()), contact_id=Parameter("contact", BigIntegerField())
    )
)


def load_ticket_numbers(order_ids: Collection[int]) -> dict[int, list[int]]:
    """Return the ticket numbers of several orders by order id, in one query.

    Returns:
        For each order the ticket numbers that it holds or, once released, held last; ascending. An
        order without any has an empty list.

    """
    rows: dict[int, list[tuple[int, datetime | None]]] = defaultdict(list)
    for order_id, number, released_at in _TICKETS_OF_ORDERS.fetch(orders=order_ids):
        rows[order_id].append((number, released_at))
    return {order_id: choose_ticket_numbers(rows[order_id]) for order_id in order_ids}


_TICKETS_OF_ORDERS: Final = CompiledQuery(
    lambda: OrderTicket.objects.filter(IsIn("order_id", "orders")).values_list(
        "order_id", "ticket__number", "released_at"
    )
)


def list_replaceable_drafts(pairs: Collection[tuple[int, int]]) -> list[Order]:
    """Return the drafts that new holds of these buyers replace, in ascending order.

    Args:
        pairs: the id of a contact and of the raffle in which it gets a new hold.

    """
    wanted = set(pairs)
    if not wanted:
        return []
    found = _DRAFTS_OF_CONTACTS.fetch(contacts={contact_id for contact_id, _ in wanted})
    return [draft for draft in found if (draft.contact_id, draft.raffle_id) in wanted]


_DRAFTS_OF_CONTACTS: Final = CompiledQuery(
    lambda: Order.objects.filter(IsIn("contact_id", "contacts"), status=OrderStatus.DRAFT).order_by(
        "id"
    )
)


def list_orders_to_expire(*, now: datetime, limit: int) -> list[tuple[int, int | None]]:
    """Return orders whose deadline and `DEADLINE_GRACE` have passed, longest ago first.

    Returns:
        Up to `limit` pairs of order id and contact id, so the contact can be locked first.

    """
    latest = now - DEADLINE_GRACE
    due = Order.objects.filter(EXPIRING_ORDERS, expires_at__lt=latest)
    return list(due.order_by("expires_at").values_list("id", "contact_id")[:limit])
