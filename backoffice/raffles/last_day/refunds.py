"""Refunds that a raffle still owes: their count and sum, and the list that shows them."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Sum
from django.urls import reverse

from shared.conversation import formatting
from shared.raffles.models import Raffle
from shared.raffles.services.queries import refund_queries


@dataclass(frozen=True, slots=True)
class OwedRefunds:
    """The refunds that a raffle still owes.

    Attributes:
        count: Number of orders.
        amount: Their sum, formatted.
        address: URL of the list.

    """

    count: int
    amount: str
    address: str


def load_owed_refunds(raffle: Raffle) -> OwedRefunds:
    """Return the refunds that a raffle which was called off still owes, in one query."""
    owed = refund_queries.query_orders_of_called_off_raffles().filter(raffle=raffle)
    sums = owed.aggregate(count=Count("pk"), amount=Sum("total"))
    return OwedRefunds(
        count=sums["count"],
        amount=formatting.format_money(sums["amount"] or Decimal(0), raffle.currency),
        address=build_refund_list_url(raffle.pk),
    )


def build_refund_list_url(raffle_id: int) -> str:
    """Return the URL of the list of refunds to make for one raffle."""
    return f"{reverse('admin:desk_refunds')}?raffle={raffle_id}"
