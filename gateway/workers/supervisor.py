"""All workers of a gateway, the bells between them, and how they end together."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.database import Database
from gateway.webhook_sender import Courier
from gateway.workers import events, expiry, loop
from gateway.workers.events import EventDeliveries, EventSweep, Forgetting, Relay
from gateway.workers.expiry import Expiry
from gateway.workers.inbox import Inbox
from gateway.workers.loop import Bell, Stop, Turn
from gateway.workers.media import Media
from gateway.workers.outbox import Deliveries, Outbox, Sweep
from shared.core import logs
from shared.whatsapp.services.inbox.webhook_store import Stored
from shared.whatsapp.services.meta_client import MetaClient

SWEEP_TICK: Final = 5.0
"""Seconds; leases and unknown sends are a matter of minutes."""

logger = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class _Post:
    name: str
    turn: Turn
    bell: Bell
    tick: float = loop.TICK


class Crew:
    """Made once a process; `start` it, tell it what was `stored`, `finish` it."""

    def __init__(
        self,
        *,
        database: Database,
        client: MetaClient,
        courier: Courier,
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
        self._stop = stop = Stop()
        self._messages, self._statuses = Bell(), Bell()
        replies, pictures, news = Bell(), Bell(), Bell()
        self._outbox = Outbox(database=database, client=client, bell=replies, stop=stop, rate=rate)
        inbox = Inbox(database=database, replies=replies, pictures=pictures, stop=stop)
        media = Media(database=database, client=client, replies=replies, stop=stop)
        holds = Expiry(database=database, replies=replies, stop=stop)
        self._events = EventDeliveries(
            database=database, courier=courier, bell=news, public_url=public_url
        )
        relay = Relay(database=database, queued=news)
        leases = EventSweep(database=database, bell=news)
        forgetting = Forgetting(database=database, stop=stop)
        self._posts: Sequence[_Post] = (
            _Post("inbox", inbox.turn, self._messages),
            _Post("outbox", self._outbox.turn, replies),
            _Post(
                "deliveries", Deliveries(database=database, replies=replies).turn, self._statuses
            ),
            _Post("sweep", Sweep(database=database, replies=replies).turn, Bell(), SWEEP_TICK),
            _Post("media", media.turn, pictures),
            _Post("expiry", holds.turn, Bell(), expiry.TICK),
            _Post("relay", relay.turn, Bell(), events.RELAY_TICK),
            _Post("events", self._events.turn, news),
            _Post("event_sweep", leases.turn, Bell(), SWEEP_TICK),
            _Post("forgetting", forgetting.turn, Bell(), events.PRUNE_TICK),
        )
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Let everybody begin."""
        for post in self._posts:
            working = loop.work(
                post.turn, name=post.name, bell=post.bell, stop=self._stop, tick=post.tick
            )
            self._tasks.append(asyncio.create_task(working, name=post.name))

    def stored(self, stored: Stored) -> None:
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
