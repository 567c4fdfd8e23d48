"""Refunds that a raffle still owes: their count and sum, and the list that shows them."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, QuerySet, Sum
from django.urls import reverse

from shared.conversation import formatting
from shared.core.enums import LedgerKind, OrderStatus
from shared.raffles.models import LedgerEntry, Order, Raffle


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


def query_paid_orders_without_refund() -> QuerySet[Order]:
    """Return the paid orders whose money has not gone back."""
    refunds = LedgerEntry.objects.filter(order=OuterRef("pk"), kind=LedgerKind.REFUNDED)
    return Order.objects.filter(~Exists(refunds), status=OrderStatus.PAID).order_by()


def load_owed_refunds(raffle: Raffle) -> OwedRefunds:
    """Return the refunds that a raffle which was called off still owes, in one query."""
    paid = query_paid_orders_without_refund().filter(raffle=raffle)
    sums = paid.aggregate(count=Count("pk"), amount=Sum("total"))
    return OwedRefunds(
        count=sums["count"],
        amount=formatting.format_money(sums["amount"] or Decimal(0), raffle.currency),
        address=build_refund_list_url(raffle.pk),
    )


def build_refund_list_url(raffle_id: int) -> str:
    """Return the URL of the list of refunds to make for one raffle."""
    orders = reverse("admin:raffles_order_changelist")
    return f"{orders}?raffle={raffle_id}&status={OrderStatus.PAID}"
