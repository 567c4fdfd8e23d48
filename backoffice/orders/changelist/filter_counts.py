"""How many orders each answer of the list's filters stands for, read in one query."""

import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import CharField, Count, F, Q, QuerySet, Value

from backoffice.orders import worklists
from shared.raffles.models import Order

MAX_CACHE_AGE: Final = timedelta(seconds=15)
"""How old the counts beside the filters may be."""

UNDER_REVIEW: Final = Q(under_review_since__isnull=False)
"""Orders of the index `order_reviewing`."""

type FilterAnswer = tuple[str, str]
"""A filter's parameter, and one of its values."""


@dataclass(frozen=True, slots=True)
class OrderFilterCounts:
    """Counts of orders by filter, answer and raffle."""

    rows: Mapping[FilterAnswer, Mapping[int, int]]

    def count(self, parameter: str, value: str, *, raffle_id: int | None = None) -> int:
        """Count the orders of an answer, in one raffle or in all."""
        by_raffle = self.rows.get((parameter, value), {})
        return sum(by_raffle.values()) if raffle_id is None else by_raffle.get(raffle_id, 0)

    def total(self, *, raffle_id: int | None = None) -> int:
        """Count all orders, of one raffle or of all."""
        answers = [value for parameter, value in self.rows if parameter == "status"]
        return sum(self.count("status", value, raffle_id=raffle_id) for value in answers)


_cached_counts: list[tuple[datetime, OrderFilterCounts]] = []
_cache_lock = threading.Lock()


def get_filter_counts(*, now: datetime) -> OrderFilterCounts:
    """Give counts that are at most fifteen seconds old, from this process's memory if it can."""
    with _cache_lock:
        seen = _cached_counts[-1:]
    if seen and abs(now - seen[0][0]) < MAX_CACHE_AGE:
        return seen[0][1]
    fresh = count_orders_by_filter(now=now)
    with _cache_lock:
        _cached_counts[:] = [(now, fresh)]
    return fresh


def clear_filter_counts() -> None:
    """Empty this process's memory of counts."""
    with _cache_lock:
        _cached_counts.clear()


def count_orders_by_filter(*, now: datetime) -> OrderFilterCounts:
    """Count now; each part of the query reads one small or covering index."""
    parts = [
        _build_count_query("review", Value("waiting"), UNDER_REVIEW),
        _build_count_query(
            "review", Value("asked"), UNDER_REVIEW & Q(asked_again_at__isnull=False)
        ),
        _build_count_query("decision", Value("yes"), Q(needs_decision=True)),
        _build_count_query(
            "expiring", Value("soon"), worklists.build_expiring_soon_condition(now=now)
        ),
        _build_count_query("sale", Value("cash"), Q(contact__isnull=True)),
    ]
    rows: dict[FilterAnswer, dict[int, int]] = defaultdict(dict)
    for parameter, value, raffle_id, count in _build_count_query("status", F("status"), Q()).union(
        *parts, all=True
    ):
        rows[parameter, value][raffle_id] = count
    return OrderFilterCounts(rows)


def _build_count_query(parameter: str, value: Any, condition: Q) -> QuerySet[Order, Any]:
    word = CharField()
    named = Order.objects.filter(condition).order_by()
    named = named.annotate(
        parameter=Value(parameter, output_field=word),
        value=value if isinstance(value, F) else Value(value.value, output_field=word),
    )
    return named.values_list("parameter", "value", "raffle_id").annotate(count=Count("*"))
