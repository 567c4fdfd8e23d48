"""Worker that reads the webhooks which were stored before they were answered."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from gateway.database import Database
from shared.whatsapp.services.inbox import received_webhooks
from shared.whatsapp.services.inbox.received_webhooks import (
    MAX_WEBHOOKS_PER_READING,
    ReadWebhooks,
)
from shared.whatsapp.services.inbox.webhook_store import StoredBatch

MAX_TURN_SECONDS: Final = 0.02
"""Processor time of a turn; a longer one reads fewer webhooks the next time."""


@dataclass(slots=True, kw_only=True)
class WebhookReader:
    """Worker that reads stored webhooks, the oldest first, whichever gateway received them.

    Attributes:
        stored: called with a summary of what a turn stored.

    """

    database: Database
    stored: Callable[[StoredBatch], None]
    _limit: int = field(default=MAX_WEBHOOKS_PER_READING, init=False)

    async def turn(self) -> bool:
        """Read some webhooks; return whether there may be more."""
        share = self.database.reading_share
        await share.wait_turn()
        read, seconds = await self.database.run_reading_unit(_read_and_measure, self._limit)
        share.charge(seconds)
        if seconds > MAX_TURN_SECONDS:
            self._limit = max(1, min(read.count, self._limit) // 2)
        else:
            self._limit = min(2 * self._limit, MAX_WEBHOOKS_PER_READING)
        if read.count:
            self.stored(read.stored)
        return read.are_more_waiting


def _read_and_measure(limit: int) -> tuple[ReadWebhooks, float]:
    """Read webhooks and return the processor time that it took, in seconds."""
    began = time.thread_time()
    read = received_webhooks.read_webhooks(now=datetime.now(UTC), limit=limit)
    return read, time.thread_time() - began
