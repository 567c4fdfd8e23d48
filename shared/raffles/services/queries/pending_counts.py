"""Counts of pending decisions; reads only, each count from a small index of its own."""

from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Count, F, QuerySet, Value

from shared.raffles.models import Order, PaymentProof
from shared.raffles.predicates import UNSORTED_PROOFS


@dataclass(frozen=True, slots=True)
class PendingCounts:
    """Numbers of pending decisions.

    Attributes:
        reviews: orders under review, without those whose buyer was asked for another proof.
        decisions: ended orders that were paid when their ticket numbers were gone.
        orphans: payment proofs to sort: they fit no order, or one that is paid already; 0 in the
            counts of one raffle.

    """

    reviews: int
    decisions: int
    orphans: int = 0


def count_pending_in_raffle(raffle_id: int) -> PendingCounts:
    """Count the pending decisions of one raffle, in two queries.

    Adding zero to the raffle makes the database use the small indexes of pending orders.
    """
    return _count_pending(Order.objects.alias(of=F("raffle_id") + 0).filter(of=raffle_id))


def count_all_pending() -> PendingCounts:
    """Count the pending decisions of all raffles, in three queries."""
    found = _count_pending(Order.objects.all())
    orphans = PaymentProof.objects.filter(UNSORTED_PROOFS).count()
    return PendingCounts(found.reviews, found.decisions, orphans)


def count_pending_of_contact(contact_id: int) -> PendingCounts:
    """Count the orders under review and the payment proofs to sort of one buyer, in one query.

    Many at once are a pattern: one receipt for order after order, or receipts that fit none. Late
    payments are not counted.
    """
    reviews = Order.objects.filter(contact_id=contact_id, under_review_since__isnull=False)
    orphans = PaymentProof.objects.filter(UNSORTED_PROOFS, contact_id=contact_id)
    found = dict(
        _build_count_query("reviews", reviews).union(_build_count_query("orphans", orphans))
    )
    return PendingCounts(found.get("reviews", 0), 0, found.get("orphans", 0))


def _build_count_query(kind: str, rows: QuerySet[Any]) -> Any:
    named = rows.order_by().annotate(kind=Value(kind, output_field=CharField()))
    return named.values("kind").annotate(count=Count("pk")).values_list("kind", "count")


def _count_pending(orders: QuerySet[Order]) -> PendingCounts:
    reviews = orders.filter(under_review_since__isnull=False, asked_again_at__isnull=True)
    return PendingCounts(reviews.count(), orders.filter(needs_decision=True).count())
