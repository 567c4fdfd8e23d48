"""Waits that give up when nothing moves any more, however slow the machine is."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

PATIENCE: Final = 120.0
"""Seconds without any progress after which a wait gives up.

Far more than any step takes on a slow and busy machine: a test is not about timings. The limit of
pytest-timeout bounds the whole test.
"""
POLL: Final = 0.05
"""Seconds between two looks."""
PROGRESS_POLL: Final = 1.0
"""Seconds between two looks at the progress, which may cost more than the condition."""


class _Patience:
    """The time since something moved last."""

    def __init__(self, progress: Callable[[], Any] | None) -> None:
        self._progress = progress
        self._standing: Any = None
        self._moved = self._looked = time.monotonic()

    def check(self) -> None:
        """Raise AssertionError when nothing has moved for `PATIENCE` seconds."""
        now = time.monotonic()
        if now - self._looked < PROGRESS_POLL:
            return
        self._looked = now
        standing = self._progress() if self._progress else None
        if standing != self._standing:
            self._standing, self._moved = standing, now
        assert now - self._moved < PATIENCE, f"nothing moved for {PATIENCE:.0f} s: {standing}"


def wait_until[T](condition: Callable[[], T], *, progress: Callable[[], Any] | None = None) -> T:
    """Return the first true answer of `condition`.

    Args:
        condition: asked again and again.
        progress: how far what is waited for has come; while its answers differ, the wait goes on.

    Raises:
        AssertionError: nothing has moved for `PATIENCE` seconds.

    """
    patience = _Patience(progress)
    while not (answer := condition()):
        patience.check()
        time.sleep(POLL)
    return answer


async def await_until[T](
    condition: Callable[[], Awaitable[T]], *, progress: Callable[[], Any] | None = None
) -> T:
    """Do the same as `wait_until` without blocking the event loop."""
    patience = _Patience(progress)
    while not (answer := await condition()):
        patience.check()
        await asyncio.sleep(POLL / 5)
    return answer
