"""Workers that send queued messages: many buyers at once, each one message after the other."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from secrets import randbelow
from typing import Any, Final
from uuid import uuid4

from structlog.contextvars import bound_contextvars

from gateway import error_logging
from gateway.database import Database
from gateway.throttle import Pace, Throttle
from gateway.workers import loop
from gateway.workers.loop import StopSignal, WakeSignal
from shared.core import logs
from shared.whatsapp.errors import GraphRefused, GraphUncertain, GraphUnreachable
from shared.whatsapp.services import meta_client
from shared.whatsapp.services.meta_client import MetaClient
from shared.whatsapp.services.outbox import (
    delivery_statuses,
    message_claims,
    outbox_queue,
    send_results,
)
from shared.whatsapp.services.outbox.message_claims import ClaimedMessage

SEND_LEASE: Final = timedelta(minutes=2)
"""Longer than any send takes; if the process dies, the sweep takes the message over."""
MAX_CONCURRENT_SENDS: Final = meta_client.MAX_CONNECTIONS
PAIR_PACE: Final = Pace(interval=6.0, burst=20, gap=0.2)
"""Rate limit for one buyer. Meta allows one message in 6 s and bursts of up to 45, which count
against later messages. A burst of 20 leaves room for a second gateway, and no conversation needs
more. Meta does not promise to keep the order of messages. The gap, and sending only after the
previous message is recorded, make them arrive in order. Source: "Pair rate limits", "About the
platform".
"""
STATUSES_PER_TURN: Final = 500

logger = logs.get_logger(__name__)

type RecordSend = Callable[..., Any]


@dataclass(slots=True, kw_only=True)
class OutboxWorker:
    """Worker that claims the first message of each queue, sends it and records the result.

    Attributes:
        rate: messages per second that this process may send from each business number.

    """

    database: Database
    client: MetaClient
    wake_signal: WakeSignal
    stop: StopSignal
    rate: float
    _sending: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    _paused: set[int] = field(default_factory=set)
    _number_throttle: Throttle = field(init=False)
    _buyer_throttle: Throttle = field(init=False)

    def __post_init__(self) -> None:
        """Create the rate limits."""
        self._number_throttle = Throttle(Pace(interval=1 / self.rate))
        self._buyer_throttle = Throttle(PAIR_PACE)

    @property
    def slots(self) -> int:
        """Messages that may be in progress: those of one second, so that no lease expires."""
        return max(1, min(MAX_CONCURRENT_SENDS, int(self.rate)))

    async def turn(self) -> bool:
        """Claim messages for all free slots; return whether there may be more."""
        free = self.slots - len(self._sending)
        if free <= 0:
            return False  # the first send to end sets the signal
        claimed = await self.database.run_unit(
            message_claims.claim_messages,
            now=datetime.now(UTC),
            lease=uuid4(),
            lease_for=SEND_LEASE + timedelta(seconds=1 / self.rate),
            limit=free,
            skip_contacts=[*self._sending, *self._paused],
        )
        for message in claimed:
            self._sending[message.contact_id] = asyncio.create_task(self._deliver(message))
        return len(claimed) == free

    async def finish(self) -> None:
        """Wait until every current message is sent and recorded."""
        while self._sending:
            await asyncio.wait(self._sending.values())

    def abandon(self) -> None:
        """Cancel the current sends; once their leases expire, the sweep takes over."""
        for task in self._sending.values():
            task.cancel()

    async def _deliver(self, message: ClaimedMessage) -> None:
        clock = asyncio.get_running_loop().time
        with bound_contextvars(correlation_id=message.correlation_id, outbound_id=message.id):
            try:
                await asyncio.sleep(
                    self._number_throttle.book_slot(message.phone_number_id, now=clock())
                )
                await self._record(message, await self._send(message))
            except Exception as error:  # noqa: BLE001 - the lease runs out and the sweep takes over
                error_logging.log_error(logger, "send_not_recorded", error)
            finally:
                self._start_pause(message.contact_id)

    async def _send(self, message: ClaimedMessage) -> RecordSend:
        """Send a message and return the function that records the result."""
        jitter = randbelow(1000) / 1000
        try:
            accepted = await self.client.send_message(message.phone_number_id, message.body)
        except GraphRefused as refused:
            judgement = refused.judgement
            logger.warning("send_refused", code=refused.code, reaction=judgement.reaction.value)
            return partial(
                send_results.record_failure,
                judgement=judgement,
                code=refused.code,
                words=refused.details,
                jitter=jitter,
            )
        except GraphUnreachable:
            logger.warning("graph_not_reached")
            return partial(send_results.record_not_reached, jitter=jitter)
        except GraphUncertain:
            logger.warning("send_uncertain")
            return send_results.record_unknown
        logger.info("sent", wa_message_id=accepted.wa_message_id)
        return partial(
            send_results.record_sent, wa_message_id=accepted.wa_message_id, wa_id=accepted.wa_id
        )

    async def _record(self, message: ClaimedMessage, record: RecordSend) -> None:
        """Record the result of a send; wait for the database until the lease expires."""
        await loop.run_with_retries(
            lambda: self.database.run_unit(record, message, now=datetime.now(UTC)),
            give_up_after=SEND_LEASE,
        )

    def _start_pause(self, contact_id: int) -> None:
        """Send a buyer nothing until their rate limit allows the next message."""
        event_loop = asyncio.get_running_loop()
        was_full = len(self._sending) >= self.slots
        del self._sending[contact_id]
        self._buyer_throttle.book_slot(str(contact_id), now=event_loop.time())
        self._paused.add(contact_id)
        event_loop.call_later(
            self._buyer_throttle.compute_wait(str(contact_id), now=event_loop.time()),
            self._end_pause,
            contact_id,
        )
        if was_full:
            self.wake_signal.set()

    def _end_pause(self, contact_id: int) -> None:
        self._paused.discard(contact_id)
        self.wake_signal.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStatusWorker:
    """Worker that applies the delivery statuses that Meta reports."""

    database: Database
    outbox_signal: WakeSignal

    async def turn(self) -> bool:
        """Apply status webhooks; return whether there may be more."""
        applied = await self.database.run_unit(
            delivery_statuses.apply_statuses, now=datetime.now(UTC), limit=STATUSES_PER_TURN
        )
        if applied:
            self.outbox_signal.set()  # messages behind a send of unknown result may go now
        return applied >= STATUSES_PER_TURN


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxSweeper:
    """Worker that settles sends whose lease expired and sends whose result is unknown."""

    database: Database
    outbox_signal: WakeSignal

    async def turn(self) -> bool:
        """Settle every abandoned send once."""
        if await self.database.run_unit(outbox_queue.settle_abandoned_sends, now=datetime.now(UTC)):
            self.outbox_signal.set()
        return False
