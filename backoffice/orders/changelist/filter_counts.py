"""Counts of orders per filter value of the list, in one query and cached for a short time."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from django.core.cache import cache
from django.db.models import CharField, Count, F, Q, QuerySet, Value

from backoffice.orders import worklists
from shared.raffles.models import Order

MAX_CACHE_AGE: Final = timedelta(seconds=15)
"""Maximum age of the counts beside the filters."""

_CACHE_KEY: Final = "orders.filter_counts"

UNDER_REVIEW: Final = Q(under_review_since__isnull=False)
"""The condition of the index `order_reviewing`."""

type FilterValue = tuple[str, str]
"""The parameter of a filter, and one of its values."""


@dataclass(frozen=True, slots=True)
class OrderFilterCounts:
    """Counts of orders by filter value and raffle id."""

    rows: Mapping[FilterValue, Mapping[int, int]]

    def count_orders(self, parameter: str, value: str, *, raffle_id: int | None = None) -> int:
        """Return the count of orders with a filter value, of one raffle or of all (None)."""
        by_raffle = self.rows.get((parameter, value), {})
        return sum(by_raffle.values()) if raffle_id is None else by_raffle.get(raffle_id, 0)

    def count_all_orders(self, *, raffle_id: int | None = None) -> int:
        """Return the count of all orders, of one raffle or of all (None)."""
        statuses = [value for parameter, value in self.rows if parameter == "status"]
        return sum(self.count_orders("status", value, raffle_id=raffle_id) for value in statuses)


def get_filter_counts(*, now: datetime) -> OrderFilterCounts:
    """Return counts that are at most `MAX_CACHE_AGE` old, from the cache if possible."""
    recent = cache.get_or_set(
        _CACHE_KEY, lambda: count_orders_by_filter(now=now), MAX_CACHE_AGE.total_seconds()
    )
    return cast("OrderFilterCounts", recent)


def count_orders_by_filter(*, now: datetime) -> OrderFilterCounts:
    """Return fresh counts; each part of the query reads one small or covering index."""
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
    rows: dict[FilterValue, dict[int, int]] = defaultdict(dict)
    for parameter, value, raffle_id, count in _build_count_query("status", F("status"), Q()).union(
        *parts, all=True
    ):
        rows[parameter, value][raffle_id] = count
    return OrderFilterCounts(rows)


def _build_count_query(parameter: str, value: Any, condition: Q) -> QuerySet[Order, Any]:
    text = CharField()
    found: QuerySet[Order] = Order.objects.filter(condition).order_by()
    named = found.annotate(
        parameter=Value(parameter, output_field=text),
        value=value if isinstance(value, F) else Value(value.value, output_field=text),
    )
    return named.values_list("parameter", "value", "raffle_id").annotate(count=Count("*"))
