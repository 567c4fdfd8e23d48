"""What pages and API answers read of an order, from rows that were fetched along with it."""

from backoffice.ui import display
from shared.raffles.models import Order, collect_ticket_numbers


def list_ticket_numbers(order: Order) -> list[int]:
    """Give the numbers an order holds or, once released, held last; ascending.

    Reads `order_tickets` as prefetched, so that a list of orders needs no query an order.
    """
    return collect_ticket_numbers(order.order_tickets.all())


def format_first_ticket_numbers(order: Order, *, limit: int = 4) -> str:
    """Write an order's first few numbers: "007, 213, 845, 846 +3"."""
    found = list_ticket_numbers(order)
    more = f" +{len(found) - limit}" if len(found) > limit else ""
    return display.format_ticket_numbers(order.raffle, found[:limit]) + more


def format_order_buyer(order: Order) -> str:
    """Name an order's buyer with the phone; of a sale for cash as it was written down."""
    if order.contact is not None:
        return display.format_contact(order.contact)
    written = ", ".join(part for part in (order.buyer_name, order.buyer_phone) if part)
    return written or display.format_contact(None)
