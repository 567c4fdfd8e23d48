"""Worker that sends e-mails to staff, if a mail server is configured."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import randbelow
from typing import Final

from gateway.database import Database
from gateway.workers import loop
from gateway.workers.loop import StopSignal
from shared.core import logs
from shared.staff_mail import deliveries, digest, smtp
from shared.staff_mail.deliveries import DueMail
from shared.staff_mail.situation import MailRules

MAIL_INTERVAL_SECONDS: Final = 30.0
"""Seconds between two looks at what waits: three small queries."""
GIVE_UP_RECORDING_AFTER: Final = timedelta(minutes=5)
"""Shorter than the claim: after that another process may send the e-mail."""

logger = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMailWorker:
    """Worker that tells each member of staff in one e-mail what waits for them.

    The mail server is spoken to in a thread of its own, while no lane of the database is taken.
    """

    database: Database
    rules: MailRules
    brand: str
    public_url: str
    stop: StopSignal

    async def turn(self) -> bool:
        """Send the e-mails that are due, one after the other."""
        due = await self.database.run_unit(
            deliveries.list_due_mails, rules=self.rules, now=datetime.now(UTC)
        )
        for mail in due:
            if self.stop.is_set():
                break
            await self._send(mail)
        return False

    async def _send(self, mail: DueMail) -> None:
        if not await self.database.run_unit(deliveries.claim_mail, mail, now=datetime.now(UTC)):
            return
        words = digest.build_digest(mail.situation, brand=self.brand, public_url=self.public_url)
        try:
            await asyncio.to_thread(smtp.send_digest, words, address=mail.address)
        except smtp.MailNotSent as error:
            reason = str(error)
            logger.warning("staff_mail_failed", user_id=mail.user_id, reason=reason)
            await loop.run_with_retries(
                lambda: self.database.run_unit(
                    deliveries.record_failure,
                    mail,
                    reason=reason,
                    now=datetime.now(UTC),
                    jitter=randbelow(100) / 100,
                ),
                give_up_after=GIVE_UP_RECORDING_AFTER,
            )
        else:
            await loop.run_with_retries(
                lambda: self.database.run_unit(deliveries.record_sent, mail, now=datetime.now(UTC)),
                give_up_after=GIVE_UP_RECORDING_AFTER,
            )
            logger.info("staff_mail_sent", user_id=mail.user_id)
