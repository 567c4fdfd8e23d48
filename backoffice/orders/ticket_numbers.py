"""Ticket numbers of an order on pages."""

from dataclasses import dataclass
from typing import Final

from django.db.models import Prefetch, prefetch_related_objects

from shared.core.enums import TicketStatus
from shared.raffles.models import Order, OrderTicket, collect_ticket_numbers

TICKETS_PREFETCH: Final = Prefetch(
    "order_tickets",
    OrderTicket.objects.select_related("ticket").only(
        "order_id", "released_at", "ticket__number", "ticket__status"
    ),
)
"""The ticket numbers of any count of orders, in one additional query."""


@dataclass(frozen=True, slots=True)
class OrderTicketNumber:
    """A ticket number with its leading zeros; `gone` if somebody else has it by now."""

    written: str
    gone: bool


def load_order_with_ticket_numbers(order_id: int) -> tuple[Order, list[OrderTicketNumber]] | None:
    """Return an order with its raffle, buyer and ticket numbers, in one query.

    Returns:
        None if there is no such order.

    """
    links = list(
        OrderTicket.objects.filter(order_id=order_id)
        .select_related("ticket", "order__raffle", "order__contact")
        .defer("order__raffle__description", "order__raffle__payment_instructions")
    )
    if links:
        return links[0].order, _build_ticket_numbers(links[0].order, links)
    without_tickets = Order.objects.select_related("raffle", "contact").filter(pk=order_id).first()
    return None if without_tickets is None else (without_tickets, [])


def load_ticket_numbers(order: Order) -> list[OrderTicketNumber]:
    """Return the ticket numbers an order holds or held last, in one query unless prefetched."""
    prefetch_related_objects([order], TICKETS_PREFETCH)
    return _build_ticket_numbers(order, list(order.order_tickets.all()))


def _build_ticket_numbers(order: Order, links: list[OrderTicket]) -> list[OrderTicketNumber]:
    ended = order.status not in Order.HOLDING
    free = {link.ticket.number for link in links if link.ticket.status == TicketStatus.AVAILABLE}
    return [
        OrderTicketNumber(
            order.raffle.format_ticket_number(number), gone=ended and number not in free
        )
        for number in collect_ticket_numbers(links)
    ]
