"""What pages and API answers read of an order, from rows that were fetched along with it."""

from collections.abc import Iterable

from shared.raffles.models import Order, OrderTicket


def numbers_of(order: Order) -> list[int]:
    """Give the numbers an order holds or, once released, held last; ascending.

    Reads `order_tickets` as prefetched, so that a list of orders needs no query an order.
    """
    links = order.order_tickets.all()
    held = _numbers(link for link in links if link.released_at is None)
    if held:
        return held
    latest = max((link.released_at for link in links if link.released_at), default=None)
    return _numbers(link for link in links if link.released_at == latest)


def _numbers(links: Iterable[OrderTicket]) -> list[int]:
    return sorted(link.ticket.number for link in links)
