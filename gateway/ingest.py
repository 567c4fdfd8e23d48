"""Group commit: webhooks that arrive together are stored in one transaction."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from gateway import error_logging
from gateway.fair_share import FairShare
from shared.core import logs
from shared.whatsapp.services.inbox.received_webhooks import SignedBody

MAX_WEBHOOKS_PER_COMMIT: Final = 256
"""A larger batch is not faster, and its first webhook waits longer."""
MAX_BYTES_PER_COMMIT: Final = 8 * 1024 * 1024
MAX_PENDING_WEBHOOKS: Final = 20 * MAX_WEBHOOKS_PER_COMMIT
"""If more are pending, the database hangs; Meta keeps the others and sends them again."""
MAX_PENDING_BYTES: Final = 64 * 1024 * 1024
SECONDS_PER_WEBHOOK: Final = 0.0002
"""About the processor time of taking one webhook, most of it in the web server."""

logger = logs.get_logger(__name__)

type _Pending = tuple[SignedBody, asyncio.Future[None]]
"""A webhook, and the future that its request waits for."""


class WebhookNotStored(Exception):
    """The webhook is not in the database; Meta must send it again."""


class Ingest:
    """Group commit: everything that is pending is stored in one transaction.

    The next batch collects while the current one commits, so no timer is needed. A single webhook
    is stored at once, and under load more webhooks share a commit. While other work is due, commits
    wait for their share of the time, and so do the clients.
    """

    def __init__(
        self,
        store: Callable[[Sequence[SignedBody]], Awaitable[None]],
        *,
        committed: Callable[[Sequence[SignedBody]], None],
        share: FairShare,
    ) -> None:
        """Create an empty queue.

        Args:
            store: commits a batch, or raises.
            committed: called after each commit with what was stored.
            share: the time in which webhooks may be taken.

        """
        self._store = store
        self._committed = committed
        self._share = share
        self._pending: deque[_Pending] = deque()
        self._pending_bytes = 0
        self._committing: asyncio.Task[None] | None = None

    async def store(self, webhook: SignedBody) -> None:
        """Store a webhook and return once it is committed.

        It is also stored if the caller is cancelled meanwhile because its client has gone.

        Raises:
            WebhookNotStored: the batch failed, or too many webhooks are pending.

        """
        if (
            len(self._pending) >= MAX_PENDING_WEBHOOKS
            or self._pending_bytes + len(webhook.body) > MAX_PENDING_BYTES
        ):
            raise WebhookNotStored("too many webhooks wait for the database")
        stored = asyncio.get_running_loop().create_future()
        self._pending.append((webhook, stored))
        self._pending_bytes += len(webhook.body)
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_all(), name="ingest")
        await stored

    async def drain(self, *, timeout_seconds: float) -> None:
        """Return once nothing is pending, or after `timeout_seconds`."""
        if self._committing is not None:
            await asyncio.wait([self._committing], timeout=timeout_seconds)

    async def _commit_all(self) -> None:
        try:
            while self._pending:
                await self._share.wait_turn()
                batch = self._take_batch()
                await self._commit(batch)
                self._share.charge(len(batch) * SECONDS_PER_WEBHOOK)
        finally:
            self._committing = None

    def _take_batch(self) -> list[_Pending]:
        batch: list[_Pending] = []
        size = 0
        while self._pending and len(batch) < MAX_WEBHOOKS_PER_COMMIT:
            size += len(self._pending[0][0].body)
            if batch and size > MAX_BYTES_PER_COMMIT:
                break
            batch.append(self._pending.popleft())
            self._pending_bytes -= len(batch[-1][0].body)
        return batch

    async def _commit(self, batch: Sequence[_Pending]) -> None:
        webhooks = [webhook for webhook, _ in batch]
        try:
            await self._store(webhooks)
        except BaseException as error:
            _settle(batch, failure=error)
            if not isinstance(error, Exception):
                raise
            error_logging.log_error(logger, "webhooks_not_stored", error, webhooks=len(batch))
        else:
            _settle(batch, failure=None)
            self._committed(webhooks)


def _settle(batch: Sequence[_Pending], *, failure: BaseException | None) -> None:
    for _, stored in batch:
        if stored.done():  # its client has gone; Meta may send it again
            continue
        if failure is None:
            stored.set_result(None)
        else:
            refusal = WebhookNotStored("the batch was not committed")
            refusal.__cause__ = failure
            stored.set_exception(refusal)
