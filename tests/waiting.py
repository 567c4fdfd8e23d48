"""Waiting for a condition, with a limit on the time without progress."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

PATIENCE: Final = 120.0
"""Seconds without progress after which a wait fails.

This is much longer than any step takes on a slow machine, because tests do not measure time.
pytest-timeout limits the whole test.
"""
POLL: Final = 0.05
"""Seconds between two checks of the condition."""
PROGRESS_POLL: Final = 1.0
"""Seconds between two checks of the progress, which may be more expensive than the condition."""


class _Patience:
    """The time since the last progress."""

    def __init__(self, progress: Callable[[], Any] | None) -> None:
        self._progress = progress
        self._last: Any = None
        self._changed_at = self._checked_at = time.monotonic()

    def check(self) -> None:
        """Raise AssertionError after `PATIENCE` seconds without progress."""
        now = time.monotonic()
        if now - self._checked_at < PROGRESS_POLL:
            return
        self._checked_at = now
        current = self._progress() if self._progress else None
        if current != self._last:
            self._last, self._changed_at = current, now
        assert now - self._changed_at < PATIENCE, f"no progress for {PATIENCE:.0f} s: {current}"


def wait_until[T](condition: Callable[[], T], *, progress: Callable[[], Any] | None = None) -> T:
    """Wait until `condition` returns a true value, and return it.

    Args:
        condition: called repeatedly.
        progress: returns the current progress; the wait continues while its result changes.

    Raises:
        AssertionError: there was no progress for `PATIENCE` seconds.

    """
    patience = _Patience(progress)
    while not (answer := condition()):
        patience.check()
        time.sleep(POLL)
    return answer


async def await_until[T](
    condition: Callable[[], Awaitable[T]], *, progress: Callable[[], Any] | None = None
) -> T:
    """Wait like `wait_until`, without blocking the event loop."""
    patience = _Patience(progress)
    while not (answer := await condition()):
        patience.check()
        await asyncio.sleep(POLL)
    return answer
