"""The numbers of an order as pages draw them."""

from dataclasses import dataclass
from typing import Final

from django.db.models import Prefetch, prefetch_related_objects

from backoffice.reading import numbers_of
from shared.core.enums import OrderStatus, TicketStatus
from shared.raffles.models import Order, OrderTicket

WITH_TICKETS: Final = Prefetch(
    "order_tickets",
    OrderTicket.objects.select_related("ticket").only(
        "order_id", "released_at", "ticket__number", "ticket__status"
    ),
)
"""An order's numbers in one query more, however many orders there are."""


@dataclass(frozen=True, slots=True)
class ShownNumber:
    """A number with its zeros, and whether somebody else has it by now."""

    written: str
    gone: bool


def shown(order: Order) -> list[ShownNumber]:
    """Give the numbers an order holds or held last, in one query unless they were read before."""
    prefetch_related_objects([order], WITH_TICKETS)
    ended = order.status in {OrderStatus.CANCELLED, OrderStatus.EXPIRED}
    free = {
        link.ticket.number
        for link in order.order_tickets.all()
        if link.ticket.status == TicketStatus.AVAILABLE
    }
    return [
        ShownNumber(order.raffle.written(number), gone=ended and number not in free)
        for number in numbers_of(order)
    ]
