"""Fair shares of the interpreter, which runs one thread at a time, for work that comes in masses.

Webhooks can arrive faster than buyers are answered. Without a limit, taking and reading them would
leave nothing for the answers. So such work has a share of the time, and waits when it has used it
up, but only while other work is due: alone it may use all of it.

Time is processor time of this process. By the clock on the wall, a share would grow to all that the
process gets on a machine that is busy with others.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

BURST_SECONDS: Final = 0.02
"""Time that may be used at once after a pause, so that work that comes now and then never waits."""
_MAX_DEBT_SECONDS: Final = 0.05
_LONGEST_WAIT_SECONDS: Final = 0.5
"""Seconds on the clock: the other work may wait for the database and use no processor time."""
_STEP_SECONDS: Final = 0.002
"""Seconds between two looks at whether other work is still due."""


class FairShare:
    """The share of time of one kind of work."""

    def __init__(
        self,
        share: float,
        *,
        is_other_work_due: Callable[[], bool],
        clock: Callable[[], float] = time.process_time,
    ) -> None:
        """Create a share with a full burst.

        Args:
            share: the part of the time that the work may use, between 0 and 1.
            is_other_work_due: returns whether other work wants the rest of the time now.
            clock: the processor time of this process in seconds.

        """
        self._share = share
        self._is_other_work_due = is_other_work_due
        self._clock = clock
        self._credit = BURST_SECONDS
        self._at = clock()

    def charge(self, seconds: float) -> None:
        """Record that the work took so much time of the interpreter."""
        self._credit = max(self._compute_credit() - seconds, -_MAX_DEBT_SECONDS)

    async def wait_turn(self) -> None:
        """Return once the work has time left in its share, or no other work is due.

        It waits no longer than half a second.
        """
        wait_until = time.monotonic() + _LONGEST_WAIT_SECONDS
        while self._compute_credit() < 0:
            if not self._is_other_work_due() or time.monotonic() > wait_until:
                self._credit = 0.0
                return
            await asyncio.sleep(_STEP_SECONDS)

    def _compute_credit(self) -> float:
        now = self._clock()
        earned = (now - self._at) * self._share
        self._credit, self._at = min(self._credit + earned, BURST_SECONDS), now
        return self._credit
