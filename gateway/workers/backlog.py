"""Worker that raises an alarm while buyers wait for answers."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from gateway.database import Database
from shared.whatsapp.services.inbox import backlog_alarm

BACKLOG_INTERVAL_SECONDS: Final = 30.0
"""Seconds between two checks; the limit is minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BacklogWorker:
    """Worker that watches the oldest unanswered message, of all gateways together."""

    database: Database

    async def turn(self) -> bool:
        """Check once."""
        await self.database.run_unit(backlog_alarm.check_backlog, now=datetime.now(UTC))
        return False
