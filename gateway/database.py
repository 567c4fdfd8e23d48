"""The one bridge from the event loop to the ORM: a whole unit of work in one hop to a thread.

The hop is `sync_to_async` of asgiref, with `thread_sensitive=False` and an executor of one thread:

- The default, `thread_sensitive=True`, runs all synchronous code of the process on a single thread.
  Health checks and incoming webhooks would wait behind every other unit.
- `thread_sensitive=False` without an executor uses any thread of the event loop's pool. How many
  connections are open would be up to that pool, and nothing could close them from their threads.

See "sync_to_async()" in https://docs.djangoproject.com/en/6.0/topics/async/ and "Threading" in
https://github.com/django/asgiref#threading.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from secrets import randbelow
from typing import Any, Final, Self

from asgiref.sync import sync_to_async
from django.db import OperationalError, close_old_connections, connections

from gateway import error_logging
from shared.core import logs
from shared.core.deadlocks import is_deadlock

MAX_TRANSACTION_TRIES: Final = 5
"""In a row; one transaction in a thousand meets even one."""
POSTGRES_LANES: Final = 4
"""Enough to overlap the round trips to a database on another machine; one interpreter runs one."""

logger = logs.get_logger(__name__)


class Database:
    """Runs units of work on threads of its own, each with a lasting connection.

    A lane is one thread. SQLite gets a single one, because several writers of a process only
    collide; ingest shares it and goes in front, as no more than one unit is ever handed over.
    PostgreSQL gets a lane for ingest apart from those of the workers. Health is asked on another
    lane, so that a long unit does not make the process look dead.
    """

    def __init__(self, *, lanes: int, ingest_apart: bool) -> None:
        self.lane_count = lanes
        self._lanes = [_Lane(f"unit-{index}") for index in range(lanes)]
        self._ingest = _Lane("ingest") if ingest_apart else self._lanes[0]
        self._health = _Lane("health")
        self._free: asyncio.Queue[_Lane] = asyncio.Queue()
        for lane in self._lanes:
            self._free.put_nowait(lane)

    @classmethod
    def for_vendor(cls, vendor: str) -> Self:
        """Make the lanes that suit `sqlite` or `postgresql`."""
        if vendor == "sqlite":
            return cls(lanes=1, ingest_apart=False)
        return cls(lanes=POSTGRES_LANES, ingest_apart=True)

    async def run_unit[**P, R](
        self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a unit of work as soon as a lane is free.

        A deadlock or serialisation failure is tried again. When the caller is cancelled the unit
        still ends and commits; its lane becomes free only then.

        Raises:
            OperationalError, InterfaceError: the database is away.
            anything `function` raises.

        """
        lane = await self._free.get()
        work = lane.submit(function, *args, **kwargs)
        work.add_done_callback(lambda _: self._free.put_nowait(lane))
        return await _await_shielded(work)

    async def run_ingest_unit[**P, R](
        self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a unit that stores webhooks, in front of every unit that still waits for a lane."""
        return await _await_shielded(self._ingest.submit(function, *args, **kwargs))

    async def run_health_check[**P, R](
        self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a short read for the health endpoints, whatever the other lanes are busy with."""
        return await _await_shielded(self._health.submit(function, *args, **kwargs))

    async def aclose(self, *, timeout: float) -> None:
        """Close every connection; lanes still busy after `patience` seconds are left to the end."""
        lanes = {*self._lanes, self._ingest, self._health}
        closing = [lane.submit(connections.close_all) for lane in lanes]
        for work in closing:
            work.add_done_callback(_log_failure)
        _, late = await asyncio.wait(closing, timeout=timeout)
        for lane in lanes:
            lane.shutdown(wait=not late)


class _Lane:
    """A thread of its own. Units handed over run there one after the other."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"database-{name}")
        self._unit = sync_to_async(
            run_unit_of_work, thread_sensitive=False, executor=self._executor
        )
        self._tasks: set[asyncio.Task[Any]] = set()  # the event loop itself holds them weakly

    def submit[**P, R](
        self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Task[R]:
        """Start a unit in a task of its own and return the task; it ends when the thread is done.

        A cancelled `sync_to_async` ends before its thread does, so callers never cancel this task:
        they shield it. Only the end of the event loop cancels it, when nothing is started any more.
        The task has its own copy of the context: the unit sees the caller's correlation id, and
        what the unit sets is not seen by the caller.
        """
        task = asyncio.create_task(self._unit(partial(function, *args, **kwargs)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def shutdown(self, *, wait: bool) -> None:
        """Accept no more units and drop those not yet begun; `wait` for the thread to end."""
        self._executor.shutdown(wait=wait, cancel_futures=True)


async def _await_shielded[R](work: asyncio.Task[R]) -> R:
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        work.add_done_callback(_log_failure)
        raise


def _log_failure(work: asyncio.Task[Any]) -> None:
    """Log the error of a unit that nobody waits for, without what a database error quotes."""
    if not work.cancelled() and (error := work.exception()):
        error_logging.log_error(logger, "unawaited_unit_failed", error)


def run_unit_of_work[R](work: Callable[[], R], *, pause: Callable[[float], None] = time.sleep) -> R:
    """Run `work` between two looks at the connections, again after a deadlock.

    Starlette sends none of Django's request signals; without these looks a connection that the
    server closed would fail for ever.
    """
    for left in reversed(range(MAX_TRANSACTION_TRIES)):
        close_old_connections()
        try:
            return work()
        except OperationalError as error:
            if not left or not is_deadlock(error):
                raise
            logger.info("transaction_collided", tries_left=left)
        except StopIteration as error:
            # asyncio cannot put it into a future: the caller would wait for ever, the lane be lost
            raise RuntimeError("a unit of work raised StopIteration") from error
        finally:
            close_old_connections()
        pause(randbelow(50) / 1000)
    raise AssertionError("unreachable: the last try returns or raises")
