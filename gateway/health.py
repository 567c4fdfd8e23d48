"""Liveness and readiness of this process.

Ready means that the process can take a webhook. A load balancer drops a gateway that is not ready,
so messages that wait are only a warning: they wait in the database, for every gateway alike. The
alarms about a backlog and about a paused number tell people.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

import orjson
from django.db import DatabaseError, InterfaceError, connection
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from shared.core import logs, migration_state
from shared.whatsapp.services.inbox import inbox_queue
from shared.whatsapp.services.outbox import outbox_queue

DATABASE_TIMEOUT_SECONDS: Final = 2.0
"""Seconds a check may take before the database counts as not available."""
MAX_UNANSWERED_AGE: Final = timedelta(seconds=60)
MAX_UNSENT_AGE: Final = timedelta(seconds=120)

logger = logs.get_logger(__name__)


class DatabaseState(StrEnum):
    """What the database can do, as `/readyz` names it."""

    OK = "ok"
    READ_ONLY = "read-only"
    AWAY = "away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Result of a readiness check.

    Attributes:
        draining: whether the process is about to stop.
        database: whether the database answers and accepts rows.
        unapplied_migrations: number of migrations that the code needs and the database lacks.
        oldest_unanswered: age of the oldest message without an answer.
        oldest_unsent: age of the oldest reply that is not sent.

    """

    draining: bool = False
    database: DatabaseState = DatabaseState.OK
    unapplied_migrations: int = 0
    oldest_unanswered: timedelta | None = None
    oldest_unsent: timedelta | None = None

    @property
    def reasons(self) -> list[str]:
        """Return why the gateway cannot take a webhook, in sentences; empty if it is ready."""
        reasons = []
        if self.draining:
            reasons.append("The gateway is about to stop.")
        if self.database is DatabaseState.AWAY:
            reasons.append("The database does not answer.")
        if self.database is DatabaseState.READ_ONLY:
            reasons.append("The database is read-only.")
        if self.unapplied_migrations:
            reasons.append(
                f"{self.unapplied_migrations} migrations are not applied: run `manage migrate`."
            )
        return reasons

    @property
    def warnings(self) -> list[str]:
        """Return a sentence for each queue that lags; such a gateway is ready."""
        warnings = []
        if self.oldest_unanswered and self.oldest_unanswered > MAX_UNANSWERED_AGE:
            warnings.append(
                f"A message waits for its answer since {_round_seconds(self.oldest_unanswered)} s."
            )
        if self.oldest_unsent and self.oldest_unsent > MAX_UNSENT_AGE:
            warnings.append(
                f"A reply waits to be sent since {_round_seconds(self.oldest_unsent)} s."
            )
        return warnings

    def to_json(self) -> bytes:
        """Return the body of `/readyz`."""
        return orjson.dumps(
            {
                "ready": not self.reasons,
                "reasons": self.reasons,
                "warnings": self.warnings,
                "database": self.database,
                "unapplied_migrations": (
                    None if self.database is DatabaseState.AWAY else self.unapplied_migrations
                ),
                "oldest_unanswered_seconds": _round_seconds(self.oldest_unanswered),
                "oldest_unsent_seconds": _round_seconds(self.oldest_unsent),
            }
        )


DATABASE_AWAY: Final = Readiness(database=DatabaseState.AWAY)


def build_health_routes(
    check: Callable[[], Awaitable[Readiness]], *, is_draining: Callable[[], bool]
) -> list[Route]:
    """Return the routes of `/healthz` and `/readyz`.

    Args:
        check: the readiness check; it may fail or take long.
        is_draining: whether the process is about to stop.

    """
    monitor = ReadinessMonitor(check)

    async def healthz_view(_: Request) -> Response:
        return PlainTextResponse("alive")

    async def readyz_view(_: Request) -> Response:
        readiness = replace(await monitor.check_readiness(), draining=is_draining())
        status = 503 if readiness.reasons else 200
        return Response(readiness.to_json(), status, media_type="application/json")

    return [Route("/healthz", healthz_view), Route("/readyz", readyz_view)]


class ReadinessMonitor:
    """Readiness checks, one at a time; concurrent requests share its result."""

    def __init__(self, check: Callable[[], Awaitable[Readiness]]) -> None:
        self._check = check
        self._running: asyncio.Task[Readiness] | None = None

    async def check_readiness(self) -> Readiness:
        """Return the readiness; a check that fails or takes too long counts as no database."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._check_database())
        try:
            return await asyncio.wait_for(
                asyncio.shield(self._running), timeout=DATABASE_TIMEOUT_SECONDS
            )
        except TimeoutError:
            return DATABASE_AWAY

    async def _check_database(self) -> Readiness:
        try:
            return await self._check()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("database_does_not_answer", error=type(error).__name__)
            return DATABASE_AWAY


class ReadinessCheck:
    """The readiness check. Once all migrations are applied, it does not look for them again."""

    def __init__(self) -> None:
        self._migrated = False

    def __call__(self) -> Readiness:
        """Read the readiness from the database; write nothing."""
        now = datetime.now(UTC)
        unapplied = 0 if self._migrated else migration_state.count_unapplied_migrations()
        if unapplied:
            return Readiness(unapplied_migrations=unapplied)
        self._migrated = True
        return Readiness(
            database=DatabaseState.READ_ONLY if _is_read_only() else DatabaseState.OK,
            oldest_unanswered=inbox_queue.get_oldest_unanswered_age(now=now),
            oldest_unsent=outbox_queue.get_oldest_unsent_age(now=now),
        )


def _is_read_only() -> bool:
    """Whether this is a standby of PostgreSQL, or a server or user that may only read."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_read_only")
        return bool(cursor.fetchone() == ("on",))


def _round_seconds(age: timedelta | None) -> int | None:
    return None if age is None else round(age.total_seconds())
