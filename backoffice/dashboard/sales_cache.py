"""Sales sums for the dashboard, cached in each process for a short time."""

import threading
from datetime import datetime, timedelta
from typing import Final

from shared.raffles.services import sales
from shared.raffles.services.sales import SalesSums

SALES_DAYS: Final = 14
MAX_CACHE_AGE: Final = timedelta(seconds=20)
"""Maximum age of the cached sums; counts of pending work are never cached."""

_cached_sums: list[tuple[datetime, SalesSums]] = []
_cache_lock = threading.Lock()


def get_recent_sales(*, now: datetime, zone: str) -> SalesSums:
    """Return sums that are at most `MAX_CACHE_AGE` old, from the cache if possible.

    Args:
        now: The current time.
        zone: IANA name of the time zone in which days begin; the same for each call.

    """
    with _cache_lock:  # held during the query, so that ten pages opened at once query once
        if _cached_sums and abs(now - _cached_sums[0][0]) < MAX_CACHE_AGE:
            return _cached_sums[0][1]
        fresh = sum_sales(now=now, zone=zone)
        _cached_sums[:] = [(now, fresh)]
        return fresh


def clear_sales_cache() -> None:
    """Clear the cached sums of this process."""
    with _cache_lock:
        _cached_sums.clear()


def sum_sales(*, now: datetime, zone: str) -> SalesSums:
    """Return the sums of all orders that hold ticket numbers, in one query."""
    return sales.load_sales_sums(now=now, zone=zone, days=SALES_DAYS)
