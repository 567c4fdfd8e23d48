"""Group commit for the marks of sends: about to be sent, accepted, or given back to the queue."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Final

from gateway import error_logging
from gateway.database import Database
from gateway.workers import loop
from gateway.workers.loop import WakeSignal
from shared.whatsapp.services.outbox import send_marks
from shared.whatsapp.services.outbox.message_claims import ClaimedMessage
from shared.whatsapp.services.outbox.send_marks import SentMessage

LONGEST_WAIT_SECONDS: Final = 0.025
"""Seconds in which a mark waits for others; a message about to be sent waits for none."""


class _MarkKind(Enum):
    STARTING = auto()
    SENT = auto()
    RELEASED = auto()


@dataclass(frozen=True, slots=True, eq=False)
class _Mark:
    kind: _MarkKind
    message: ClaimedMessage
    written: asyncio.Future[bool]
    wa_message_id: str = ""


class MarkWriter:
    """Writes what waits in one transaction, while the next batch gathers.

    While the database is not available, marks wait for it.
    """

    def __init__(self, database: Database, *, lease_for: timedelta) -> None:
        """Create a writer.

        Args:
            database: runs the unit of work.
            lease_for: the time after which a message that is being sent counts as unknown; so long
                marks wait for the database.

        """
        self._database = database
        self._lease_for = lease_for
        self._waiting: list[_Mark] = []
        self._is_due = WakeSignal()
        self._task: asyncio.Task[None] | None = None

    async def start_send(self, message: ClaimedMessage) -> bool:
        """Record that a message is about to be sent; return whether it may be.

        Raises:
            Exception: it could not be recorded, so it must not be sent.

        """
        return await self._add(_MarkKind.STARTING, message)

    async def record_sent(self, message: ClaimedMessage, *, wa_message_id: str) -> None:
        """Record that Meta accepted a message.

        Raises:
            Exception: it could not be recorded.

        """
        await self._add(_MarkKind.SENT, message, wa_message_id)

    async def release(self, messages: Sequence[ClaimedMessage]) -> None:
        """Give messages that are not sent back to the queue.

        Raises:
            Exception: that could not be recorded; their leases run out soon.

        """
        await loop.gather_all(self._add(_MarkKind.RELEASED, message) for message in messages)

    def _add(
        self, kind: _MarkKind, message: ClaimedMessage, wa_message_id: str = ""
    ) -> asyncio.Future[bool]:
        written = asyncio.get_running_loop().create_future()
        self._waiting.append(_Mark(kind, message, written, wa_message_id))
        if kind is _MarkKind.STARTING:
            self._is_due.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_batches())
        return written

    async def _write_batches(self) -> None:
        while self._waiting:
            await self._is_due.wait(at_most=LONGEST_WAIT_SECONDS)
            # What was cancelled before it was marked is not sent.
            batch = [
                mark
                for mark in self._waiting
                if mark.kind is not _MarkKind.STARTING or not mark.written.cancelled()
            ]
            self._waiting = []
            await self._write(batch)

    async def _write(self, batch: Sequence[_Mark]) -> None:
        try:
            started = await loop.run_with_retries(
                lambda: self._database.run_unit(_write_marks, batch, lease_for=self._lease_for),
                give_up_after=self._lease_for,
            )
        except Exception as error:  # noqa: BLE001 - raised where the mark is awaited
            if len(batch) > 1 and not error_logging.is_database_away(error):
                for mark in batch:  # so that one bad mark does not lose the others
                    await self._write([mark])
                return
            for mark in batch:
                if not mark.written.done():
                    mark.written.set_exception(error)
            return
        for mark in batch:
            if not mark.written.done():  # whoever waited may have been cancelled
                mark.written.set_result(
                    mark.kind is not _MarkKind.STARTING or mark.message.id in started
                )


def _write_marks(marks: Sequence[_Mark], *, lease_for: timedelta) -> frozenset[int]:
    by_kind: dict[_MarkKind, list[_Mark]] = {kind: [] for kind in _MarkKind}
    for mark in marks:
        by_kind[mark.kind].append(mark)
    return send_marks.write_marks(
        now=datetime.now(UTC),
        lease_for=lease_for,
        starting=[mark.message for mark in by_kind[_MarkKind.STARTING]],
        sent=[SentMessage(mark.message, mark.wa_message_id) for mark in by_kind[_MarkKind.SENT]],
        released=[mark.message for mark in by_kind[_MarkKind.RELEASED]],
    )
