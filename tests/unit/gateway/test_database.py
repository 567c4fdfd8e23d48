"""A unit of work that lost against another is run again; nothing else is."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextvars import ContextVar

import pytest
from django.db import OperationalError

from gateway.database import COLLISIONS, Database, unit

COLOUR: ContextVar[str] = ContextVar("COLOUR", default="none")


def deadlock() -> OperationalError:
    """Make the error Django raises for a transaction that PostgreSQL chose to lose."""
    error = OperationalError("deadlock detected")
    error.__cause__ = type("DeadlockDetected", (Exception,), {"sqlstate": "40P01"})()
    return error


class Work:
    """Raises what it was given, one a call, then returns 42."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return 42


class TestUnit:
    def test_a_deadlock_is_tried_again(self) -> None:
        work = Work(deadlock(), deadlock())

        assert unit(work, pause=lambda _: None) == 42
        assert work.calls == 3

    def test_deadlocks_without_end_are_raised_at_last(self) -> None:
        work = Work(*[deadlock() for _ in range(99)])

        with pytest.raises(OperationalError):
            unit(work, pause=lambda _: None)
        assert work.calls == COLLISIONS

    @pytest.mark.parametrize("failure", [OperationalError("away"), ValueError("a bug")])
    def test_other_failures_are_not_tried_again(self, failure: Exception) -> None:
        work = Work(failure)

        with pytest.raises(type(failure)):
            unit(work, pause=lambda _: None)
        assert work.calls == 1


@pytest.fixture
async def one_lane() -> AsyncIterator[Database]:
    database = Database.suited_to("sqlite")
    yield database
    await database.aclose(patience=5)


@pytest.fixture
async def many_lanes() -> AsyncIterator[Database]:
    database = Database.suited_to("postgresql")
    yield database
    await database.aclose(patience=5)


class TestDatabase:
    async def test_sqlite_has_one_writing_thread_for_everything(self, one_lane: Database) -> None:
        threads = {
            *await asyncio.gather(*(one_lane.run(threading.get_ident) for _ in range(9))),
            await one_lane.ingest(threading.get_ident),
        }

        assert len(threads) == 1

    async def test_ingest_goes_in_front_of_units_that_wait(self, one_lane: Database) -> None:
        done: list[str] = []
        begun = threading.Event()

        def first() -> None:
            begun.set()
            time.sleep(0.05)
            done.append("first")

        units = [asyncio.create_task(one_lane.run(first))]
        units += [asyncio.create_task(one_lane.run(done.append, "unit")) for _ in range(5)]
        await asyncio.to_thread(begun.wait)
        await one_lane.ingest(done.append, "ingest")
        await asyncio.gather(*units)

        assert done.index("ingest") <= 2
        assert len(done) == 7

    async def test_postgresql_keeps_ingest_apart_from_the_units(self, many_lanes: Database) -> None:
        def thread() -> int:
            time.sleep(0.02)
            return threading.get_ident()

        units = await asyncio.gather(*(many_lanes.run(thread) for _ in range(8)))

        assert len(set(units)) == many_lanes.width
        assert await many_lanes.ingest(threading.get_ident) not in units

    async def test_health_does_not_wait_for_a_long_unit(self, one_lane: Database) -> None:
        release = threading.Event()
        long = asyncio.create_task(one_lane.run(release.wait, 5))
        await asyncio.sleep(0.01)

        assert await asyncio.wait_for(one_lane.glance(lambda: 42), timeout=1) == 42

        release.set()
        await long

    async def test_the_unit_of_a_cancelled_caller_ends_before_its_lane_is_free(
        self, one_lane: Database
    ) -> None:
        done: list[str] = []
        release = threading.Event()

        def slow() -> None:
            release.wait(5)
            done.append("slow")

        gone = asyncio.create_task(one_lane.run(slow))
        await asyncio.sleep(0.01)
        gone.cancel()
        following = asyncio.create_task(one_lane.run(done.append, "next"))
        await asyncio.sleep(0.01)
        release.set()
        await following

        assert done == ["slow", "next"]

    async def test_the_callers_context_goes_along(self, one_lane: Database) -> None:
        COLOUR.set("green")

        assert await one_lane.run(COLOUR.get) == "green"
