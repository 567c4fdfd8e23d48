"""Tests of the delay between SIGTERM and the server's own way to stop."""

import os
import signal
from collections.abc import Iterator

import pytest

from gateway.draining import Drain
from tests.waiting import await_until


@pytest.fixture
def stops() -> Iterator[list[int]]:
    """Handle SIGTERM as a server does, and return the list of signals that it received."""
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    yield received
    signal.signal(signal.SIGTERM, before)


async def is_stopping(stops: list[int]) -> bool:
    return bool(stops)


class TestDrain:
    async def test_ends_with_the_servers_own_handler(self, stops: list[int]) -> None:
        drain = Drain(seconds=0.05)

        with drain.delay_sigterm():
            os.kill(os.getpid(), signal.SIGTERM)
            await await_until(lambda: is_stopping(stops))

        assert drain.has_begun
        assert stops == [signal.SIGTERM]

    async def test_does_not_begin_with_a_delay_of_zero(self, stops: list[int]) -> None:
        drain = Drain(seconds=0)

        with drain.delay_sigterm():
            os.kill(os.getpid(), signal.SIGTERM)

        assert not drain.has_begun
        assert stops == [signal.SIGTERM]

    async def test_returns_the_signal_to_the_server_afterwards(self, stops: list[int]) -> None:
        with Drain(seconds=60).delay_sigterm():
            pass

        os.kill(os.getpid(), signal.SIGTERM)

        assert stops == [signal.SIGTERM]
