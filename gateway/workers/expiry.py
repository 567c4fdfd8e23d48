"""Worker that changes orders by the clock, but not before older messages are answered.

It expires orders after their deadline, and lets orders follow a raffle whose draw was moved or that
was called off.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.database import Database
from gateway.workers.loop import StopSignal, WakeSignal
from shared.core import logs
from shared.use_cases import order_endings, raffle_changes
from shared.whatsapp.services.inbox import inbox_queue

EXPIRY_INTERVAL_SECONDS: Final = 5.0
"""Seconds between two turns; deadlines have a hidden grace of minutes, so this is enough."""
MAX_BACKLOG_AGE: Final = timedelta(seconds=10)
"""An older unanswered message means that there is a backlog."""
ORDERS_PER_TURN: Final = 100

logger = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryWorker:
    """Worker that expires orders and lets them follow their raffle."""

    database: Database
    outbox_signal: WakeSignal
    stop: StopSignal

    async def turn(self) -> bool:
        """Change the orders that are due; return whether there may be more."""
        now = datetime.now(UTC)
        waiting = await self.database.run_unit(inbox_queue.get_oldest_unanswered_age, now=now)
        if waiting is not None and waiting > MAX_BACKLOG_AGE:
            logger.info("expiry_waits_for_backlog", oldest_seconds=round(waiting.total_seconds()))
            return False
        expired = await self.database.run_unit(
            order_endings.expire_due_orders, now=now, limit=ORDERS_PER_TURN
        )
        followed = await self.database.run_unit(
            raffle_changes.continue_raffle_changes, now=now, limit=ORDERS_PER_TURN
        )
        if expired:
            logger.info("orders_expired", orders=expired)
        if followed:
            logger.info("orders_followed_their_raffle", orders=followed)
        if expired or followed:
            self.outbox_signal.set()
        more = max(expired, followed) >= ORDERS_PER_TURN
        return more and not self.stop.is_set()
