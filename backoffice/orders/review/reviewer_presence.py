"""Presence of other reviewers on a review page: a hint kept in the cache of one process."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.core.cache import cache

PRESENCE_TIMEOUT: Final = timedelta(seconds=25)
"""Time after which a reviewer is gone; an open page polls every ten seconds."""


@dataclass(frozen=True, slots=True)
class ReviewerPresence:
    """A reviewer who opened an order at `since` and polled last at `last`."""

    name: str
    since: datetime
    last: datetime


def record_presence(order_id: int, *, name: str, now: datetime) -> ReviewerPresence | None:
    """Record that a reviewer has an order open.

    Args:
        order_id: The order.
        name: The user name of the reviewer.
        now: The current time.

    Returns:
        The other reviewer who opened it first; None if there is no other.

    """
    present = _load_present_reviewers(order_id, now=now)
    others = [reviewer for reviewer in present if reviewer.name != name]
    since = next((reviewer.since for reviewer in present if reviewer.name == name), now)
    present = [*others, ReviewerPresence(name, since, now)]
    cache.set(_build_cache_key(order_id), present, PRESENCE_TIMEOUT.total_seconds())
    return min(others, key=lambda reviewer: reviewer.since, default=None)


def find_orders_being_viewed(order_ids: Collection[int], *, name: str, now: datetime) -> set[int]:
    """Return the orders that reviewers other than `name` have open."""
    return {
        order_id
        for order_id in order_ids
        if any(reviewer.name != name for reviewer in _load_present_reviewers(order_id, now=now))
    }


def _load_present_reviewers(order_id: int, *, now: datetime) -> list[ReviewerPresence]:
    stored: list[ReviewerPresence] = cache.get(_build_cache_key(order_id), [])
    return [reviewer for reviewer in stored if now - reviewer.last < PRESENCE_TIMEOUT]


def _build_cache_key(order_id: int) -> str:
    return f"desk.looking.{order_id}"
