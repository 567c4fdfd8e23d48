"""Sales of a raffle by what led its buyers to the chat."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db.models import Count, Q, Sum

from shared.core.enums import OrderStatus
from shared.raffles.models import Order, Raffle
from shared.raffles.order_sources import OrderSource, build_source

_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class SourceSales:
    """Orders of one source.

    Attributes:
        source: what led to them; None: not known, as for a sale for cash.
        orders: how many were placed, whatever became of them.
        paid_orders: how many of them are paid.
        paid: the sum of those, in the raffle's currency.

    """

    source: OrderSource | None
    orders: int
    paid_orders: int
    paid: Decimal


def load_sales_by_source(raffle: Raffle) -> list[SourceSales]:
    """Return the sales of each source, the largest sum first; reads all orders of the raffle."""
    is_paid = Q(status=OrderStatus.PAID)
    rows = (
        Order.objects.filter(raffle=raffle, placed_at__isnull=False)
        .order_by()
        .values_list("source_kind", "source_name", "source_id")
        .annotate(
            orders=Count("pk"),
            paid_orders=Count("pk", filter=is_paid),
            paid=Sum("total", filter=is_paid),
        )
    )
    sales = [
        SourceSales(
            build_source(kind, name, source_id),
            orders,
            paid_orders,
            Decimal(paid or 0).quantize(_CENT),  # SQLite sums as floats
        )
        for kind, name, source_id, orders, paid_orders, paid in rows
    ]
    return sorted(
        sales,
        key=lambda each: (-each.paid, -each.orders, each.source.name if each.source else ""),
    )
