"""The loop of a worker: take a turn, then wait for a signal or the end of an interval."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Final

from gateway import error_logging
from shared.core import logs, retry

POLL_INTERVAL_SECONDS: Final = 2.0
"""Seconds between two turns without a signal; other processes cannot signal this one."""
BACKOFF_BASE: Final = timedelta(seconds=0.5)
BACKOFF_CAP: Final = timedelta(seconds=5)
FAILURES_PER_LOG_LINE: Final = 12
"""A database that is not available is logged once a minute, not at every try."""
RECORD_RETRY_SECONDS: Final = 1.0
"""Seconds between tries to record a result while the database is not available."""

logger = logs.get_logger(__name__)


class WakeSignal:
    """Signal that wakes a worker of this process; set twice before a wait, it wakes once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    def set(self) -> None:
        """Wake the waiting worker, or make its next wait return at once."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._event.set()

    def set_within(self, seconds: float) -> None:
        """Wake the worker after `seconds`, unless something else wakes it before."""
        if self._timer is None and not self._event.is_set():
            self._timer = asyncio.get_running_loop().call_later(seconds, self.set)

    async def wait(self, *, at_most: float) -> None:
        """Return when the signal was set since the last wait, or after `at_most` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most):
                await self._event.wait()
        self._event.clear()


class StopSignal:
    """Signal to stop, set once; every worker ends after its current unit of work."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def is_set(self) -> bool:
        """Whether workers must start nothing new."""
        return self._event.is_set()

    def set(self) -> None:
        """Make the workers start nothing new."""
        self._event.set()

    async def wait(self, *, at_most: float) -> None:
        """Return when the signal is set, or after `at_most` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most):
                await self._event.wait()


type Turn = Callable[[], Awaitable[bool]]
"""One round of work; true means that more may be pending, and the next turn follows at once."""


async def run_worker(
    turn: Turn,
    *,
    name: str,
    wake_signal: WakeSignal,
    stop: StopSignal,
    interval: float = POLL_INTERVAL_SECONDS,
) -> None:
    """Take turns until `stop` is set; an exception is logged and followed by a growing pause.

    After setting `stop`, also set `wake_signal`, or the worker ends only after its interval.

    Args:
        turn: one round of work.
        name: name of the worker in the log.
        wake_signal: ends the wait between two turns.
        stop: ends the loop.
        interval: seconds between two turns without a signal.

    """
    failures = 0
    while not stop.is_set():
        try:
            more = await turn()
        except Exception as error:  # noqa: BLE001 - a worker that ends is a silent outage
            failures += 1
            if failures % FAILURES_PER_LOG_LINE == 1 or not error_logging.is_database_away(error):
                error_logging.log_error(
                    logger, "turn_failed", error, worker=name, failures=failures
                )
            pause = retry.compute_exponential_wait(failures, base=BACKOFF_BASE, cap=BACKOFF_CAP)
            await stop.wait(at_most=pause.total_seconds())
            continue
        if failures:
            logger.info("worker_recovered", worker=name, failures=failures)
            failures = 0
        if more:
            await asyncio.sleep(0)  # requests that arrived meanwhile go first
        else:
            await wake_signal.wait(at_most=interval)


async def run_with_retries[R](record: Callable[[], Awaitable[R]], *, give_up_after: timedelta) -> R:
    """Record a result; try again every second while the database is not available.

    Args:
        record: the unit of work.
        give_up_after: the time after which the error of the database is raised.

    Raises:
        Exception: any error of `record` that is not about the database being unavailable.

    """
    clock = asyncio.get_running_loop().time
    give_up_at = clock() + give_up_after.total_seconds()
    while True:
        try:
            return await record()
        except Exception as error:
            if not error_logging.is_database_away(error) or clock() >= give_up_at:
                raise
        await asyncio.sleep(RECORD_RETRY_SECONDS)


async def gather_all[R](works: Iterable[Awaitable[R]]) -> list[R]:
    """Run all concurrently to their end, then raise the first failure or return the results."""
    outcomes = await asyncio.gather(*works, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
