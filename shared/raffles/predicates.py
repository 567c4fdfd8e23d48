"""Conditions spelt as the partial indexes spell them.

SQLite takes a partial index only where the query's own words prove its condition; whether it looks
into bound parameters for that depends on how it was built. PostgreSQL does not mind.
"""

from enum import StrEnum
from typing import Final

from django.db.models import Q
from django.db.models.expressions import RawSQL

from shared.core.enums import OrderStatus, ProofStatus, TicketStatus


def literal(member: StrEnum) -> RawSQL:
    """Write a word of our own enums into the statement instead of binding it."""
    return RawSQL(f"'{member.value}'", ())  # noqa: S611 - never anybody's input


FREE: Final = Q(status=literal(TicketStatus.AVAILABLE))
"""Ticket numbers of the index `ticket_available`; its negation those of `ticket_taken`."""

ON_THE_CLOCK: Final = Q(
    status__in=[literal(OrderStatus.DRAFT), literal(OrderStatus.PENDING_PAYMENT)],
    under_review_since__isnull=True,
)
"""Orders of the index `order_expiring`."""

TO_FETCH: Final = Q(status=literal(ProofStatus.FETCHING))
"""Payment proofs of the index `proof_to_fetch`."""
