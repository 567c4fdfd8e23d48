"""Worker that answers buyers: many in one transaction, as many as some time allows."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import batched
from secrets import randbelow
from typing import Final
from uuid import uuid4

from gateway.database import Database
from gateway.workers import loop
from gateway.workers.loop import StopSignal, WakeSignal, gather_all
from gateway.workers.outbox import OutboxWorker
from shared.conversation.answering import answer_batches, waiting_messages
from shared.conversation.answering.batch_results import BatchResult
from shared.conversation.answering.message_answers import AnswerResult
from shared.whatsapp.services.inbox import inbox_queue

PIVOT_LIMIT: Final = 2**31
"""Upper bound of the random number at which the choice of free ticket numbers begins."""
BATCH_CPU_SECONDS: Final = 0.04
"""Processor time that a batch should take: it blocks other writers on SQLite, and a lane elsewhere.

What the database needs is left out, as the number of statements hardly depends on the batch.
"""
MIN_CONTACTS_PER_BATCH: Final = 5
"""Even on a slow machine: smaller batches take longer for each contact, so ever more would wait."""
MAX_CONTACTS_PER_BATCH: Final = 64
"""More contacts save nothing: the statements of a batch cost little for each by then."""
POSTPONED_PAUSE_SECONDS: Final = 0.05
"""Pause if all contacts that wait are locked by others, who hold them for some milliseconds."""

_WEIGHT_OF_LAST_BATCH: Final = 0.3


@dataclass(slots=True)
class BatchSize:
    """The count of contacts in a batch, which follows the time that recent batches took.

    Attributes:
        seconds_per_contact: the recent mean of processor time.

    """

    seconds_per_contact: float = BATCH_CPU_SECONDS / 8

    def choose(self) -> int:
        """Return how many contacts are answered within `BATCH_CPU_SECONDS`."""
        least = BATCH_CPU_SECONDS / MAX_CONTACTS_PER_BATCH
        wanted = int(BATCH_CPU_SECONDS / max(self.seconds_per_contact, least))
        return max(wanted, MIN_CONTACTS_PER_BATCH)

    def record(self, *, contacts: int, seconds: float) -> None:
        """Take the processor time of a batch into account.

        Args:
            contacts: how many it looked at; 0 tells nothing about the time.
            seconds: its processor time.

        """
        if not contacts:
            return
        change = seconds / contacts - self.seconds_per_contact
        self.seconds_per_contact += _WEIGHT_OF_LAST_BATCH * change


@dataclass(slots=True, kw_only=True)
class InboxWorker:
    """Worker that answers the contacts that wait, in batches.

    Contacts whose messages this process has just read are answered without a look into the queue.
    The queue is listed if they are many, if somebody may have been left waiting, and now and then:
    other processes put messages there, too, and who waits longest comes first.

    Several gateways may pick the same contact: who comes second finds it locked, or no message.
    """

    database: Database
    outbox: OutboxWorker
    media_signal: WakeSignal
    stop: StopSignal
    batch_size: BatchSize = field(default_factory=BatchSize)
    _arrived: dict[int, None] = field(default_factory=dict, init=False)
    _list_at: float = field(default=0.0, init=False)  # in the time of the event loop

    def expect(self, contact_ids: Iterable[int]) -> None:
        """Take contacts whose messages were just stored; the next turn answers them."""
        self._arrived.update(dict.fromkeys(contact_ids))

    async def turn(self) -> bool:
        """Answer the contacts that wait now; return whether more may be waiting."""
        now = asyncio.get_running_loop().time()
        waiting, list_at = list(self._arrived), self._list_at
        self._arrived.clear()
        self._list_at = 0.0  # unless nobody is left, as after a failure
        if now >= list_at or not 0 < len(waiting) <= inbox_queue.MAX_WAITING_CONTACTS:
            waiting = await self.database.run_unit(
                inbox_queue.list_waiting_contacts, now=datetime.now(UTC)
            )
            list_at = now + loop.POLL_INTERVAL_SECONDS
        more = await self.answer_contacts(waiting)
        if not more:
            self._list_at = list_at
        return more

    async def answer_contacts(self, contact_ids: Sequence[int]) -> bool:
        """Answer contacts that wait, the first ones first; return whether more may be waiting."""
        remaining = list(contact_ids)
        answered, postponed = 0, False
        more = len(remaining) >= inbox_queue.MAX_WAITING_CONTACTS
        while remaining and not self.stop.is_set():
            size = self.batch_size.choose()
            count = size * self._count_batches_at_once()
            batches, remaining = list(batched(remaining[:count], size)), remaining[count:]
            for result in await gather_all(map(self._answer_batch, batches)):
                answered += result.answered.messages
                postponed = postponed or bool(result.postponed)
                more = more or result.has_more or bool(result.left)
                for some in batched(result.left, self.database.lane_count):
                    answered += sum(await gather_all(map(self._answer_alone, some)))
        if self.stop.is_set():
            return False
        if postponed and not answered:
            await asyncio.sleep(POSTPONED_PAUSE_SECONDS)
        return (more and answered > 0) or postponed

    def _count_batches_at_once(self) -> int:
        """Return half the lanes: one batch waits for the database while another one computes."""
        return max(1, self.database.lane_count // 2)

    async def _answer_batch(self, contact_ids: Sequence[int]) -> BatchResult:
        result, seconds = await self.database.run_unit(_run_batch, contact_ids)
        looked_at = len(contact_ids) - len(result.postponed)
        self.batch_size.record(contacts=looked_at, seconds=seconds)
        self._hand_over(result.answered)
        return result

    async def _answer_alone(self, contact_id: int) -> int:
        answered = await self.database.run_unit(
            waiting_messages.answer_or_record_failure,
            contact_id,
            now=datetime.now(UTC),
            pivot=randbelow(PIVOT_LIMIT),
            lease=uuid4(),
        )
        if answered is None:
            return 0
        self._hand_over(answered)
        return answered.messages

    def _hand_over(self, answered: AnswerResult) -> None:
        """Hand the replies to the sender of this process, and wake whoever has work."""
        self.outbox.take(answered.claimed)
        if answered.replies > len(answered.claimed):
            self.outbox.wake_signal.set()
        if answered.has_media:
            self.media_signal.set()


def _run_batch(contact_ids: Sequence[int]) -> tuple[BatchResult, float]:
    """Answer a batch; return its result and how many seconds of processor time it took."""
    began = time.thread_time()
    result = answer_batches.answer_contacts(
        contact_ids, now=datetime.now(UTC), pivot=randbelow(PIVOT_LIMIT), lease=uuid4()
    )
    return result, time.thread_time() - began
