"""Workers that send queued messages: many buyers at once, each one message after the other."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
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
from gateway.workers.mark_writer import MarkWriter
from shared.core import logs
from shared.whatsapp.errors import GraphError, GraphRefused, GraphUnreachable
from shared.whatsapp.services import graph_transport
from shared.whatsapp.services.meta_client import AcceptedMessage, MetaClient
from shared.whatsapp.services.outbox import (
    delivery_statuses,
    message_claims,
    outbox_queue,
    send_results,
)
from shared.whatsapp.services.outbox.message_claims import RESERVED_FOR, ClaimedMessage

SEND_LEASE: Final = timedelta(minutes=2)
"""Longer than any send takes; if the process dies, the sweep takes the message over."""
MAX_CONCURRENT_SENDS: Final = graph_transport.MAX_CONNECTIONS
PAIR_PACE: Final = Pace(interval=6.0, burst=20, gap=0.2)
"""Rate limit for one buyer. Meta allows one message in 6 s and bursts of up to 45, which count
against later messages. A burst of 20 leaves room for a second gateway, and no conversation needs
more. Meta does not promise to keep the order of messages. The gap, and sending only after the
previous message is recorded, make them arrive in order. Source: "Pair rate limits", "About the
platform".
"""
STATUSES_PER_TURN: Final = 500

logger = logs.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class OutboxWorker:
    """Worker that sends messages and records the results.

    Messages come from two sides. The transaction that answers a buyer claims its replies, and
    `take` gets them when it has committed. Everything else is claimed in `turn`: whatever other
    processes queue, what waited behind another message, and what is tried again.

    A turn does not follow each send. It follows the pause after a send to a buyer who had more in
    the queue, and it follows when a slot is free that a turn would have used.

    Attributes:
        rate: messages per second that this process may send from each business number.

    """

    database: Database
    client: MetaClient
    wake_signal: WakeSignal
    stop: StopSignal
    rate: float
    _sends: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    _paused: set[int] = field(default_factory=set)
    _next_messages: dict[int, deque[ClaimedMessage]] = field(default_factory=dict)
    _have_more: set[int] = field(default_factory=set)
    _releases: set[asyncio.Task[None]] = field(default_factory=set)
    _wants_slot: bool = False
    _marks: MarkWriter = field(init=False)
    _number_throttle: Throttle = field(init=False)
    _buyer_throttle: Throttle = field(init=False)

    def __post_init__(self) -> None:
        """Create the rate limits and the writer of marks."""
        self._marks = MarkWriter(self.database, lease_for=SEND_LEASE)
        self._number_throttle = Throttle(Pace(interval=1 / self.rate))
        self._buyer_throttle = Throttle(PAIR_PACE)

    @property
    def slots(self) -> int:
        """Messages that may be in progress: those of one second, so that no lease expires."""
        return max(1, min(MAX_CONCURRENT_SENDS, int(self.rate)))

    @property
    def lease_for(self) -> timedelta:
        """The time for which claimed messages are reserved for this process."""
        return RESERVED_FOR + timedelta(seconds=1 / self.rate)

    async def turn(self) -> bool:
        """Claim messages for all free slots; return whether there may be more."""
        free = self.slots - len(self._sends)
        if free <= 0:
            self._wants_slot = True
            return False  # the first send to end sets the signal
        claimed = await self.database.run_unit(
            message_claims.claim_messages,
            now=datetime.now(UTC),
            lease=uuid4(),
            lease_for=self.lease_for,
            limit=free,
            skip_contacts=[*self._sends, *self._paused],
        )
        self.take(claimed.messages)
        busy = {*self._sends, *self._paused}
        self._have_more |= claimed.contacts_with_more & busy
        if claimed.contacts_with_more - busy:  # a pause ended meanwhile
            self.wake_signal.set()
        return len(claimed.messages) == free

    def take(self, messages: Sequence[ClaimedMessage]) -> None:
        """Send claimed messages; those without a free slot return to the queue.

        Messages to a buyer leave in the given order.
        """
        left: list[ClaimedMessage] = []
        for message in messages:
            contact_id = message.contact_id
            if self.stop.is_set():
                left.append(message)
            elif contact_id in self._sends or contact_id in self._paused:
                self._next_messages.setdefault(contact_id, deque()).append(message)
            elif len(self._sends) < self.slots:
                self._sends[contact_id] = asyncio.create_task(self._deliver(message))
            else:
                left.append(message)
        if left:
            self._wants_slot = True
            self._release(left)

    async def finish(self) -> None:
        """Wait until every current message is sent and recorded; give back what has to wait."""
        self._release([each for waiting in self._next_messages.values() for each in waiting])
        self._next_messages.clear()
        while running := [*self._sends.values(), *self._releases]:
            await asyncio.wait(running)

    def abandon(self) -> None:
        """Cancel the current sends; once their leases expire, the sweep takes over."""
        for task in self._sends.values():
            task.cancel()

    async def _deliver(self, message: ClaimedMessage) -> None:
        clock = asyncio.get_running_loop().time
        is_sent = False
        try:
            await asyncio.sleep(
                self._number_throttle.book_slot(message.phone_number_id, now=clock())
            )
            if await self._marks.start_send(message):
                is_sent = await self._send(message)
            else:
                self._release([message])  # if it is still reserved for this process
        except Exception as error:  # noqa: BLE001 - the lease runs out and the sweep takes over
            ids = {"correlation_id": message.correlation_id, "outbound_id": message.id}
            error_logging.log_error(logger, "send_not_recorded", error, **ids)
        finally:
            self._start_pause(message.contact_id, is_sent=is_sent)

    async def _send(self, message: ClaimedMessage) -> bool:
        """Send a message and record the result; return whether Meta accepted it."""
        try:
            accepted = await self.client.send_message(message.phone_number_id, message.body)
        except GraphError as error:
            with bound_contextvars(correlation_id=message.correlation_id, outbound_id=message.id):
                await self._record_failure(message, error)
            return False
        _log_sent(message, accepted)
        await self._marks.record_sent(message, wa_message_id=accepted.wa_message_id)
        return True

    async def _record_failure(self, message: ClaimedMessage, error: GraphError) -> None:
        """Record why a message was not sent; wait for the database until the lease expires."""
        jitter = randbelow(1000) / 1000
        record: Callable[..., Any]
        if isinstance(error, GraphRefused):
            judgement = error.judgement
            logger.warning("send_refused", code=error.code, reaction=judgement.reaction.value)
            record = partial(
                send_results.record_failure,
                judgement=judgement,
                code=error.code,
                words=error.details,
                jitter=jitter,
            )
        elif isinstance(error, GraphUnreachable):
            logger.warning("graph_not_reached")
            record = partial(send_results.record_not_reached, jitter=jitter)
        else:
            logger.warning("send_uncertain")
            record = send_results.record_unknown
        await loop.run_with_retries(
            lambda: self.database.run_unit(record, message, now=datetime.now(UTC)),
            give_up_after=SEND_LEASE,
        )

    def _start_pause(self, contact_id: int, *, is_sent: bool) -> None:
        """Send a buyer nothing until their rate limit allows the next message."""
        event_loop = asyncio.get_running_loop()
        del self._sends[contact_id]
        if not is_sent:  # the message is tried again, before those behind it
            self._release(self._next_messages.pop(contact_id, ()))
            self._have_more.add(contact_id)
        self._buyer_throttle.book_slot(str(contact_id), now=event_loop.time())
        self._paused.add(contact_id)
        event_loop.call_later(
            self._buyer_throttle.compute_wait(str(contact_id), now=event_loop.time()),
            self._end_pause,
            contact_id,
        )
        if self._wants_slot:
            self._wants_slot = False
            self.wake_signal.set()

    def _end_pause(self, contact_id: int) -> None:
        self._paused.discard(contact_id)
        if waiting := self._next_messages.pop(contact_id, None):
            self.take(waiting)
        elif contact_id in self._have_more:
            self._have_more.discard(contact_id)
            self.wake_signal.set()

    def _release(self, messages: Iterable[ClaimedMessage]) -> None:
        """Return messages to the queue in the background; if that fails, their leases run out."""
        if given_back := list(messages):
            task = asyncio.create_task(self._release_and_log(given_back))
            self._releases.add(task)
            task.add_done_callback(self._releases.discard)

    async def _release_and_log(self, messages: Sequence[ClaimedMessage]) -> None:
        try:
            await self._marks.release(messages)
        except Exception as error:  # noqa: BLE001 - nothing is lost, it only takes longer
            error_logging.log_error(logger, "messages_not_released", error)


def _log_sent(message: ClaimedMessage, accepted: AcceptedMessage) -> None:
    # The ids are given to each line: binding them to the context of the task takes longer.
    ids = {"correlation_id": message.correlation_id, "outbound_id": message.id}
    logger.info("sent", wa_message_id=accepted.wa_message_id, **ids)
    addressee = "+" + accepted.wa_id
    if accepted.wa_id and message.body.get("to", addressee) != addressee:
        # In Brazil and Mexico it may not be the number from which the buyer writes.
        logger.info("addressee_rewritten_by_meta", **ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStatusWorker:
    """Worker that applies the delivery statuses that Meta reports."""

    database: Database

    async def turn(self) -> bool:
        """Apply status webhooks; return whether there may be more."""
        applied = await self.database.run_unit(
            delivery_statuses.apply_statuses, now=datetime.now(UTC), limit=STATUSES_PER_TURN
        )
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
