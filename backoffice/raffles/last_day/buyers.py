"""Counts of a raffle's buyers: those a message can reach now, and all."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from shared.core.constants import SERVICE_WINDOW, SERVICE_WINDOW_MARGIN
from shared.core.enums import OrderStatus
from shared.raffles.models import Order, Raffle


@dataclass(frozen=True, slots=True)
class BuyerCounts:
    """How many buyers have orders.

    Attributes:
        all: Buyers of the chat.
        outside: Those of them who wrote longer ago than WhatsApp allows for a message.
        cash: Orders sold for cash, whose buyers get no message.

    """

    all: int
    outside: int
    cash: int

    @property
    def words(self) -> str:
        """The count of all, e.g. "1,200 buyers"."""
        return f"{self.all:,} buyer{'' if self.all == 1 else 's'}"


def count_buyers(
    raffle: Raffle, statuses: Collection[OrderStatus], *, now: datetime
) -> BuyerCounts:
    """Return how many buyers have orders with some statuses in a raffle, in one query."""
    earliest = now - (SERVICE_WINDOW - SERVICE_WINDOW_MARGIN)
    inside = Q(contact__last_inbound_at__gt=earliest)
    counts = Order.objects.filter(raffle=raffle, status__in=statuses).aggregate(
        all=Count("contact", distinct=True),
        inside=Count("contact", distinct=True, filter=inside),
        cash=Count("pk", filter=Q(contact=None)),
    )
    return BuyerCounts(counts["all"], counts["all"] - counts["inside"], counts["cash"])
