"""Worker that answers buyers, one contact per transaction."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import batched
from secrets import randbelow
from typing import Final
from uuid import uuid4

from gateway.database import Database
from gateway.workers.loop import StopSignal, WakeSignal, gather_all
from gateway.workers.outbox import OutboxWorker
from shared.conversation import inbound
from shared.whatsapp.services.inbox import inbox_queue

CONTACTS_PER_BATCH: Final = 100
"""Waiting contacts that are loaded at once."""
PIVOT_LIMIT: Final = 2**31
"""Upper bound of the random number at which the choice of free ticket numbers begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxWorker:
    """Worker that answers as many contacts at a time as the database has lanes.

    Two gateways may pick the same contact: the second to lock it finds no message left.
    """

    database: Database
    outbox: OutboxWorker
    media_signal: WakeSignal
    stop: StopSignal

    async def turn(self) -> bool:
        """Answer the contacts that wait now; return whether any message was answered."""
        waiting = await self.database.run_unit(
            inbox_queue.list_waiting_contacts, now=datetime.now(UTC), limit=CONTACTS_PER_BATCH
        )
        answered = 0
        for contact_ids in batched(waiting, self.database.lane_count):
            if self.stop.is_set():
                return False
            answered += sum(await gather_all(map(self._answer, contact_ids)))
        return answered > 0

    async def _answer(self, contact_id: int) -> int:
        answered = await self.database.run_unit(
            inbound.answer_or_record_failure,
            contact_id,
            now=datetime.now(UTC),
            pivot=randbelow(PIVOT_LIMIT),
            lease=uuid4(),
        )
        if answered is None:
            return 0
        self.outbox.take(answered.claimed)
        if answered.replies > len(answered.claimed):
            self.outbox.wake_signal.set()
        if answered.has_media:
            self.media_signal.set()
        return answered.messages
