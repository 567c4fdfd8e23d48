"""All workers of a gateway, the bells between them, and how they end together."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.database import Database
from gateway.webhook_sender import WebhookSender
from gateway.workers import events, expiry, loop
from gateway.workers.events import (
    EventDeliveryWorker,
    EventLeaseSweeper,
    EventRetention,
    EventSequencer,
)
from gateway.workers.expiry import ExpiryWorker
from gateway.workers.inbox import InboxWorker
from gateway.workers.loop import StopSignal, Turn, WakeSignal
from gateway.workers.media import MediaWorker
from gateway.workers.outbox import DeliveryStatusWorker, OutboxSweeper, OutboxWorker
from shared.core import logs
from shared.whatsapp.services.inbox.webhook_store import StoredBatch
from shared.whatsapp.services.meta_client import MetaClient

SWEEP_INTERVAL_SECONDS: Final = 5.0
"""Seconds; leases and unknown sends are a matter of minutes."""

logger = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _WorkerSpec:
    name: str
    turn: Turn
    bell: WakeSignal
    tick: float = loop.POLL_INTERVAL_SECONDS


class Supervisor:
    """Made once a process; `start` it, tell it what was `stored`, `finish` it."""

    def __init__(
        self,
        *,
        database: Database,
        client: MetaClient,
        courier: WebhookSender,
        rate: float,
        public_url: str,
    ) -> None:
        """Man every post; nobody works before `start`.

        Args:
            database: where all of them do their units of work.
            client: who talks to Meta.
            courier: who tells other systems.
            rate: messages a second and business number that this process may send.
            public_url: where other systems reach the back office.

        """
        self._stop = stop = StopSignal()
        self._messages, self._statuses = WakeSignal(), WakeSignal()
        replies, pictures, news = WakeSignal(), WakeSignal(), WakeSignal()
        self._outbox = OutboxWorker(
            database=database, client=client, bell=replies, stop=stop, rate=rate
        )
        inbox = InboxWorker(database=database, replies=replies, pictures=pictures, stop=stop)
        media = MediaWorker(database=database, client=client, replies=replies, stop=stop)
        holds = ExpiryWorker(database=database, replies=replies, stop=stop)
        self._events = EventDeliveryWorker(
            database=database, courier=courier, bell=news, public_url=public_url
        )
        relay = EventSequencer(database=database, queued=news)
        leases = EventLeaseSweeper(database=database, bell=news)
        forgetting = EventRetention(database=database, stop=stop)
        self._posts: Sequence[_WorkerSpec] = (
            _WorkerSpec("inbox", inbox.turn, self._messages),
            _WorkerSpec("outbox", self._outbox.turn, replies),
            _WorkerSpec(
                "deliveries",
                DeliveryStatusWorker(database=database, replies=replies).turn,
                self._statuses,
            ),
            _WorkerSpec(
                "sweep",
                OutboxSweeper(database=database, replies=replies).turn,
                WakeSignal(),
                SWEEP_INTERVAL_SECONDS,
            ),
            _WorkerSpec("media", media.turn, pictures),
            _WorkerSpec("expiry", holds.turn, WakeSignal(), expiry.EXPIRY_INTERVAL_SECONDS),
            _WorkerSpec("relay", relay.turn, WakeSignal(), events.SEQUENCING_INTERVAL_SECONDS),
            _WorkerSpec("events", self._events.turn, news),
            _WorkerSpec("event_sweep", leases.turn, WakeSignal(), SWEEP_INTERVAL_SECONDS),
            _WorkerSpec("forgetting", forgetting.turn, WakeSignal(), events.PRUNE_INTERVAL_SECONDS),
        )
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Let everybody begin."""
        for post in self._posts:
            working = loop.run_worker(
                post.turn, name=post.name, bell=post.bell, stop=self._stop, tick=post.tick
            )
            self._tasks.append(asyncio.create_task(working, name=post.name))

    def stored(self, stored: StoredBatch) -> None:
        """Wake those who have something to do with what was just committed."""
        logger.info(
            "webhooks_stored",
            buyers=len(stored.contact_ids),
            statuses=stored.statuses,
            notices=stored.notices,
        )
        self._messages.ring()
        if stored.statuses:
            self._statuses.ring()

    async def finish(self, *, patience: float) -> None:
        """Begin nothing new, and end what was begun within `patience` seconds.

        What is not done by then is cancelled: its leases run out and whoever runs next goes on.
        """
        self._stop.tell()
        for post in self._posts:
            post.bell.ring()
        try:
            async with asyncio.timeout(patience):
                await asyncio.gather(*self._tasks)
                await asyncio.gather(self._outbox.finish(), self._events.finish())
        except TimeoutError:
            logger.warning("stopped_in_the_middle", patience=patience)
            self._outbox.abandon()
            self._events.abandon()
