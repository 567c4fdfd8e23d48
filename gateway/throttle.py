"""How fast may be sent: slots booked ahead, a pure calculation on a clock that is passed in."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Pace:
    """At most `burst` at once, then one every `interval` seconds, never two within `gap` seconds.

    Arguments are seconds; an idle time of `burst * interval` gives the whole burst back.
    """

    interval: float
    burst: int = 1
    gap: float = 0.0


class Throttle:
    """Books the next free slot of a key, by the generic cell rate algorithm.

    Source: ITU-T I.371, "virtual scheduling": one number a key, the time at which the whole
    burst would be available again.
    """

    MAX_KEYS: Final = 10_000
    """Keys with their whole burst back are dropped now and then, as if they had never sent."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._full_at: dict[str, float] = {}
        self._last: dict[str, float] = {}

    def compute_wait(self, key: str, *, now: float) -> float:
        """Say in how many seconds from `now` the next slot of `key` begins."""
        pace = self._pace
        after_burst = self._full_at.get(key, now) - pace.interval * (pace.burst - 1)
        after_gap = self._last.get(key, now - pace.gap) + pace.gap
        return max(0.0, after_burst - now, after_gap - now)

    def book_slot(self, key: str, *, now: float) -> float:
        """Take the next slot of `key` and return in how many seconds from `now` it begins."""
        wait = self.compute_wait(key, now=now)
        self._last[key] = now + wait
        self._full_at[key] = max(self._full_at.get(key, now), now + wait) + self._pace.interval
        if len(self._full_at) > self.MAX_KEYS:
            self._forget(now)
        return wait

    def _forget(self, now: float) -> None:
        idle = [key for key, full_at in self._full_at.items() if full_at <= now]
        for key in idle:
            del self._full_at[key], self._last[key]
