"""Waking whoever waits for news."""

import asyncio
import time
from collections.abc import Callable


class ChangeSignal:
    """Rings at every change; those who wait look again, until they find or their time is over."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        """Wake everybody who waits."""
        self._event.set()
        self._event = asyncio.Event()

    async def wait_until[Found](self, look: Callable[[], Found], *, seconds: float) -> Found:
        """Look until something true is found, at most so many seconds; return the last look."""
        ends = time.monotonic() + seconds
        while not (found := look()) and (left := ends - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(self._event.wait(), left)
            except TimeoutError:
                return look()
        return found
