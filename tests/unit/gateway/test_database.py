"""Tests of units of work on database lanes: retries, order, cancellation and shutdown."""

import asyncio
import gc
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest
from django.db import IntegrityError, OperationalError, connections
from django.db.backends.sqlite3.base import DatabaseWrapper

from gateway.database import (
    CONNECTION_TRUSTED_SECONDS,
    MAX_TRANSACTION_TRIES,
    Database,
    run_unit_of_work,
)
from tests.waiting import PATIENCE

COLOUR: ContextVar[str] = ContextVar("COLOUR", default="none")


def build_deadlock() -> OperationalError:
    """Build the error that Django raises for a deadlock on PostgreSQL."""
    error = OperationalError("deadlock detected")
    error.__cause__ = type("DeadlockDetected", (Exception,), {"sqlstate": "40P01"})()
    return error


class Work:
    """Unit of work that raises one given error per call, then returns 42."""

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
        work = Work(build_deadlock(), build_deadlock())

        assert run_unit_of_work(work, pause=lambda _: None) == 42
        assert work.calls == 3

    def test_deadlocks_without_end_are_raised_at_last(self) -> None:
        work = Work(*[build_deadlock() for _ in range(99)])

        with pytest.raises(OperationalError):
            run_unit_of_work(work, pause=lambda _: None)
        assert work.calls == MAX_TRANSACTION_TRIES

    @pytest.mark.parametrize("failure", [OperationalError("away"), ValueError("a bug")])
    def test_other_failures_are_not_tried_again(self, failure: Exception) -> None:
        work = Work(failure)

        with pytest.raises(type(failure)):
            run_unit_of_work(work, pause=lambda _: None)
        assert work.calls == 1

    def test_the_connection_is_checked_after_a_pause_and_after_a_failure(self) -> None:
        connection = FakeConnection({})
        now = 1000.0

        def run(work: Work) -> int:
            run_unit_of_work(work, clock=lambda: now)
            return connection.checks

        def run_all() -> None:  # in a thread, which has connections of its own
            nonlocal now
            connections["default"] = connection
            assert [run(Work()), run(Work())] == [1, 1]
            now += CONNECTION_TRUSTED_SECONDS
            assert run(Work()) == 2
            with pytest.raises(ValueError, match="a bug"):
                run(Work(ValueError("a bug")))
            assert run(Work()) == 3
            connection.errors_occurred = True
            assert [run(Work()), run(Work())] == [3, 4]

        with ThreadPoolExecutor(1) as executor:
            executor.submit(run_all).result()


@pytest.fixture
async def one_lane() -> AsyncIterator[Database]:
    database = Database.for_vendor("sqlite")
    yield database
    await database.aclose(timeout_seconds=5)


@pytest.fixture
async def many_lanes() -> AsyncIterator[Database]:
    database = Database.for_vendor("postgresql")
    yield database
    await database.aclose(timeout_seconds=5)


class TestDatabase:
    async def test_sqlite_has_one_writing_thread_for_everything(self, one_lane: Database) -> None:
        threads = {
            *await asyncio.gather(*(one_lane.run_unit(threading.get_ident) for _ in range(9))),
            await one_lane.run_ingest_unit(threading.get_ident),
        }

        assert len(threads) == 1

    async def test_ingest_goes_in_front_of_units_that_wait(self, one_lane: Database) -> None:
        done: list[str] = []
        begun = threading.Event()

        def first() -> None:
            begun.set()
            time.sleep(0.05)
            done.append("first")

        units = [asyncio.create_task(one_lane.run_unit(first))]
        units += [asyncio.create_task(one_lane.run_unit(done.append, "unit")) for _ in range(5)]
        await asyncio.to_thread(begun.wait)
        await one_lane.run_ingest_unit(done.append, "ingest")
        await asyncio.gather(*units)

        assert done.index("ingest") <= 2
        assert len(done) == 7

    async def test_postgresql_keeps_ingest_apart_from_the_units(self, many_lanes: Database) -> None:
        def thread() -> int:
            time.sleep(0.02)
            return threading.get_ident()

        units = await asyncio.gather(*(many_lanes.run_unit(thread) for _ in range(8)))

        assert len(set(units)) == many_lanes.lane_count
        assert await many_lanes.run_ingest_unit(threading.get_ident) not in units

    async def test_health_does_not_wait_for_a_long_unit(self, one_lane: Database) -> None:
        release = threading.Event()
        long = asyncio.create_task(one_lane.run_unit(release.wait, PATIENCE))
        await asyncio.sleep(0.01)

        assert (
            await asyncio.wait_for(one_lane.run_health_check(lambda: 42), timeout=PATIENCE / 2)
            == 42
        )

        release.set()
        await long

    async def test_lanes_run_at_the_same_time(self, many_lanes: Database) -> None:
        everybody = threading.Barrier(many_lanes.lane_count)

        places = await asyncio.gather(
            *(many_lanes.run_unit(everybody.wait, 5) for _ in range(many_lanes.lane_count))
        )

        assert sorted(places) == list(range(many_lanes.lane_count))

    @pytest.mark.parametrize("failure", [OperationalError("away"), ValueError("a bug")])
    async def test_an_exception_reaches_the_caller_and_frees_the_lane(
        self, one_lane: Database, failure: Exception
    ) -> None:
        with pytest.raises(type(failure)) as raised:
            await one_lane.run_unit(Work(failure))

        assert raised.value is failure
        assert await one_lane.run_unit(lambda: 42) == 42

    async def test_stop_iteration_reaches_the_caller_as_a_runtime_error(
        self, one_lane: Database
    ) -> None:
        nothing: Iterator[int] = iter(())

        with pytest.raises(RuntimeError, match="StopIteration"):
            await asyncio.wait_for(one_lane.run_unit(lambda: next(nothing)), timeout=5)

        assert await one_lane.run_unit(lambda: 42) == 42

    async def test_the_unit_of_a_cancelled_caller_ends_before_its_lane_is_free(
        self, one_lane: Database
    ) -> None:
        done: list[str] = []
        release = threading.Event()

        def slow() -> None:
            release.wait(PATIENCE)
            done.append("slow")

        gone = asyncio.create_task(one_lane.run_unit(slow))
        await asyncio.sleep(0.01)
        gone.cancel()
        following = asyncio.create_task(one_lane.run_unit(done.append, "next"))
        await asyncio.sleep(0.01)
        ingest = asyncio.create_task(one_lane.run_ingest_unit(done.append, "ingest"))
        await asyncio.sleep(0.01)
        assert done == []
        release.set()
        await asyncio.gather(following, ingest)

        assert gone.cancelled()
        assert done == ["slow", "ingest", "next"]  # a free lane would have started "next" at once

    async def test_a_failure_without_a_caller_is_logged_without_the_row(
        self, one_lane: Database, caplog: pytest.LogCaptureFixture
    ) -> None:
        release = threading.Event()

        def fail() -> None:
            release.wait(5)
            raise IntegrityError("Failing row contains (secret words)")

        gone = asyncio.create_task(one_lane.run_unit(fail))
        await asyncio.sleep(0.01)
        gone.cancel()
        await asyncio.wait([gone])
        release.set()
        await one_lane.run_unit(lambda: None)
        gc.collect()

        [line] = caplog.records
        assert line.name == "gateway.database"
        assert "unawaited_unit_failed" in line.getMessage()
        assert "secret words" not in caplog.text

    async def test_the_callers_context_goes_along(self, one_lane: Database) -> None:
        COLOUR.set("green")

        assert await one_lane.run_unit(COLOUR.get) == "green"

    async def test_what_a_unit_sets_stays_within_it(self, one_lane: Database) -> None:
        COLOUR.set("green")

        await one_lane.run_unit(COLOUR.set, "red")

        assert COLOUR.get() == "green"
        assert await one_lane.run_unit(COLOUR.get) == "green"


