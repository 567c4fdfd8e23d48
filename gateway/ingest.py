"""Group commit: webhooks that arrive together are stored in one transaction."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway import error_logging
from shared.core import logs

MAX_WEBHOOKS_PER_COMMIT: Final = 256
"""A larger batch is not faster, and its first webhook waits longer."""
MAX_PENDING_WEBHOOKS: Final = 20 * MAX_WEBHOOKS_PER_COMMIT
"""If more are pending, the database hangs; Meta keeps the others and sends them again."""

logger = logs.get_logger(__name__)


class WebhookNotStored(Exception):
    """The webhook is not in the database; Meta must send it again."""


@dataclass(frozen=True, slots=True)
class _PendingArrival[A]:
    arrival: A
    commit_future: asyncio.Future[None]


class Ingest[A, S]:
    """Group commit: everything that is pending is stored in one transaction.

    The next batch collects while the current one commits, so no timer is needed. A single webhook
    is stored at once, and under load more webhooks share a commit.
    """

    def __init__(
        self, store: Callable[[Sequence[A]], Awaitable[S]], *, committed: Callable[[S], None]
    ) -> None:
        """Create an empty queue.

        Args:
            store: commits a batch and returns a summary of it, or raises.
            committed: called with that summary after each commit.

        """
        self._store = store
        self._committed = committed
        self._pending: deque[_PendingArrival[A]] = deque()
        self._committing: asyncio.Task[None] | None = None

    async def store(self, arrival: A) -> None:
        """Store `arrival` and return once it is committed.

        It is also stored if the caller is cancelled meanwhile because its client has gone.

        Raises:
            WebhookNotStored: the batch failed, or too many webhooks are pending.

        """
        if len(self._pending) >= MAX_PENDING_WEBHOOKS:
            raise WebhookNotStored("too many webhooks wait for the database")
        waiting = _PendingArrival(arrival, asyncio.get_running_loop().create_future())
        self._pending.append(waiting)
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_all(), name="ingest")
        await waiting.commit_future

    async def drain(self, *, timeout_seconds: float) -> None:
        """Return once nothing is pending, or after `timeout_seconds`."""
        if self._committing is not None:
            await asyncio.wait([self._committing], timeout=timeout_seconds)

    async def _commit_all(self) -> None:
        try:
            while self._pending:
                size = min(len(self._pending), MAX_WEBHOOKS_PER_COMMIT)
                await self._commit([self._pending.popleft() for _ in range(size)])
        finally:
            self._committing = None

    async def _commit(self, batch: Sequence[_PendingArrival[A]]) -> None:
        try:
            stored = await self._store([waiting.arrival for waiting in batch])
        except BaseException as error:
            if (
                len(batch) > 1
                and isinstance(error, Exception)
                and not error_logging.is_database_away(error)
            ):
                await self._commit_one_by_one(batch)
                return
            _settle_pending(batch, failure=error)
            if not isinstance(error, Exception):
                raise
            error_logging.log_error(logger, "webhooks_not_stored", error, webhooks=len(batch))
        else:
            _settle_pending(batch, failure=None)
            self._committed(stored)

    async def _commit_one_by_one(self, batch: Sequence[_PendingArrival[A]]) -> None:
        """Commit each webhook by itself, so that a bad one does not fail the others."""
        for waiting in batch:
            await self._commit([waiting])


def _settle_pending[A](
    batch: Sequence[_PendingArrival[A]], *, failure: BaseException | None
) -> None:
    for waiting in batch:
        if waiting.commit_future.done():  # its client has gone; Meta may send it again
            continue
        if failure is None:
            waiting.commit_future.set_result(None)
        else:
            refusal = WebhookNotStored("the batch was not committed")
            refusal.__cause__ = failure
            waiting.commit_future.set_exception(refusal)
