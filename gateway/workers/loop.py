"""A worker's life: a turn, then wait for a bell, a interval or the stop, whichever comes first."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Final

from gateway import error_logging
from shared.core import logs, retry

POLL_INTERVAL_SECONDS: Final = 2.0
"""Seconds; there is no bell between processes, so this is how soon their work is seen."""
BACKOFF_BASE: Final = timedelta(seconds=0.5)
BACKOFF_CAP: Final = timedelta(seconds=5)
FAILURES_PER_LOG_LINE: Final = 12
"""A database that is away is logged once a minute, not at every try."""

logger = logs.get_logger(__name__)


class WakeSignal:
    """Wakes a worker of this process; rung twice before it is heard, it wakes once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Let the one who waits go on at once, or not wait at all next time."""
        self._event.set()

    async def wait(self, *, at_most: float) -> None:
        """Return when the bell has been rung since the last wait, or after `at_most` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most):
                await self._event.wait()
        self._event.clear()


class StopSignal:
    """Told once; every worker ends after the unit it has begun."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def is_set(self) -> bool:
        """Whether nothing new is to be begun."""
        return self._event.is_set()

    def set(self) -> None:
        """Begin nothing new from now on."""
        self._event.set()

    async def wait(self, *, at_most: float) -> None:
        """Return when told to stop, or after `at_most` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most):
                await self._event.wait()


type Turn = Callable[[], Awaitable[bool]]
"""One round of work; true means that more may be waiting and the next turn follows at once."""


async def run_worker(
    turn: Turn,
    *,
    name: str,
    wake_signal: WakeSignal,
    stop: StopSignal,
    interval: float = POLL_INTERVAL_SECONDS,
) -> None:
    """Take turns until told to stop; no exception ends it, each is logged and backed off from.

    Whoever tells `stop` rings the bell as well. A database that is away is waited for like any
    other failure, with pauses that grow to five seconds.
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


async def gather_all[R](works: Iterable[Awaitable[R]]) -> list[R]:
    """Run all to their end side by side; only then the first failure, if any, is raised."""
    outcomes = await asyncio.gather(*works, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
