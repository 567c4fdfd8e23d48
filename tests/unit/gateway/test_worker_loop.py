"""Tests of the worker loop: turns, waking, backing off and stopping."""

import asyncio
import time
from collections.abc import Callable

from django.db import OperationalError

from gateway.workers.loop import StopSignal, WakeSignal, run_worker
from tests.waiting import PATIENCE, await_until


class Turns:
    """Turn that returns or raises one entry of a script per call."""

    def __init__(self, *script: bool | Exception) -> None:
        self.script = list(script)
        self.taken = 0
        self.at: list[float] = []

    async def __call__(self) -> bool:
        self.taken += 1
        self.at.append(time.monotonic())
        outcome = self.script.pop(0) if self.script else False
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


NEVER = 3600
"""Seconds between turns without a bell; longer than any test runs."""
SHORTER_THAN_A_PAUSE = 1.0
"""Seconds; after three failures a worker pauses at least this long."""


async def until(condition: Callable[[], bool]) -> None:
    """Wait until `condition()` holds."""

    async def is_met() -> bool:
        return condition()

    await await_until(is_met)


class TestWork:
    async def test_goes_on_without_waiting_until_nothing_is_left(self) -> None:
        turns, signal, stop = Turns(True, True, True, False), WakeSignal(), StopSignal()
        working = asyncio.create_task(
            run_worker(turns, name="t", wake_signal=signal, stop=stop, interval=NEVER)
        )

        await until(lambda: turns.taken == 4)
        await asyncio.sleep(0.02)

        assert turns.taken == 4
        await end(working, signal, stop)

    async def test_a_bell_wakes_it_at_once(self) -> None:
        turns, signal, stop = Turns(), WakeSignal(), StopSignal()
        working = asyncio.create_task(
            run_worker(turns, name="t", wake_signal=signal, stop=stop, interval=NEVER)
        )
        await until(lambda: turns.taken == 1)

        signal.set()

        await until(lambda: turns.taken == 2)
        await end(working, signal, stop)

    async def test_a_bell_may_ring_later_and_then_rings_once(self) -> None:
        signal = WakeSignal()
        signal.set_within(NEVER)
        late = asyncio.create_task(signal.wait(at_most=NEVER))
        await asyncio.sleep(0.01)
        assert not late.done()

        signal.set()  # earlier, and instead
        await asyncio.wait_for(late, timeout=PATIENCE)

        signal.set_within(0.001)
        signal.set_within(NEVER)
        await asyncio.wait_for(signal.wait(at_most=NEVER), timeout=PATIENCE)

    async def test_a_bell_rung_during_a_turn_is_not_missed(self) -> None:
        signal, stop = WakeSignal(), StopSignal()
        taken = []

        async def turn() -> bool:
            taken.append(1)
            if len(taken) == 1:
                signal.set()
            return False

        working = asyncio.create_task(
            run_worker(turn, name="t", wake_signal=signal, stop=stop, interval=NEVER)
        )

        await until(lambda: len(taken) == 2)
        await end(working, signal, stop)

    async def test_looks_again_after_a_tick_without_any_bell(self) -> None:
        turns, signal, stop = Turns(), WakeSignal(), StopSignal()
        working = asyncio.create_task(
            run_worker(turns, name="t", wake_signal=signal, stop=stop, interval=0.01)
        )

        await until(lambda: turns.taken >= 3)

        await end(working, signal, stop)

    async def test_an_exception_is_backed_off_from_and_never_ends_it(self) -> None:
        turns, signal, stop = Turns(ValueError("a bug"), False), WakeSignal(), StopSignal()
        working = asyncio.create_task(
            run_worker(turns, name="t", wake_signal=signal, stop=stop, interval=NEVER)
        )

        await until(lambda: turns.taken == 2)

        assert turns.at[1] - turns.at[0] >= 0.4
        await end(working, signal, stop)

    async def test_a_database_that_is_away_is_waited_for(self) -> None:
        turns, signal, stop = (
            Turns(OperationalError("gone"), True, False),
            WakeSignal(),
            StopSignal(),
        )
        working = asyncio.create_task(
            run_worker(turns, name="t", wake_signal=signal, stop=stop, interval=NEVER)
        )

        await until(lambda: turns.taken == 3)

        await end(working, signal, stop)

    async def test_stop_ends_it_even_while_it_backs_off(self) -> None:
        turns, signal, stop = Turns(*[ValueError("a bug")] * 9), WakeSignal(), StopSignal()
        working = asyncio.create_task(
            run_worker(turns, name="t", wake_signal=signal, stop=stop, interval=NEVER)
        )
        await until(lambda: turns.taken == 3)

        await end(working, signal, stop, within=SHORTER_THAN_A_PAUSE)

    async def test_the_turn_begun_is_finished_before_it_stops(self) -> None:
        signal, stop = WakeSignal(), StopSignal()
        finished = []

        async def turn() -> bool:
            await asyncio.sleep(0.05)
            finished.append(1)
            return True

        working = asyncio.create_task(
            run_worker(turn, name="t", wake_signal=signal, stop=stop, interval=NEVER)
        )
        await asyncio.sleep(0.01)

        await end(working, signal, stop)

        assert finished == [1]


async def end(
    working: asyncio.Task[None], signal: WakeSignal, stop: StopSignal, *, within: float = PATIENCE
) -> None:
    """Stop a worker as the application does, and check that it ends."""
    stop.set()
    signal.set()
    await asyncio.wait_for(working, timeout=within)
