"""All workers of a gateway, the signals between them, and their start and stop."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from gateway.database import Database
from gateway.webhook_sender import WebhookSender
from gateway.workers import events, expiry, loop
from gateway.workers.backlog import BACKLOG_INTERVAL_SECONDS, BacklogWorker
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
from gateway.workers.silence import SILENCE_INTERVAL_SECONDS, WebhookSilenceWorker
from gateway.workers.staff_mail import MAIL_INTERVAL_SECONDS, StaffMailWorker
from gateway.workers.webhooks import WebhookReader
from shared.core import logs
from shared.staff_mail.situation import MailRules
from shared.whatsapp.services.inbox import received_webhooks
from shared.whatsapp.services.inbox.received_webhooks import SignedBody
from shared.whatsapp.services.inbox.webhook_store import StoredBatch
from shared.whatsapp.services.meta_client import MetaClient

SWEEP_INTERVAL_SECONDS: Final = 5.0
"""Seconds between two sweeps; leases last minutes."""

STATUS_READING_SECONDS: Final = 0.1
"""Seconds until a webhook without messages is read: Meta sends two or three for each message."""
STATUS_APPLYING_SECONDS: Final = 0.2
"""Seconds from then until its statuses are applied, with those that follow."""

logger = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _WorkerSpec:
    name: str
    turn: Turn
    wake_signal: WakeSignal
    interval: float = loop.POLL_INTERVAL_SECONDS


class Supervisor:
    """Starts, wakes and stops the workers of a process."""

    def __init__(
        self,
        *,
        database: Database,
        client: MetaClient,
        sender: WebhookSender,
        rate: float,
        public_url: str,
        brand: str,
        mail_rules: MailRules | None,
        silence_limit: timedelta | None,
    ) -> None:
        """Create the workers; they run from `start` on.

        Args:
            database: runs the units of work of all workers.
            client: the client for Meta's API.
            sender: delivers events to other systems.
            rate: messages per second that this process may send from each business number.
            public_url: address of the back office, for links in events and e-mails.
            brand: the seller's name, for e-mails.
            mail_rules: when staff are told by e-mail; None if there is no mail server.
            silence_limit: time without a webhook that raises an alarm; None: none is raised.

        """
        self._stop = stop = StopSignal()
        self._received, self._messages, self._statuses = WakeSignal(), WakeSignal(), WakeSignal()
        outbox_signal, media_signal, event_signal = WakeSignal(), WakeSignal(), WakeSignal()
        self._outbox = OutboxWorker(
            database=database, client=client, wake_signal=outbox_signal, stop=stop, rate=rate
        )
        self._inbox = inbox = InboxWorker(
            database=database, outbox=self._outbox, media_signal=media_signal, stop=stop
        )
        media = MediaWorker(
            database=database, client=client, outbox_signal=outbox_signal, stop=stop
        )
        expiring = ExpiryWorker(database=database, outbox_signal=outbox_signal, stop=stop)
        self._events = EventDeliveryWorker(
            database=database, sender=sender, wake_signal=event_signal, public_url=public_url
        )
        sequencer = EventSequencer(database=database, queue_signal=event_signal)
        event_sweeper = EventLeaseSweeper(database=database, wake_signal=event_signal)
        retention = EventRetention(database=database, stop=stop)
        reader = WebhookReader(database=database, stored=self._wake_for_items)
        workers = [
            _WorkerSpec("webhooks", reader.turn, self._received),
            _WorkerSpec("inbox", inbox.turn, self._messages),
            _WorkerSpec("outbox", self._outbox.turn, outbox_signal),
            _WorkerSpec(
                "deliveries",
                DeliveryStatusWorker(database=database).turn,
                self._statuses,
            ),
            _WorkerSpec(
                "sweep",
                OutboxSweeper(database=database, outbox_signal=outbox_signal).turn,
                WakeSignal(),
                SWEEP_INTERVAL_SECONDS,
            ),
            _WorkerSpec(
                "backlog",
                BacklogWorker(database=database).turn,
                WakeSignal(),
                BACKLOG_INTERVAL_SECONDS,
            ),
            _WorkerSpec("media", media.turn, media_signal),
            _WorkerSpec("expiry", expiring.turn, WakeSignal(), expiry.EXPIRY_INTERVAL_SECONDS),
            _WorkerSpec("relay", sequencer.turn, WakeSignal(), events.SEQUENCING_INTERVAL_SECONDS),
            _WorkerSpec("events", self._events.turn, event_signal),
            _WorkerSpec("event_sweep", event_sweeper.turn, WakeSignal(), SWEEP_INTERVAL_SECONDS),
            _WorkerSpec("forgetting", retention.turn, WakeSignal(), events.PRUNE_INTERVAL_SECONDS),
        ]
        if mail_rules is not None:
            mail = StaffMailWorker(
                database=database, rules=mail_rules, brand=brand, public_url=public_url, stop=stop
            )
            workers.append(
                _WorkerSpec("staff_mail", mail.turn, WakeSignal(), MAIL_INTERVAL_SECONDS)
            )
        if silence_limit is not None:
            silence = WebhookSilenceWorker(database=database, limit=silence_limit)
            workers.append(
                _WorkerSpec("silence", silence.turn, WakeSignal(), SILENCE_INTERVAL_SECONDS)
            )
        self._workers: Sequence[_WorkerSpec] = workers
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start a task for each worker."""
        for worker in self._workers:
            running = loop.run_worker(
                worker.turn,
                name=worker.name,
                wake_signal=worker.wake_signal,
                stop=self._stop,
                interval=worker.interval,
            )
            self._tasks.append(asyncio.create_task(running, name=worker.name))

    def wake_reader(self, webhooks: Sequence[SignedBody]) -> None:
        """Wake the worker that reads the webhooks just committed; delivery statuses can wait."""
        if any(received_webhooks.may_hold_messages(each.body) for each in webhooks):
            self._received.set()
        else:
            self._received.set_within(STATUS_READING_SECONDS)

    def _wake_for_items(self, stored: StoredBatch) -> None:
        """Wake the workers that handle what was just read."""
        logger.debug(
            "webhooks_stored",
            buyers=len(stored.contact_ids),
            statuses=stored.statuses,
            notices=stored.notices,
        )
        if stored.contact_ids:
            self._inbox.expect(stored.contact_ids)
            self._messages.set()
        if stored.statuses:
            self._statuses.set_within(STATUS_APPLYING_SECONDS)

    async def stop(self, *, timeout_seconds: float) -> None:
        """Start nothing new, and finish current work within `timeout_seconds`.

        The rest is cancelled: its leases expire, and the next process continues from there.
        """
        self._stop.set()
        for worker in self._workers:
            worker.wake_signal.set()
        try:
            async with asyncio.timeout(timeout_seconds):
                await asyncio.gather(*self._tasks)
                await asyncio.gather(self._outbox.finish(), self._events.finish())
        except TimeoutError:
            logger.warning("stopped_in_the_middle", patience=timeout_seconds)
            self._outbox.abandon()
            self._events.abandon()
