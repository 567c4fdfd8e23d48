"""What waits for a person's decision; reads only, each count from its own small index."""

from dataclasses import dataclass

from django.db.models import F, QuerySet

from shared.raffles.models import Order, PaymentProof
from shared.raffles.predicates import ORPHAN_PROOFS


@dataclass(frozen=True, slots=True)
class PendingCounts:
    """How much waits.

    Attributes:
        reviews: orders whose payment proof waits; not those whose buyer owes another one.
        decisions: ended orders that were paid when their numbers were gone.
        orphans: payment proofs that fit no order; 0 where one raffle is asked about.

    """

    reviews: int
    decisions: int
    orphans: int = 0


def count_pending_in_raffle(raffle_id: int) -> PendingCounts:
    """Count what waits in one raffle, in two queries.

    The zero keeps the database with the indexes of what waits, which are small.
    """
    return _count_pending(Order.objects.alias(of=F("raffle_id") + 0).filter(of=raffle_id))


def count_all_pending() -> PendingCounts:
    """Count what waits anywhere, in three queries."""
    found = _count_pending(Order.objects.all())
    orphans = PaymentProof.objects.filter(ORPHAN_PROOFS).count()
    return PendingCounts(found.reviews, found.decisions, orphans)


def _count_pending(orders: QuerySet[Order]) -> PendingCounts:
    reviews = orders.filter(under_review_since__isnull=False, asked_again_at__isnull=True)
    return PendingCounts(reviews.count(), orders.filter(needs_decision=True).count())
