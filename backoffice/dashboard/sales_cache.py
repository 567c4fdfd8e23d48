"""What the first screen shows of sales: one query, remembered shortly."""

import threading
from datetime import datetime, timedelta
from typing import Final

from shared.raffles.services import sales
from shared.raffles.services.sales import SalesSums

SALES_DAYS: Final = 14
MAX_CACHE_AGE: Final = timedelta(seconds=20)
"""How old sums may be; what waits for a person is never remembered."""

_cached_sums: list[tuple[datetime, SalesSums]] = []
_cache_lock = threading.Lock()


def get_recent_sales(*, now: datetime, zone: str) -> SalesSums:
    """Give sums that are at most twenty seconds old, from this process's memory if it can.

    Args:
        now: the clock.
        zone: whose days are meant, e.g. America/Bogota; the same at each call.

    """
    with _cache_lock:  # held while reading, so that ten pages opened at once read once
        if _cached_sums and abs(now - _cached_sums[0][0]) < MAX_CACHE_AGE:
            return _cached_sums[0][1]
        fresh = sum_sales(now=now, zone=zone)
        _cached_sums[:] = [(now, fresh)]
        return fresh


def clear_sales_cache() -> None:
    """Empty this process's memory of sums."""
    with _cache_lock:
        _cached_sums.clear()


def sum_sales(*, now: datetime, zone: str) -> SalesSums:
    """Sum up all orders that hold numbers, in one query."""
    return sales.load_sales_sums(now=now, zone=zone, days=SALES_DAYS)
