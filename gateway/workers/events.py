"""Workers that sequence events, deliver them to their endpoints, and delete old ones.

An event is recorded by `shared.publishing.recorder` in the transaction of its change.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import randbelow
from typing import Final
from uuid import uuid4

import orjson

from gateway import error_logging
from gateway.database import Database
from gateway.webhook_sender import WebhookSender
from gateway.workers import loop
from gateway.workers.loop import StopSignal, WakeSignal
from shared.core import logs
from shared.events import signing
from shared.events.services import deliveries, feed
from shared.events.services.deliveries import (
    MAX_CONCURRENT_PER_ENDPOINT,
    AttemptResult,
    ClaimedDelivery,
)
from shared.publishing import delivery_alarms, event_payloads, recorder

SEQUENCING_INTERVAL_SECONDS: Final = 1.0
"""Seconds until an event of any process is sequenced."""
EVENTS_PER_TURN: Final = 100
"""About 40 ms per transaction, so that sales can run in between."""

DELIVERY_LEASE: Final = timedelta(seconds=60)
"""Longer than any attempt; if a gateway dies, the next sweep queues the delivery again."""
MAX_CONCURRENT_DELIVERIES: Final = 100
"""To all endpoints together; one that does not answer occupies four of them."""
SHUTDOWN_GRACE_SECONDS: Final = 1.0
"""Seconds that deliveries get to finish at shutdown; the rest is queued again."""

EVENT_RETENTION_PERIOD: Final = timedelta(days=90)
"""The time for which events are kept in the feed and the log."""
PRUNE_INTERVAL_SECONDS: Final = 3600.0
EVENTS_PRUNED_PER_RUN: Final = 200
PRUNE_PAUSE_SECONDS: Final = 0.2
"""Seconds between two short transactions, so that others can run in between."""

USER_AGENT: Final = "Raffle-Tickets-Bot"

logger = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSequencer:
    """Worker that sequences committed events and queues their deliveries."""

    database: Database
    queue_signal: WakeSignal

    async def turn(self) -> bool:
        """Sequence new events; return whether there may be more."""
        now = datetime.now(UTC)
        events = await self.database.run_unit(
            recorder.sequence_events, now=now, limit=EVENTS_PER_TURN
        )
        if events:
            self.queue_signal.set()
        return len(events) >= EVENTS_PER_TURN


@dataclass(slots=True, kw_only=True)
class EventDeliveryWorker:
    """Worker that claims due deliveries, sends them outside a transaction, and records the results.

    Attributes:
        public_url: the address of the back office, with which links in events begin.

    """

    database: Database
    sender: WebhookSender
    wake_signal: WakeSignal
    public_url: str
    _in_progress: dict[asyncio.Task[None], ClaimedDelivery] = field(default_factory=dict)
    _full: set[int] = field(default_factory=set)  # endpoints whose lanes are full
    _crowded: bool = False  # whether all lanes together are full

    async def turn(self) -> bool:
        """Claim as many deliveries as the lanes have room for, and start to send them."""
        free = MAX_CONCURRENT_DELIVERIES - len(self._in_progress)
        if free <= 0:
            return False
        busy = Counter(delivery.endpoint_id for delivery in self._in_progress.values())
        claimed = await self.database.run_unit(
            deliveries.claim_deliveries,
            now=datetime.now(UTC),
            lease=uuid4(),
            lease_for=DELIVERY_LEASE,
            limit=free,
            busy=busy,
        )
        taken = busy + Counter(delivery.endpoint_id for delivery in claimed)
        self._full = {
            endpoint_id
            for endpoint_id, number in taken.items()
            if number >= MAX_CONCURRENT_PER_ENDPOINT
        }
        self._crowded = len(claimed) >= free
        for delivery in claimed:
            self._in_progress[asyncio.create_task(self._deliver(delivery))] = delivery
        return False

    async def finish(self, *, grace_seconds: float = SHUTDOWN_GRACE_SECONDS) -> None:
        """Wait at most `grace_seconds` for current deliveries, then queue the rest again."""
        if self._in_progress:
            await asyncio.wait(self._in_progress, timeout=grace_seconds)
        left = dict(self._in_progress)
        self.abandon()
        await asyncio.gather(*left, return_exceptions=True)
        if left:
            logger.info("events_left_to_others", deliveries=len(left))
            now = datetime.now(UTC)
            await self.database.run_unit(
                deliveries.release_deliveries, list(left.values()), now=now
            )

    def abandon(self) -> None:
        """Cancel current deliveries; once their leases run out, they are queued again."""
        for task in self._in_progress:
            task.cancel()

    async def _deliver(self, delivery: ClaimedDelivery) -> None:
        ids = {"event_id": delivery.event.event_id, "endpoint_id": delivery.endpoint_id}
        try:
            answer = await self._send(delivery)
            logger.info("event_sent", http_status=answer.http_status, error=answer.error, **ids)
            await loop.run_with_retries(
                lambda: self._record(delivery, answer), give_up_after=DELIVERY_LEASE
            )
        except Exception as error:  # noqa: BLE001 - the lease runs out and the sweep takes over
            error_logging.log_error(logger, "event_not_recorded", error, **ids)
        finally:
            self._leave_lane(delivery)

    async def _send(self, delivery: ClaimedDelivery) -> AttemptResult:
        now = datetime.now(UTC)
        event = delivery.event
        try:
            payload = event_payloads.build_event_payload(event, public_url=self.public_url, now=now)
            body = orjson.dumps(payload)
            signature = signing.build_signature_headers(
                delivery.secret, event_id=event.event_id, body=body, now=now
            )
        except Exception as error:  # noqa: BLE001 - a bad row must not be retried for ever
            error_logging.log_error(logger, "event_not_written", error, event_id=event.event_id)
            words = "It could not be written or signed; the gateway's log tells why."
            return AttemptResult(http_status=None, latency_ms=0, error=words)
        own = {"Content-Type": "application/json", "User-Agent": USER_AGENT, **signature}
        fixed = dict([delivery.header] if delivery.header else [])
        return await self.sender.send_event(delivery.url, headers={**fixed, **own}, body=body)

    async def _record(self, delivery: ClaimedDelivery, answer: AttemptResult) -> None:
        now = datetime.now(UTC)
        if answer.error:
            await self.database.run_unit(
                delivery_alarms.record_failed_attempt,
                delivery,
                answer=answer,
                now=now,
                jitter=randbelow(1000) / 1000,
            )
        else:
            await self.database.run_unit(
                deliveries.record_success, delivery, answer=answer, now=now
            )

    def _leave_lane(self, delivery: ClaimedDelivery) -> None:
        """Forget a finished delivery, and wake the worker if its lane was full."""
        task = asyncio.current_task()
        if task is not None:
            self._in_progress.pop(task, None)
        if self._crowded or delivery.endpoint_id in self._full:
            self.wake_signal.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLeaseSweeper:
    """Worker that requeues deliveries which a gateway left unfinished when it ended."""

    database: Database
    wake_signal: WakeSignal

    async def turn(self) -> bool:
        """Expire leases that ran out."""
        if await self.database.run_unit(deliveries.expire_leases, datetime.now(UTC)):
            self.wake_signal.set()
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRetention:
    """Worker that deletes events after their retention period."""

    database: Database
    stop: StopSignal

    async def turn(self) -> bool:
        """Delete old events, a few at a time."""
        before = datetime.now(UTC) - EVENT_RETENTION_PERIOD
        while not self.stop.is_set():
            pruned = await self.database.run_unit(
                feed.prune_events, before=before, limit=EVENTS_PRUNED_PER_RUN
            )
            if pruned < EVENTS_PRUNED_PER_RUN:
                break
            await self.stop.wait(at_most=PRUNE_PAUSE_SECONDS)
        return False
