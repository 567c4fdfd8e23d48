"""Worker that raises an alarm when no webhook arrives any more, unless that is switched off."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.database import Database
from shared.use_cases import webhook_silence

SILENCE_INTERVAL_SECONDS: Final = 60.0
"""Seconds between two checks; the limit is hours, and an alarm ends within this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSilenceWorker:
    """Worker that watches the time since the last webhook of each business number."""

    database: Database
    limit: timedelta

    async def turn(self) -> bool:
        """Check every business number once."""
        await self.database.run_unit(
            webhook_silence.check_webhook_silence, limit=self.limit, now=datetime.now(UTC)
        )
        return False
