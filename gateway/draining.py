"""Draining: between SIGTERM and its end a gateway is not ready, but still accepts webhooks.

A load balancer that asks `/readyz` sends the next webhooks to another gateway in that time, so that
none meets a closed port. uvicorn alone closes its socket at once.
"""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from shared.core import logs

logger = logs.get_logger(__name__)


class Drain:
    """The delay between SIGTERM and the server's own way to stop."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None

    @property
    def has_begun(self) -> bool:
        """Whether the gateway is about to stop."""
        return self._timer is not None

    @contextmanager
    def delay_sigterm(self) -> Iterator[None]:
        """Pass SIGTERM to the server's handler after the delay; pass a second one at once.

        SIGINT goes to the server without a delay, as before. Nothing is delayed if the delay is 0,
        or if no server handles the signal in this thread. Call it from the event loop.
        """
        stop = signal.getsignal(signal.SIGTERM)
        in_main_thread = threading.current_thread() is threading.main_thread()
        if not self._seconds or not callable(stop) or not in_main_thread:
            yield
            return
        loop = asyncio.get_running_loop()

        def begin_or_stop() -> None:
            if self._timer is None:
                logger.info("gateway_drains", seconds=self._seconds)
                self._timer = loop.call_later(self._seconds, stop, signal.SIGTERM, None)
            elif not self._timer.cancelled():
                self._timer.cancel()
                stop(signal.SIGTERM, None)

        loop.add_signal_handler(signal.SIGTERM, begin_or_stop)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGTERM)
            signal.signal(signal.SIGTERM, stop)
            if self._timer is not None:
                self._timer.cancel()
