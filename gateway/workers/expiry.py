"""Worker that expires orders after their deadline, but not before older messages are answered."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.database import Database
from gateway.workers.loop import StopSignal, WakeSignal
from shared.core import logs
from shared.use_cases import order_endings
from shared.whatsapp.services.inbox import inbox_queue

EXPIRY_INTERVAL_SECONDS: Final = 5.0
"""Seconds between two turns; deadlines have a hidden grace of minutes, so this is enough."""
MAX_BACKLOG_AGE: Final = timedelta(seconds=10)
"""An older unanswered message means that there is a backlog."""
ORDERS_PER_TURN: Final = 100

logger = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryWorker:
    """Worker that frees the ticket numbers of orders whose hold is over."""

    database: Database
    outbox_signal: WakeSignal
    stop: StopSignal

    async def turn(self) -> bool:
        """Expire due orders; return whether there may be more."""
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
