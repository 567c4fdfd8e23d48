"""The bridge from the event loop to the ORM: each unit of work runs as a whole in a thread.

The call is `sync_to_async` of asgiref, with `thread_sensitive=False` and an executor of one thread:

- The default, `thread_sensitive=True`, runs all synchronous code of the process on a single thread.
  Health checks and incoming webhooks would wait behind every other unit of work.
- `thread_sensitive=False` without an executor uses any thread of the event loop's pool. That pool
  would decide how many connections are open, and nothing could close them from their threads.

See "sync_to_async()" in https://docs.djangoproject.com/en/6.0/topics/async/ and "Threading" in
https://github.com/django/asgiref#threading.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from secrets import randbelow
from typing import Any, Final, Self

from asgiref.sync import sync_to_async
from django.db import OperationalError, close_old_connections, connections

from gateway import error_logging
from gateway.fair_share import FairShare
from shared.core import logs
from shared.core.deadlocks import is_deadlock

MAX_TRANSACTION_TRIES: Final = 5
"""Tries of one transaction in a row; not one in a thousand needs a second."""
POSTGRES_LANES: Final = 4
"""Enough to overlap the round trips to a remote database; the interpreter runs one at a time."""
INGEST_SHARE: Final = 0.35
"""The part of the time in which webhooks are taken while other work is due. A message is followed
by two or three webhooks about its answer, so with a smaller part answers would wait for them."""
READING_SHARE: Final = 0.25
"""The part in which they are read meanwhile; a sixth is needed when all are answered at once."""
CONNECTION_TRUSTED_SECONDS: Final = 1.0
"""Seconds after a unit in which its connection is used again without asking the server first."""
PAUSE_SECONDS: Final = 0.003
"""Units that follow each other within this time are one piece of work."""

logger = logs.get_logger(__name__)


class Database:
    """Threads that run units of work, each with a persistent connection.

    A lane is one thread. SQLite has a single lane, because several writers in one process only
    collide. Ingest shares it and runs next, because at most one other unit is queued on the lane.
    PostgreSQL has a separate lane for ingest. Health checks have a lane of their own, so that a
    long unit does not make the process look dead.

    Attributes:
        lane_count: the number of lanes for workers, so how many units may run at the same time.
        ingest_share: the time in which webhooks may be taken.
        reading_share: the time in which they may be read.

    """

    def __init__(self, *, lanes: int, ingest_apart: bool) -> None:
        self.lane_count = lanes
        self._lanes = [_Lane(f"unit-{index}") for index in range(lanes)]
        self._ingest = _Lane("ingest") if ingest_apart else self._lanes[0]
        self._health = _Lane("health")
        self._free: asyncio.Queue[_Lane] = asyncio.Queue()
        for lane in self._lanes:
            self._free.put_nowait(lane)
        self._units, self._ingests = _Activity(), _Activity()
        self.ingest_share = FairShare(INGEST_SHARE, is_other_work_due=lambda: self._units.goes_on)
        self.reading_share = FairShare(
            READING_SHARE,
            is_other_work_due=lambda: self._units.goes_on or self._ingests.goes_on,
        )

    @classmethod
    def for_vendor(cls, vendor: str) -> Self:
        """Create the lanes for a database vendor: `sqlite` or `postgresql`."""
        if vendor == "sqlite":
            return cls(lanes=1, ingest_apart=False)
        return cls(lanes=POSTGRES_LANES, ingest_apart=True)

    async def run_unit[**P, R](
        self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a unit of work as soon as a lane is free.

        A deadlock or serialisation failure is retried. If the caller is cancelled, the unit still
        finishes and commits, and only then is its lane free.

        Raises:
            OperationalError: the database is not available.
            InterfaceError: the database is not available.
            Exception: any error that `function` raises.

        """
        with self._units.piece():
            return await self.run_reading_unit(function, *args, **kwargs)

    async def run_reading_unit[**P, R](
        self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a unit that reads webhooks, like `run_unit`, but nothing waits because it is due."""
        lane = await self._free.get()
        work = lane.submit(function, *args, **kwargs)
        work.add_done_callback(lambda _: self._free.put_nowait(lane))
        return await _await_shielded(work)

    async def run_ingest_unit[**P, R](
        self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a unit that stores webhooks, before every unit that waits for a lane."""
        with self._ingests.piece():
            return await _await_shielded(self._ingest.submit(function, *args, **kwargs))

    async def run_health_check[**P, R](
        self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a short read for the health endpoints, on a lane of its own."""
        return await _await_shielded(self._health.submit(function, *args, **kwargs))

    async def aclose(self, *, timeout_seconds: float) -> None:
        """Close every connection; do not wait for a lane that is busy after `timeout_seconds`."""
        lanes = {*self._lanes, self._ingest, self._health}
        closing = [lane.submit(connections.close_all) for lane in lanes]
        for work in closing:
            work.add_done_callback(_log_failure)
        _, late = await asyncio.wait(closing, timeout=timeout_seconds)
        for lane in lanes:
            lane.shutdown(wait=not late)


class _Activity:
    """Whether units of one kind run or wait, or the last one has just ended."""

    def __init__(self) -> None:
        self._pieces = 0
        self._ended_at = -PAUSE_SECONDS

    @property
    def goes_on(self) -> bool:
        return self._pieces > 0 or time.monotonic() - self._ended_at < PAUSE_SECONDS

    @contextmanager
    def piece(self) -> Iterator[None]:
        self._pieces += 1
        try:
            yield
        finally:
            self._pieces -= 1
            self._ended_at = time.monotonic()


class _Lane:
    """One thread that runs the units submitted to it one after the other."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"database-{name}")
        self._unit = sync_to_async(
            run_unit_of_work, thread_sensitive=False, executor=self._executor
        )
        self._tasks: set[asyncio.Task[Any]] = set()  # the event loop has only weak references

    def submit[**P, R](
        self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Task[R]:
        """Start a unit in a new task and return the task, which ends with the unit.

        A cancelled `sync_to_async` ends before its thread does, so callers shield this task and
        never cancel it. Only the end of the event loop does, when no further unit starts. The task
        has its own copy of the context: the unit sees the caller's correlation id, and the caller
        does not see what the unit sets.
        """
        task = asyncio.create_task(self._unit(partial(function, *args, **kwargs)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def shutdown(self, *, wait: bool) -> None:
        """Accept no more units and drop those that have not started.

        Args:
            wait: whether to return only when the thread has ended.

        """
        self._executor.shutdown(wait=wait, cancel_futures=True)


async def _await_shielded[R](work: asyncio.Task[R]) -> R:
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        work.add_done_callback(_log_failure)
        raise


def _log_failure(work: asyncio.Task[Any]) -> None:
    """Log the error of a unit whose caller is gone."""
    if not work.cancelled() and (error := work.exception()):
        error_logging.log_error(logger, "unawaited_unit_failed", error)


class _Trust(threading.local):
    """Until when the connections of this thread count as usable, on the monotonic clock."""

    ends_at = 0.0


_trust = _Trust()


def run_unit_of_work[R](
    work: Callable[[], R],
    *,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> R:
    """Run `work`, and run it again after a deadlock.

    The connections of this thread are checked after a failure, and before a unit that does not
    follow another one closely. Starlette sends none of Django's request signals, so without these
    checks, a connection that the server closed would fail for ever.

    Args:
        work: the unit of work.
        pause: sleeps for a number of seconds between two tries.
        clock: a monotonic clock in seconds.

    Raises:
        OperationalError: the last try deadlocked, or the database is not available.
        RuntimeError: `work` raised StopIteration.

    """
    for left in reversed(range(MAX_TRANSACTION_TRIES)):
        if clock() >= _trust.ends_at:
            close_old_connections()
        _trust.ends_at = 0.0
        try:
            result = work()
        except OperationalError as error:
            if not left or not is_deadlock(error):
                raise
            logger.info("transaction_collided", tries_left=left)
        except StopIteration as error:
            # a future cannot hold it: the caller would wait for ever and the lane would be lost
            raise RuntimeError("a unit of work raised StopIteration") from error
        else:
            if not any(each.errors_occurred for each in connections.all(initialized_only=True)):
                _trust.ends_at = clock() + CONNECTION_TRUSTED_SECONDS
            return result
        pause(randbelow(50) / 1000)
    raise AssertionError("unreachable: the last try returns or raises")
