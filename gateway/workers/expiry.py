"""Lets holds run out whose time is over, but never ahead of what their buyers already wrote."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.database import Database
from gateway.workers.loop import StopSignal, WakeSignal
from shared.core import logs
from shared.use_cases import order_endings
from shared.whatsapp.services.inbox import inbox_queue

EXPIRY_INTERVAL_SECONDS: Final = 5.0
"""Seconds between two looks; a deadline has a hidden grace of minutes, so this is soon enough."""
MAX_BACKLOG_AGE: Final = timedelta(seconds=10)
"""A message that waits longer than this says that a backlog is being drained."""
ORDERS_PER_TURN: Final = 100

logger = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryWorker:
    """The sweeper: the only one who frees the numbers of a hold by itself."""

    database: Database
    outbox_signal: WakeSignal
    stop: StopSignal

    async def turn(self) -> bool:
        """Expire what is due; true if there may be more."""
        now = datetime.now(UTC)
        waiting = await self.database.run_unit(inbox_queue.get_oldest_unanswered_age, now=now)
        if waiting is not None and waiting > MAX_BACKLOG_AGE:
            logger.info("expiry_waits_for_backlog", oldest_seconds=round(waiting.total_seconds()))
            return False
        expired = await self.database.run_unit(
            order_endings.expire_due_orders, now=now, limit=ORDERS_PER_TURN
        )
        if expired:
            logger.info("orders_expired", orders=expired)
            self.outbox_signal.set()
        return expired >= ORDERS_PER_TURN and not self.stop.is_set()
