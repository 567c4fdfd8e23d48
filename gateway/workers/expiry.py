"""Lets holds run out whose time is over, but never ahead of what their buyers already wrote."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.database import Database
from gateway.workers.loop import Bell, Stop
from shared.core import logs
from shared.use_cases import payments
from shared.whatsapp.services.inbox import inbox_queue

TICK: Final = 5.0
"""Seconds between two looks; a deadline has a hidden grace of minutes, so this is soon enough."""
BACKLOG: Final = timedelta(seconds=10)
"""A message that waits longer than this says that a backlog is being drained."""
ORDERS_A_TURN: Final = 100

logger = logs.get(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """The sweeper: the only one who frees the numbers of a hold by itself."""

    database: Database
    replies: Bell
    stop: Stop

    async def turn(self) -> bool:
        """Expire what is due; true if there may be more."""
        now = datetime.now(UTC)
        waiting = await self.database.run(inbox_queue.oldest_unanswered, now=now)
        if waiting is not None and waiting > BACKLOG:
            logger.info("expiry_waits_for_backlog", oldest_seconds=round(waiting.total_seconds()))
            return False
        expired = await self.database.run(payments.expire_due, now=now, limit=ORDERS_A_TURN)
        if expired:
            logger.info("orders_expired", orders=expired)
            self.replies.ring()
        return expired >= ORDERS_A_TURN and not self.stop.told
