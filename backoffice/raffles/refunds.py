"""Refunds that a raffle still owes: their count and sum, and the list that shows them."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
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


def query_orders_to_refund() -> QuerySet[Order]:
    """Return the orders whose money must go back if their raffle was called off.

    These are the paid ones without a refund, and those that were paid and could not be confirmed.
    """
    refunds = LedgerEntry.objects.filter(order=OuterRef("pk"), kind=LedgerKind.REFUNDED)
    paid = Q(~Exists(refunds), status=OrderStatus.PAID)
    return Order.objects.filter(paid | Q(needs_decision=True)).order_by()


def load_owed_refunds(raffle: Raffle) -> OwedRefunds:
    """Return the refunds that a raffle which was called off still owes, in one query."""
    owed = query_orders_to_refund().filter(raffle=raffle)
    sums = owed.aggregate(count=Count("pk"), amount=Sum("total"))
    return OwedRefunds(
        count=sums["count"],
        amount=formatting.format_money(sums["amount"] or Decimal(0), raffle.currency),
        address=build_refund_list_url(raffle.pk),
    )


def build_refund_list_url(raffle_id: int) -> str:
    """Return the URL of the list of refunds to make for one raffle."""
    orders = reverse("admin:raffles_order_changelist")
    return f"{orders}?raffle={raffle_id}&status={OrderStatus.PAID}"


def build_late_payments_url(raffle_id: int) -> str:
    """Return the URL of the list of payments that came too late for one raffle."""
    return f"{reverse('admin:raffles_order_changelist')}?raffle={raffle_id}&decision=yes"
