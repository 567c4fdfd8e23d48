"""The kind of rows and the orders that an export is about."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Q

from shared.core.enums import OrderStatus
from shared.raffles.models import Raffle


class ExportKind(StrEnum):
    """The kind of rows of an export."""

    NUMBERS = "NUMBERS"
    ORDERS = "ORDERS"
    BUYERS = "BUYERS"
    REFUNDS = "REFUNDS"
    MONEY = "MONEY"


@dataclass(frozen=True, slots=True)
class ExportSelection:
    """The orders and the kind of rows to export; None for all raffles, any status or any time.

    The status does not choose among rows of money: all of them add up, whatever became of the
    orders. The times choose orders by when they were made, and money by when it came or went.

    Attributes:
        what: The kind of rows.
        raffle: The raffle of the orders.
        status: The status of the orders.
        start: The first time that belongs to the export.
        end: The first time that does not belong to it any more.

    """

    what: ExportKind
    raffle: Raffle | None
    status: OrderStatus | None
    start: datetime | None = None
    end: datetime | None = None

    def build_order_condition(self) -> Q:
        """Return the condition on orders."""
        condition = Q()
        if self.raffle is not None:
            condition &= Q(raffle=self.raffle)
        if self.status is not None:
            condition &= Q(status=self.status)
        return condition & self.build_time_condition("created_at")

    def build_time_condition(self, field: str) -> Q:
        """Return the condition on a time, e.g. `created_at` of orders."""
        condition = Q()
        if self.start is not None:
            condition &= Q(**{f"{field}__gte": self.start})
        if self.end is not None:
            condition &= Q(**{f"{field}__lt": self.end})
        return condition
