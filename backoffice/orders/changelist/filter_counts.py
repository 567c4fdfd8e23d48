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

FRESH_FOR: Final = timedelta(seconds=15)
"""How old the counts beside the filters may be."""

WAITING: Final = Q(under_review_since__isnull=False)
"""Orders of the index `order_reviewing`."""

type Answer = tuple[str, str]
"""A filter's parameter, and one of its values."""


@dataclass(frozen=True, slots=True)
class Facets:
    """Counts of orders by filter, answer and raffle."""

    rows: Mapping[Answer, Mapping[int, int]]

    def count(self, parameter: str, value: str, *, raffle_id: int | None = None) -> int:
        """Count the orders of an answer, in one raffle or in all."""
        by_raffle = self.rows.get((parameter, value), {})
        return sum(by_raffle.values()) if raffle_id is None else by_raffle.get(raffle_id, 0)

    def total(self, *, raffle_id: int | None = None) -> int:
        """Count all orders, of one raffle or of all."""
        answers = [value for parameter, value in self.rows if parameter == "status"]
        return sum(self.count("status", value, raffle_id=raffle_id) for value in answers)


_remembered: list[tuple[datetime, Facets]] = []
_lock = threading.Lock()


def recent(*, now: datetime) -> Facets:
    """Give counts that are at most fifteen seconds old, from this process's memory if it can."""
    with _lock:
        seen = _remembered[-1:]
    if seen and abs(now - seen[0][0]) < FRESH_FOR:
        return seen[0][1]
    fresh = read(now=now)
    with _lock:
        _remembered[:] = [(now, fresh)]
    return fresh


def forget() -> None:
    """Empty this process's memory of counts."""
    with _lock:
        _remembered.clear()


def read(*, now: datetime) -> Facets:
    """Count now; each part of the query reads one small or covering index."""
    parts = [
        _counted("review", Value("waiting"), WAITING),
        _counted("review", Value("asked"), WAITING & Q(asked_again_at__isnull=False)),
        _counted("decision", Value("yes"), Q(needs_decision=True)),
        _counted("expiring", Value("soon"), worklists.running_out(now=now)),
        _counted("sale", Value("cash"), Q(contact__isnull=True)),
    ]
    rows: dict[Answer, dict[int, int]] = defaultdict(dict)
    for parameter, value, raffle_id, count in _counted("status", F("status"), Q()).union(
        *parts, all=True
    ):
        rows[parameter, value][raffle_id] = count
    return Facets(rows)


def _counted(parameter: str, value: Any, condition: Q) -> QuerySet[Order, Any]:
    word = CharField()
    named = Order.objects.filter(condition).order_by()
    named = named.annotate(
        parameter=Value(parameter, output_field=word),
        value=value if isinstance(value, F) else Value(value.value, output_field=word),
    )
    return named.values_list("parameter", "value", "raffle_id").annotate(count=Count("*"))
