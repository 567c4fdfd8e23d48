"""Texts about an order from prefetched rows, without a query per order."""

from backoffice.ui import display
from shared.raffles.models import Order, collect_ticket_numbers


def list_ticket_numbers(order: Order) -> list[int]:
    """Return the ticket numbers an order holds or, once released, held last; ascending.

    Reads the prefetched `order_tickets`, see `ticket_numbers.TICKETS_PREFETCH`.
    """
    return collect_ticket_numbers(order.order_tickets.all())


def format_first_ticket_numbers(order: Order, *, limit: int = 4) -> str:
    """Return the first few ticket numbers of an order, e.g. "007, 213, 845, 846 +3"."""
    numbers = list_ticket_numbers(order)
    more = f" +{len(numbers) - limit}" if len(numbers) > limit else ""
    return display.format_ticket_numbers(order.raffle, numbers[:limit]) + more


def format_order_buyer(order: Order) -> str:
    """Return the name and phone number of an order's buyer; those typed in for a cash sale."""
    if order.contact is not None:
        return display.format_contact(order.contact)
    typed = ", ".join(part for part in (order.buyer_name, order.buyer_phone) if part)
    return typed or display.format_contact(None)
