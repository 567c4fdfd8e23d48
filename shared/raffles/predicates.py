"""Conditions spelt as the partial indexes spell them; `core.sql` says why that matters."""

from typing import Final

from django.db.models import Q
from django.db.models.expressions import RawSQL

from shared.core.enums import OrderStatus, ProofStatus, TicketStatus, Verdict
from shared.core.sql import inline_enum_value

AVAILABLE_TICKETS: Final = Q(status=inline_enum_value(TicketStatus.AVAILABLE))
"""Ticket numbers of the index `ticket_available`; its negation those of `ticket_taken`."""

EXPIRING_ORDERS: Final = Q(
    status__in=[
        inline_enum_value(OrderStatus.DRAFT),
        inline_enum_value(OrderStatus.PENDING_PAYMENT),
    ],
    under_review_since__isnull=True,
)
"""Orders of the index `order_expiring`."""

PROOFS_TO_FETCH: Final = Q(status=inline_enum_value(ProofStatus.FETCHING))
"""Payment proofs of the index `proof_to_fetch`."""

HASHED_PROOFS: Final = ~Q(sha256=RawSQL("''", ()))
"""Payment proofs of the index `proof_same_bytes`: their file is kept."""

ORPHAN_PROOFS: Final = Q(order__isnull=True, verdict=Verdict.PENDING) & ~Q(
    status=ProofStatus.FAILED
)
"""Payment proofs that fit no order and that nobody has decided about."""
