"""Notification of changes to the tasks that wait for them."""

import asyncio
import time
from collections.abc import Callable


class ChangeSignal:
    """Signal at every change, at which all waiting tasks check their condition again."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        """Wake all waiting tasks."""
        self._event.set()
        self._event = asyncio.Event()

    async def wait_until[Found](self, look: Callable[[], Found], *, seconds: float) -> Found:
        """Call `look` at every change until it is true or `seconds` are over; return its value."""
        ends = time.monotonic() + seconds
        while not (found := look()) and (left := ends - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(self._event.wait(), left)
            except TimeoutError:
                return look()
        return found
