"""Group commit: webhooks that arrive together are stored in one transaction."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway import error_logging
from shared.core import logs

MAX_WEBHOOKS_PER_COMMIT: Final = 256
"""Beyond this a batch gains nothing and the first of it waits longer."""
MAX_PENDING_WEBHOOKS: Final = 20 * MAX_WEBHOOKS_PER_COMMIT
"""More than that waiting means the database hangs: Meta, which sends again, keeps the rest."""

logger = logs.get_logger(__name__)


class WebhookNotStored(Exception):
    """The webhook is not in the database; Meta is to send it again."""


@dataclass(frozen=True, slots=True)
class _PendingArrival[A]:
    arrival: A
    commit_future: asyncio.Future[None]


class Ingest[A, S]:
    """Collects what arrives and stores everything pending at once; the commit sets the pace.

    While one batch commits the next gathers, so there is no timer: a webhook alone is stored at
    once, and the busier it gets the more share a commit.
    """

    def __init__(
        self, store: Callable[[Sequence[A]], Awaitable[S]], *, committed: Callable[[S], None]
    ) -> None:
        """Take `store`, which commits a batch or raises, and whom to tell after each commit."""
        self._store = store
        self._committed = committed
        self._pending: deque[_PendingArrival[A]] = deque()
        self._committing: asyncio.Task[None] | None = None

    async def store(self, arrival: A) -> None:
        """Return once `arrival` is committed.

        It is stored also when the caller is cancelled meanwhile, because its client has gone.

        Raises:
            NotStored: the batch failed, or too many wait already.

        """
        if len(self._pending) >= MAX_PENDING_WEBHOOKS:
            raise WebhookNotStored("too many webhooks wait for the database")
        waiting = _PendingArrival(arrival, asyncio.get_running_loop().create_future())
        self._pending.append(waiting)
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_all(), name="ingest")
        await waiting.commit_future

    async def drain(self, *, timeout: float) -> None:
        """Return once nothing is pending any more, or after `patience` seconds."""
        if self._committing is not None:
            await asyncio.wait([self._committing], timeout=timeout)

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
        """Keep the one that cannot be stored from spoiling the others of its batch."""
        for waiting in batch:
            await self._commit([waiting])


def _settle_pending[A](
    batch: Sequence[_PendingArrival[A]], *, failure: BaseException | None
) -> None:
    for waiting in batch:
        if (
            waiting.commit_future.done()
        ):  # its client has gone; Meta sends again, which does no harm
            continue
        if failure is None:
            waiting.commit_future.set_result(None)
        else:
            refusal = WebhookNotStored("the batch was not committed")
            refusal.__cause__ = failure
            waiting.commit_future.set_exception(refusal)
