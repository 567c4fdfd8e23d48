"""Pauses of jobs that write in many transactions, so that other processes write in between.

SQLite's lock is not fair: who waits for it sleeps and asks again, and a job whose next transaction
begins at once takes it every time. PostgreSQL locks rows, so there is no pause.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection

PAUSE: Final = 0.025
"""Seconds of a pause, unless others have waited for long."""

SECONDS_PER_TURN: Final = 0.05
"""Time that transactions may take together before a pause."""

LONG_TURNS: Final = ((0.25, 4), (0.14, 2))
"""Seconds of a turn, and by how much the pause after it is longer.

A connection that waits for the lock asks for it at least every 25 ms in its first 128 ms, every
50 ms until 228 ms, and then every 100 ms (`sqliteDefaultBusyCallback` of SQLite's `main.c`). So
whoever waits for one turn gets in before the next. The end of a turn is SQLite's checkpoint, in
which others may write.
"""


class WriteTurns:
    """The turns of one job on the default database."""

    def __init__(
        self,
        *,
        pause: float = PAUSE,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Begin without a pause.

        Args:
            pause: seconds of a pause, which is longer after a long turn; 0 for none.
            sleep: sleeps for some seconds.
            clock: returns seconds that never go back.

        """
        self._pause = pause
        self._sleep = sleep
        self._clock = clock
        self._taken = 0.0

    @contextmanager
    def take(self) -> Iterator[None]:
        """Run one transaction in the block, after a pause if those before it took long."""
        if self._taken >= SECONDS_PER_TURN:
            self._let_others_write()
        began = self._clock()
        try:
            yield
        finally:
            self._taken += self._clock() - began

    def _let_others_write(self) -> None:
        factors = [factor for seconds, factor in LONG_TURNS if self._taken > seconds]
        self._taken = 0.0
        if connection.vendor == "sqlite" and self._pause:
            self._sleep(self._pause * max(factors, default=1))
