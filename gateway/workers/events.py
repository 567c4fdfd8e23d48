"""Tells other systems: numbers events, brings them to their endpoints, forgets old ones."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from secrets import randbelow
from typing import Any, Final
from uuid import uuid4

import orjson

from gateway import error_logging
from gateway.database import Database
from gateway.webhook_sender import WebhookSender
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
"""Seconds until what happened, in any process, is on its way."""
EVENTS_PER_TURN: Final = 100
"""A transaction of some 40 ms; sales go in between."""

DELIVERY_LEASE: Final = timedelta(seconds=60)
"""Longer than any try takes; whoever dies meanwhile leaves it to the next sweep."""
MAX_CONCURRENT_DELIVERIES: Final = 100
"""To all endpoints together; a dead one holds four of them."""
RECORD_RETRY_SECONDS: Final = 1.0
"""Seconds between tries to record while the database is away."""
SHUTDOWN_GRACE_SECONDS: Final = 1.0
"""Seconds that what is under way gets at the end; then it is left to whoever runs next."""

EVENT_RETENTION_PERIOD: Final = timedelta(days=90)
"""How long events are kept, for the feed and the log."""
PRUNE_INTERVAL_SECONDS: Final = 3600.0
EVENTS_PRUNED_PER_RUN: Final = 200
PRUNE_PAUSE_SECONDS: Final = 0.2
"""Seconds between two short transactions, so that others get their turn."""

USER_AGENT: Final = "Raffle-Tickets-Bot"

logger = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSequencer:
    """Gives events that are committed their places in the feed, and queues them."""

    database: Database
    queued: WakeSignal

    async def turn(self) -> bool:
        """Number what is new; true if there may be more."""
        now = datetime.now(UTC)
        events = await self.database.run(recorder.sequence_events, now=now, limit=EVENTS_PER_TURN)
        if events:
            self.queued.ring()
        return len(events) >= EVENTS_PER_TURN


@dataclass(slots=True, kw_only=True)
class EventDeliveryWorker:
    """Claims what is due, brings it without a transaction open, records what came of it.

    Attributes:
        public_url: where the back office is reached; links in events begin with it.

    """

    database: Database
    courier: WebhookSender
    bell: WakeSignal
    public_url: str
    _under_way: dict[asyncio.Task[None], ClaimedDelivery] = field(default_factory=dict)
    _full: set[int] = field(default_factory=set)  # lanes that had no more room
    _crowded: bool = False  # nor had all of them together

    async def turn(self) -> bool:
        """Claim as many as the lanes have room for; whoever leaves a full one rings the bell."""
        free = MAX_CONCURRENT_DELIVERIES - len(self._under_way)
        if free <= 0:
            return False
        busy = Counter(delivery.endpoint_id for delivery in self._under_way.values())
        claimed = await self.database.run(
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
            self._under_way[asyncio.create_task(self._deliver(delivery))] = delivery
        return False

    async def finish(self, *, moments: float = SHUTDOWN_GRACE_SECONDS) -> None:
        """Give what is under way so many seconds, then give the rest back."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=moments)
        left = dict(self._under_way)
        self.abandon()
        await asyncio.gather(*left, return_exceptions=True)
        if left:
            logger.info("events_left_to_others", deliveries=len(left))
            now = datetime.now(UTC)
            await self.database.run(deliveries.release_deliveries, list(left.values()), now=now)

    def abandon(self) -> None:
        """Give up what is still under way; its leases run out and whoever runs next goes on."""
        for task in self._under_way:
            task.cancel()

    async def _deliver(self, delivery: ClaimedDelivery) -> None:
        ids = {"event_id": delivery.event.event_id, "endpoint_id": delivery.endpoint_id}
        try:
            answer = await self._brought(delivery)
            logger.info("event_sent", http_status=answer.http_status, error=answer.error, **ids)
            await self._record(delivery, answer)
        except Exception as error:  # noqa: BLE001 - the lease runs out and the sweep takes over
            error_logging.log_error(logger, "event_not_recorded", error, **ids)
        finally:
            self._done(delivery)

    async def _brought(self, delivery: ClaimedDelivery) -> AttemptResult:
        now = datetime.now(UTC)
        event = delivery.event
        try:
            told = event_payloads.build_event_payload(event, public_url=self.public_url, now=now)
            body = orjson.dumps(told)
            seal = signing.build_signature_headers(
                delivery.secret, event_id=event.event_id, body=body, now=now
            )
        except Exception as error:  # noqa: BLE001 - one bad row must not be tried in a circle
            error_logging.log_error(logger, "event_not_written", error, event_id=event.event_id)
            words = "It could not be written or signed; the gateway's log tells why."
            return AttemptResult(http_status=None, latency_ms=0, error=words)
        own = {"Content-Type": "application/json", "User-Agent": USER_AGENT, **seal}
        fixed = dict([delivery.header] if delivery.header else [])
        return await self.courier.bring(delivery.url, headers={**fixed, **own}, body=body)

    async def _record(self, delivery: ClaimedDelivery, answer: AttemptResult) -> None:
        """Record what came of a try; a database that is away is waited for."""
        record: Callable[..., Any] = deliveries.record_success
        if answer.error:
            record = partial(delivery_alarms.record_failed_attempt, jitter=randbelow(1000) / 1000)
        clock = asyncio.get_running_loop().time
        give_up = clock() + DELIVERY_LEASE.total_seconds()
        while True:
            try:
                await self.database.run(record, delivery, answer=answer, now=datetime.now(UTC))
            except Exception as error:
                if not error_logging.is_database_away(error) or clock() >= give_up:
                    raise
                await asyncio.sleep(RECORD_RETRY_SECONDS)
            else:
                return

    def _done(self, delivery: ClaimedDelivery) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._under_way.pop(task, None)
        if self._crowded or delivery.endpoint_id in self._full:
            self.bell.ring()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLeaseSweeper:
    """Takes over what a gateway that ended left in the middle."""

    database: Database
    bell: WakeSignal

    async def turn(self) -> bool:
        """Look once at every lease."""
        if await self.database.run(deliveries.expire_leases, datetime.now(UTC)):
            self.bell.ring()
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRetention:
    """Deletes events that are older than anybody looks for them."""

    database: Database
    stop: StopSignal

    async def turn(self) -> bool:
        """Delete the old ones, a few at a time."""
        before = datetime.now(UTC) - EVENT_RETENTION_PERIOD
        while not self.stop.told:
            pruned = await self.database.run(
                feed.prune_events, before=before, limit=EVENTS_PRUNED_PER_RUN
            )
            if pruned < EVENTS_PRUNED_PER_RUN:
                break
            await self.stop.wait(at_most=PRUNE_PAUSE_SECONDS)
        return False
