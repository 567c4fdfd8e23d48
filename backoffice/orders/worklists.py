"""Which orders wait for review and who is next; how much waits in each of the desk's lists."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import CharField, Count, F, Q, QuerySet, Value

from shared.raffles.models import Order, PaymentProof
from shared.raffles.predicates import EXPIRING_ORDERS, ORPHAN_PROOFS

EXPIRES_SOON_WITHIN: Final = timedelta(minutes=10)
"""A clock that ends within this time is worth a look."""

MAX_WORKLIST_ROWS: Final = 2_000
"""How many waiting orders are looked at to say who is next."""

_REVIEW_ORDERING: Final = (F("asked_again_at").asc(nulls_first=True), "under_review_since", "id")
"""Longest waiting first; those whose buyer was asked again stand behind all others."""


def build_expiring_soon_condition(*, now: datetime) -> Q:
    """Give the condition of orders whose clock ends within ten minutes, or has just ended."""
    return Q(EXPIRING_ORDERS, expires_at__lte=now + EXPIRES_SOON_WITHIN)


@dataclass(frozen=True, slots=True)
class WorklistCounts:
    """How much waits in each list."""

    queue: int
    orphans: int
    late: int


@dataclass(frozen=True, slots=True)
class RaffleReviewCount:
    """How many orders of one raffle wait, and how many of them for their buyer."""

    raffle_id: int
    title: str
    count: int
    asked: int


@dataclass(frozen=True, slots=True)
class WorklistPosition:
    """Where a row stands in its list: its number from 1, 0 if it is not in it; its neighbours."""

    number: int
    count: int
    previous: int | None
    following: int | None


@dataclass(frozen=True, slots=True)
class Worklist:
    """Ids in the order they are taken; `asked` are those that wait for their buyer."""

    ids: tuple[int, ...]
    asked: frozenset[int] = frozenset()

    def place(self, key: int) -> WorklistPosition:
        """Say where a row stands; one that is not in the list stands before its beginning."""
        if key not in self.ids:
            return WorklistPosition(0, len(self.ids), None, self.ids[0] if self.ids else None)
        at = self.ids.index(key)
        following = self.ids[at + 1] if at + 1 < len(self.ids) else None
        return WorklistPosition(at + 1, len(self.ids), self.ids[at - 1] if at else None, following)

    def turn_after(self, key: int) -> tuple[int, ...]:
        """Give who can be decided about after this one, from the beginning again after the last."""
        at = self.ids.index(key) + 1 if key in self.ids else 0
        turn = (*self.ids[at:], *self.ids[:at])
        return tuple(other for other in turn if other != key and other not in self.asked)

    def next_after(self, key: int, *, passing: Collection[int] = ()) -> int | None:
        """Give the row to decide about next.

        Args:
            key: the row that is just decided about.
            passing: rows that somebody else looks at; taken only if there are no others.

        """
        turn = self.turn_after(key)
        return next((other for other in turn if other not in passing), next(iter(turn), None))


def query_orders_to_review(*, raffle_id: int | None = None) -> QuerySet[Order]:
    """Give the orders under review in the order they are taken."""
    waiting = Order.objects.filter(under_review_since__isnull=False)
    if raffle_id is not None:
        waiting = waiting.filter(raffle_id=raffle_id)
    return waiting.order_by(*_REVIEW_ORDERING)


def load_review_worklist(*, raffle_id: int | None = None) -> Worklist:
    """Read who waits for review, in one query."""
    rows = list(
        query_orders_to_review(raffle_id=raffle_id).values_list("id", "asked_again_at")[
            :MAX_WORKLIST_ROWS
        ]
    )
    asked = frozenset(key for key, asked_at in rows if asked_at is not None)
    return Worklist(tuple(key for key, _ in rows), asked)


def query_late_payment_orders() -> QuerySet[Order]:
    """Give the ended orders that were paid too late, longest waiting first."""
    return Order.objects.filter(needs_decision=True).order_by("id")


def load_late_payment_worklist() -> Worklist:
    """Read which late payments wait for a decision, in one query."""
    return Worklist(
        tuple(query_late_payment_orders().values_list("id", flat=True)[:MAX_WORKLIST_ROWS])
    )


def query_orphan_proofs() -> QuerySet[PaymentProof]:
    """Give the proofs without an order that wait, oldest first."""
    return PaymentProof.objects.filter(ORPHAN_PROOFS).order_by("id")


def load_orphan_proof_worklist() -> Worklist:
    """Read which orphan proofs wait, in one query."""
    return Worklist(tuple(query_orphan_proofs().values_list("id", flat=True)[:MAX_WORKLIST_ROWS]))


def count_worklists() -> WorklistCounts:
    """Count what waits in all three lists, in one query."""
    queue = _build_count_query("queue", query_orders_to_review())
    orphaned = _build_count_query("orphans", query_orphan_proofs())
    late = _build_count_query("late", query_late_payment_orders())
    return WorklistCounts(
        **{"queue": 0, "orphans": 0, "late": 0, **dict(queue.union(orphaned, late))}
    )


def count_reviews_by_raffle() -> list[RaffleReviewCount]:
    """Count the waiting orders of each raffle that has some, in one query."""
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
