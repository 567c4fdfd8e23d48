"""The one bridge from the event loop to the ORM: a whole unit of work in one hop to a thread."""

import asyncio
import contextvars
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from secrets import randbelow
from typing import Final, Self

from django.db import OperationalError, close_old_connections, connections

from shared.core import logs
from shared.whatsapp.services.collisions import is_collision

COLLISIONS: Final = 5
"""In a row; one transaction in a thousand meets even one."""
POSTGRES_LANES: Final = 4
"""Enough to overlap the round trips to a database on another machine; one interpreter runs one."""

logger = logs.get(__name__)


class Database:
    """Runs units of work on threads of its own, each with a lasting connection.

    A lane is one thread. SQLite gets a single one, because several writers of a process only
    collide; ingest shares it and goes in front, as no more than one unit is ever handed over.
    PostgreSQL gets a lane for ingest apart from those of the workers. Health is asked on another
    lane, so that a long unit does not make the process look dead.
    """

    def __init__(self, *, lanes: int, ingest_apart: bool) -> None:
        self.width = lanes
        self._lanes = [_lane(f"unit-{index}") for index in range(lanes)]
        self._ingest = _lane("ingest") if ingest_apart else self._lanes[0]
        self._health = _lane("health")
        self._free: asyncio.Queue[ThreadPoolExecutor] = asyncio.Queue()
        for lane in self._lanes:
            self._free.put_nowait(lane)

    @classmethod
    def suited_to(cls, vendor: str) -> Self:
        """Make the lanes that suit `sqlite` or `postgresql`."""
        if vendor == "sqlite":
            return cls(lanes=1, ingest_apart=False)
        return cls(lanes=POSTGRES_LANES, ingest_apart=True)

    async def run[**P, R](
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
        work = _submit(lane, function, *args, **kwargs)
        work.add_done_callback(lambda _: self._free.put_nowait(lane))
        return await asyncio.shield(work)

    async def ingest[**P, R](
        self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a unit that stores webhooks, in front of every unit that still waits for a lane."""
        return await asyncio.shield(_submit(self._ingest, function, *args, **kwargs))

    async def glance[**P, R](
        self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a short read for the health endpoints, whatever the other lanes are busy with."""
        return await asyncio.shield(_submit(self._health, function, *args, **kwargs))

    async def aclose(self, *, patience: float) -> None:
        """Close every connection; lanes still busy after `patience` seconds are left to the end."""
        lanes = {*self._lanes, self._ingest, self._health}
        closing = [asyncio.wrap_future(lane.submit(connections.close_all)) for lane in lanes]
        _, late = await asyncio.wait(closing, timeout=patience)
        for lane in lanes:
            lane.shutdown(wait=not late, cancel_futures=True)


def _lane(name: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix=f"database-{name}")


def _submit[**P, R](
    lane: ThreadPoolExecutor, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
) -> asyncio.Future[R]:
    context = contextvars.copy_context()  # so that what the unit logs carries the correlation id
    return asyncio.wrap_future(
        lane.submit(context.run, lambda: unit(lambda: function(*args, **kwargs)))
    )


def unit[R](work: Callable[[], R], *, pause: Callable[[float], None] = time.sleep) -> R:
    """Run `work` between two looks at the connections, again after a deadlock.

    Starlette sends none of Django's request signals; without these looks a connection that the
    server closed would fail for ever.
    """
    for left in reversed(range(COLLISIONS)):
        close_old_connections()
        try:
            return work()
        except OperationalError as error:
            if not left or not is_collision(error):
                raise
            logger.info("transaction_collided", tries_left=left)
        finally:
            close_old_connections()
        pause(randbelow(50) / 1000)
    raise AssertionError("unreachable: the last try returns or raises")
