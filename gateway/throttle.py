"""Rate limits for sending: slots booked ahead, computed from a clock that is an argument."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Pace:
    """At most `burst` at once, then one every `interval` seconds, never two within `gap` seconds.

    `interval` and `gap` are seconds. After `burst * interval` seconds without a message, the whole
    burst is available again.
    """

    interval: float
    burst: int = 1
    gap: float = 0.0


class Throttle:
    """Booking of the next free slot of a key, by the generic cell rate algorithm.

    Source: ITU-T I.371, "virtual scheduling": one number per key, the time at which the whole
    burst is available again.
    """

    MAX_KEYS: Final = 10_000
    """Beyond this many keys, those whose whole burst is available are removed."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._full_at: dict[str, float] = {}
        self._last: dict[str, float] = {}

    def compute_wait(self, key: str, *, now: float) -> float:
        """Return in how many seconds from `now` the next slot of `key` begins."""
        pace = self._pace
        after_burst = self._full_at.get(key, now) - pace.interval * (pace.burst - 1)
        after_gap = self._last.get(key, now - pace.gap) + pace.gap
        return max(0.0, after_burst - now, after_gap - now)

    def book_slot(self, key: str, *, now: float) -> float:
        """Book the next slot of `key`; return in how many seconds from `now` it begins."""
        wait = self.compute_wait(key, now=now)
        self._last[key] = now + wait
        self._full_at[key] = max(self._full_at.get(key, now), now + wait) + self._pace.interval
        if len(self._full_at) > self.MAX_KEYS:
            self._drop_idle_keys(now)
        return wait

    def _drop_idle_keys(self, now: float) -> None:
        idle = [key for key, full_at in self._full_at.items() if full_at <= now]
        for key in idle:
            del self._full_at[key], self._last[key]
