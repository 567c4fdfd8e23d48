"""Conditions in the spelling of the partial indexes; `core.sql` explains why that matters."""

from typing import Final

from django.db.models import Q
from django.db.models.expressions import RawSQL

from shared.core.enums import OrderStatus, ProofStatus, TicketStatus, Verdict
from shared.core.sql import inline_enum_value

AVAILABLE_TICKETS: Final = Q(status=inline_enum_value(TicketStatus.AVAILABLE))
"""Free ticket numbers, as in the index `ticket_available`; negated, those of `ticket_taken`."""

EXPIRING_ORDERS: Final = Q(
    status__in=[
        inline_enum_value(OrderStatus.DRAFT),
        inline_enum_value(OrderStatus.PENDING_PAYMENT),
    ],
    under_review_since__isnull=True,
)
"""Orders whose clock runs, as in the index `order_expiring`."""

PAID_WITHOUT_ENTRY: Final = Q(
    status=inline_enum_value(OrderStatus.PAID), receipt_entry__isnull=True
)
"""Paid orders outside the receipt chain, as in the index `order_without_entry`."""

PROOFS_TO_FETCH: Final = Q(status=inline_enum_value(ProofStatus.FETCHING))
"""Payment proofs whose file is not fetched yet, as in the index `proof_to_fetch`."""

HASHED_PROOFS: Final = ~Q(sha256=RawSQL("''", ()))
"""Payment proofs whose file is stored, as in the index `proof_same_bytes`."""

PENDING_PROOFS: Final = Q(verdict=inline_enum_value(Verdict.PENDING))
"""Payment proofs without a verdict, as in the index `proof_pending`."""

UNSORTED_PROOFS: Final = Q(
    PENDING_PROOFS,
    Q(order__isnull=True)
    | Q(order__status=OrderStatus.PAID)
    | Q(
        order__status__in=[OrderStatus.CANCELLED, OrderStatus.EXPIRED], order__needs_decision=False
    ),
    ~Q(status=ProofStatus.FAILED),
)
"""Payment proofs that a person sorts.

They have no order, came besides the payment of a paid one, or were left when an order ended; those
of a late payment that waits for its decision are decided with it.
"""
