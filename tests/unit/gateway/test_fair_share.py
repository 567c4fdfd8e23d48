"""Tests of fair shares: work that comes in masses waits for others, but never for nothing."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.fair_share import BURST_SECONDS, FairShare
from tests.waiting import PATIENCE


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.is_work_due = True

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def share(clock: Clock) -> FairShare:
    return FairShare(0.25, is_other_work_due=lambda: clock.is_work_due, clock=clock)


@pytest.fixture
def waits(share: FairShare) -> Callable[[], Awaitable[bool]]:
    """Return a function that tells whether the work has to wait now."""

    async def wait() -> bool:
        turn = asyncio.create_task(share.wait_turn())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return not turn.done() and turn.cancel()

    return wait


async def test_work_that_comes_now_and_then_never_waits(
    share: FairShare, clock: Clock, waits: Callable[[], Awaitable[bool]]
) -> None:
    for _ in range(100):
        share.charge(0.001)
        assert not await waits()
        clock.now += 0.004


async def test_a_flood_gets_its_share_while_other_work_is_due(
    share: FairShare, clock: Clock, waits: Callable[[], Awaitable[bool]]
) -> None:
    used = 0.0
    while clock.now < 10:
        if not await waits():
            share.charge(0.01)
            used += 0.01
        clock.now += 0.001

    assert used == pytest.approx(10 * 0.25, abs=BURST_SECONDS + 0.02)


async def test_a_flood_without_other_work_goes_on_and_owes_nothing_later(
    share: FairShare, clock: Clock, waits: Callable[[], Awaitable[bool]]
) -> None:
    clock.is_work_due = False
    for _ in range(100):
        share.charge(1)
        assert not await waits()

    clock.is_work_due = True
    assert not await waits()
    share.charge(100)
    assert await waits()
    clock.now += 0.25  # what is owed has a limit
    assert not await waits()


async def test_other_work_that_uses_no_processor_time_does_not_block_it(share: FairShare) -> None:
    share.charge(1)

    await asyncio.wait_for(share.wait_turn(), timeout=PATIENCE)
