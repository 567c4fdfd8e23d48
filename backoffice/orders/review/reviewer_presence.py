"""Who looks at what right now: a hint between reviewers, kept in memory and never relied upon."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.core.cache import cache

PRESENCE_TIMEOUT: Final = timedelta(seconds=25)
"""A page that is open asks every ten seconds; after this silence its reader has gone."""


@dataclass(frozen=True, slots=True)
class ReviewerPresence:
    """Somebody looks at an order since `since`, and was there last at `last`."""

    name: str
    since: datetime
    last: datetime


def record_presence(order_id: int, *, name: str, now: datetime) -> ReviewerPresence | None:
    """Remember that `name` looks at an order.

    Returns:
        Who else does, and looked first; None if nobody.

    """
    here = _load_present_reviewers(order_id, now=now)
    mine = next((one for one in here if one.name == name), ReviewerPresence(name, now, now))
    others = [one for one in here if one.name != name]
    seen = [*others, ReviewerPresence(name, mine.since, now)]
    cache.set(_build_cache_key(order_id), seen, PRESENCE_TIMEOUT.total_seconds())
    return min(others, key=lambda one: one.since, default=None)


def find_orders_being_viewed(order_ids: Collection[int], *, name: str, now: datetime) -> set[int]:
    """Give those of the orders that others than `name` look at now."""
    return {
        order_id
        for order_id in order_ids
        if any(one.name != name for one in _load_present_reviewers(order_id, now=now))
    }


def _load_present_reviewers(order_id: int, *, now: datetime) -> list[ReviewerPresence]:
    seen: list[ReviewerPresence] = cache.get(_build_cache_key(order_id), [])
    return [one for one in seen if now - one.last < PRESENCE_TIMEOUT]


def _build_cache_key(order_id: int) -> str:
    return f"desk.looking.{order_id}"
