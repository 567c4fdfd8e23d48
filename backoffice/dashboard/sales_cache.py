"""Sales sums for the dashboard, cached in each process for a short time."""

import threading
from datetime import datetime, timedelta
from typing import Final, cast

from django.core.cache import cache

from shared.raffles.services import sales
from shared.raffles.services.sales import SalesSums

SALES_DAYS: Final = 14
MAX_CACHE_AGE: Final = timedelta(seconds=20)
"""Maximum age of the cached sums; counts of pending work are never cached."""

_query_lock = threading.Lock()


def get_recent_sales(*, now: datetime, zone: str) -> SalesSums:
    """Return sums that are at most `MAX_CACHE_AGE` old, from the cache if possible.

    Args:
        now: The current time.
        zone: IANA name of the time zone in which days begin.

    """
    with _query_lock:  # held during the query, so that ten pages opened at once query once
        recent = cache.get_or_set(
            f"dashboard.sales.{zone}",
            lambda: sum_sales(now=now, zone=zone),
            MAX_CACHE_AGE.total_seconds(),
        )
    return cast("SalesSums", recent)


def sum_sales(*, now: datetime, zone: str) -> SalesSums:
    """Return the sums of the ledger and of all orders that hold ticket numbers, in two queries."""
    return sales.load_sales_sums(now=now, zone=zone, days=SALES_DAYS)