class TestShares:
    async def test_webhooks_wait_for_their_share_only_while_other_units_are_due(
        self, one_lane: Database
    ) -> None:
        release = threading.Event()
        for share in (one_lane.ingest_share, one_lane.reading_share):
            share.charge(1)
            await asyncio.wait_for(share.wait_turn(), timeout=PATIENCE)
        unit = asyncio.create_task(one_lane.run_unit(release.wait, PATIENCE))
        await asyncio.sleep(0.01)

        for share in (one_lane.ingest_share, one_lane.reading_share):
            share.charge(1)
        turns = [
            asyncio.create_task(share.wait_turn())
            for share in (one_lane.ingest_share, one_lane.reading_share)
        ]
        await asyncio.sleep(0.01)

        assert not any(turn.done() for turn in turns)
        release.set()
        await unit
        await asyncio.gather(*turns)

    async def test_reading_waits_for_ingest_and_not_the_other_way_round(
        self, many_lanes: Database
    ) -> None:
        release = threading.Event()
        reading = asyncio.create_task(many_lanes.run_reading_unit(release.wait, PATIENCE))
        await asyncio.sleep(0.01)
        many_lanes.ingest_share.charge(1)
        await asyncio.wait_for(many_lanes.ingest_share.wait_turn(), timeout=PATIENCE)

        ingest = asyncio.create_task(many_lanes.run_ingest_unit(release.wait, PATIENCE))
        many_lanes.reading_share.charge(1)
        turn = asyncio.create_task(many_lanes.reading_share.wait_turn())
        await asyncio.sleep(0.01)

        assert not turn.done()
        release.set()
        await asyncio.gather(reading, ingest, turn)


class FakeConnection(DatabaseWrapper):
    """Fake connection that records whether it was closed, and how often it was checked."""

    closed = False
    checks = 0

    def close_if_unusable_or_obsolete(self) -> None:
        self.checks += 1

    def close(self) -> None:
        self.closed = True


class TestClose:
    async def test_the_connection_of_a_unit_just_begun_is_closed(self) -> None:
        database = Database.for_vendor("sqlite")
        connection = FakeConnection({})

        def connect() -> None:
            connections["default"] = connection  # the connection of the lane's thread

        begun = asyncio.create_task(database.run_unit(connect))
        await asyncio.sleep(0)
        await database.aclose(timeout_seconds=5)

        assert begun.done()
        assert connection.closed

    async def test_a_late_unit_ends_and_one_not_begun_is_dropped(self) -> None:
        database = Database.for_vendor("sqlite")
        release = threading.Event()
        done: list[str] = []
        late = asyncio.create_task(database.run_unit(release.wait, 5))
        waiting = asyncio.create_task(database.run_ingest_unit(done.append, "ingest"))
        await asyncio.sleep(0.01)

        await database.aclose(timeout_seconds=0.01)

        assert not late.done()
        release.set()
        assert await late
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert done == []

    def test_a_late_unit_outlives_the_loop(self, caplog: pytest.LogCaptureFixture) -> None:
        release, ended = threading.Event(), threading.Event()

        def late() -> None:
            release.wait(5)
            ended.set()
            raise ValueError("a bug")

        async def serve() -> None:
            database = Database.for_vendor("sqlite")
            unit = asyncio.create_task(database.run_unit(late))
            await asyncio.sleep(0.01)
            await database.aclose(timeout_seconds=0.01)
            assert not unit.done()

        asyncio.run(serve())
        assert not ended.is_set()
        release.set()

        assert ended.wait(5)
        gc.collect()
        assert caplog.records == []
