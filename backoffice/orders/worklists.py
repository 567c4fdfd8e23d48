"""Worklists of staff: reviews, receipts to sort, late payments and refunds, with their counts."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import CharField, Count, F, Q, QuerySet, Value

from shared.core.statements.compiled_queries import CompiledQuery, Moment, TimeParameter
from shared.raffles.models import Order, PaymentProof
from shared.raffles.predicates import EXPIRING_ORDERS, UNSORTED_PROOFS
from shared.raffles.services.queries import refund_queries

EXPIRES_SOON_WITHIN: Final = timedelta(minutes=10)
"""An order that expires within this time counts as expiring soon."""

MAX_WORKLIST_ROWS: Final = 2_000
"""Rows of a worklist that are loaded to find the next one."""

_REVIEW_ORDERING: Final = (F("asked_again_at").asc(nulls_first=True), "under_review_since", "id")
"""Longest waiting first; orders whose buyer was asked for another proof come last."""


def build_expiring_soon_condition(*, now: Moment) -> Q:
    """Return the condition for orders that expire within ten minutes, or have just expired."""
    return Q(EXPIRING_ORDERS, expires_at__lte=now + EXPIRES_SOON_WITHIN)


@dataclass(frozen=True, slots=True)
class WorklistCounts:
    """The count of rows in each worklist."""

    queue: int
    orphans: int
    late: int
    refunds: int


@dataclass(frozen=True, slots=True)
class RaffleReviewCount:
    """The count of orders to review of one raffle; `asked` of them wait for their buyer."""

    raffle_id: int
    title: str
    count: int
    asked: int


@dataclass(frozen=True, slots=True)
class WorklistPosition:
    """The position of a row in its worklist, from 1 (0 if it is not in it), and its neighbours."""

    number: int
    count: int
    previous: int | None
    following: int | None


@dataclass(frozen=True, slots=True)
class Worklist:
    """Ids of a worklist in the order of work; `asked` are those that wait for their buyer."""

    ids: tuple[int, ...]
    asked: frozenset[int] = frozenset()

    def find_position(self, key: int) -> WorklistPosition:
        """Return the position of a row; one that is not in the worklist is before the first."""
        if key not in self.ids:
            return WorklistPosition(0, len(self.ids), None, self.ids[0] if self.ids else None)
        index = self.ids.index(key)
        previous = self.ids[index - 1] if index else None
        following = self.ids[index + 1] if index + 1 < len(self.ids) else None
        return WorklistPosition(index + 1, len(self.ids), previous, following)

    def list_following(self, key: int) -> tuple[int, ...]:
        """Return the rows that are ready for a decision after one row; the first follow the last.

        Rows that wait for their buyer are left out.
        """
        start = self.ids.index(key) + 1 if key in self.ids else 0
        following = (*self.ids[start:], *self.ids[:start])
        return tuple(other for other in following if other != key and other not in self.asked)

    def find_next(self, key: int, *, skip: Collection[int] = ()) -> int | None:
        """Return the row to decide about next; None if there is none.

        Args:
            key: The row of the current decision.
            skip: Rows that are returned only if there are no others.

        """
        following = self.list_following(key)
        return next(
            (other for other in following if other not in skip), next(iter(following), None)
        )


def query_orders_to_review(*, raffle_id: int | None = None) -> QuerySet[Order]:
    """Return the orders under review in the order of work, of one raffle or of all (None)."""
    orders = Order.objects.filter(under_review_since__isnull=False)
    if raffle_id is not None:
        orders = orders.filter(raffle_id=raffle_id)
    return orders.order_by(*_REVIEW_ORDERING)


def load_review_worklist(*, raffle_id: int | None = None) -> Worklist:
    """Return the worklist of orders under review, in one query."""
    rows = list(
        query_orders_to_review(raffle_id=raffle_id).values_list("id", "asked_again_at")[
            :MAX_WORKLIST_ROWS
        ]
    )
    asked = frozenset(key for key, asked_at in rows if asked_at is not None)
    return Worklist(tuple(key for key, _ in rows), asked)


def query_late_payment_orders() -> QuerySet[Order]:
    """Return the ended orders that were paid too late, oldest first."""
    return Order.objects.filter(needs_decision=True).order_by("id")


def load_late_payment_worklist() -> Worklist:
    """Return the worklist of late payments, in one query."""
    return Worklist(
        tuple(query_late_payment_orders().values_list("id", flat=True)[:MAX_WORKLIST_ROWS])
    )


def query_unsorted_proofs() -> QuerySet[PaymentProof]:
    """Return the pending proofs that fit no order, or one that is paid already, oldest first."""
    return PaymentProof.objects.filter(UNSORTED_PROOFS).order_by("id")


def load_unsorted_proof_worklist() -> Worklist:
    """Return the worklist of receipts to sort, in one query."""
    return Worklist(tuple(query_unsorted_proofs().values_list("id", flat=True)[:MAX_WORKLIST_ROWS]))


def count_worklists(*, now: datetime) -> WorklistCounts:
    """Return the counts of all worklists at the current time, in one query."""
    found = dict(_COUNTS.fetch(now=now))
    return WorklistCounts(
        **{field.name: found.get(field.name, 0) for field in fields(WorklistCounts)}
    )


def _build_count_queries(*, now: Moment) -> Any:
    queue = _build_count_query("queue", query_orders_to_review())
    orphaned = _build_count_query("orphans", query_unsorted_proofs())
    late = _build_count_query("late", query_late_payment_orders())
    refunds = _build_count_query("refunds", refund_queries.query_orders_to_refund(now=now))
    return queue.union(orphaned, late, refunds)


_COUNTS: Final = CompiledQuery[tuple[str, int]](
    lambda: _build_count_queries(now=TimeParameter("now"))
)


def count_reviews_by_raffle() -> list[RaffleReviewCount]:
    """Return the counts of orders under review of each raffle that has any, in one query."""
    groups = (
        Order.objects.filter(under_review_since__isnull=False)
        .order_by("raffle__title", "raffle_id")
        .values_list("raffle_id", "raffle__title")
        .annotate(count=Count("id"), asked=Count("asked_again_at"))
    )
    return [RaffleReviewCount(*row) for row in groups]


def _build_count_query(kind: str, rows: QuerySet[Any]) -> Any:
    named = rows.order_by().annotate(kind=Value(kind, output_field=CharField()))
    return named.values("kind").annotate(count=Count("pk")).values_list("kind", "count")
