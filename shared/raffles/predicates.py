"""Conditions spelt as the partial indexes spell them; `core.sql` says why that matters."""

from typing import Final

from django.db.models import Q
from django.db.models.expressions import RawSQL

from shared.core.enums import OrderStatus, ProofStatus, TicketStatus, Verdict
from shared.core.sql import literal

FREE: Final = Q(status=literal(TicketStatus.AVAILABLE))
"""Ticket numbers of the index `ticket_available`; its negation those of `ticket_taken`."""

ON_THE_CLOCK: Final = Q(
    status__in=[literal(OrderStatus.DRAFT), literal(OrderStatus.PENDING_PAYMENT)],
    under_review_since__isnull=True,
)
"""Orders of the index `order_expiring`."""

TO_FETCH: Final = Q(status=literal(ProofStatus.FETCHING))
"""Payment proofs of the index `proof_to_fetch`."""

HASHED: Final = ~Q(sha256=RawSQL("''", ()))
"""Payment proofs of the index `proof_same_bytes`: their file is kept."""

ORPHAN: Final = Q(order__isnull=True, verdict=Verdict.PENDING) & ~Q(status=ProofStatus.FAILED)
"""Payment proofs that fit no order and that nobody has decided about."""
