"""What the first screen shows of sales: one query, remembered shortly."""

import threading
from datetime import datetime, timedelta
from typing import Final

from shared.raffles.services import sales
from shared.raffles.services.sales import SalesSums

DAYS: Final = 14
FRESH_FOR: Final = timedelta(seconds=20)
"""How old sums may be; what waits for a person is never remembered."""

_remembered: list[tuple[datetime, SalesSums]] = []
_lock = threading.Lock()


def recent(*, now: datetime, zone: str) -> SalesSums:
    """Give sums that are at most twenty seconds old, from this process's memory if it can.

    Args:
        now: the clock.
        zone: whose days are meant, e.g. America/Bogota; the same at each call.

    """
    with _lock:  # held while reading, so that ten pages opened at once read once
        if _remembered and abs(now - _remembered[0][0]) < FRESH_FOR:
            return _remembered[0][1]
        fresh = read(now=now, zone=zone)
        _remembered[:] = [(now, fresh)]
        return fresh


def forget() -> None:
    """Empty this process's memory of sums."""
    with _lock:
        _remembered.clear()


def read(*, now: datetime, zone: str) -> SalesSums:
    """Sum up all orders that hold numbers, in one query."""
    return sales.load_sales_sums(now=now, zone=zone, days=DAYS)
