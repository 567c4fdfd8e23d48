"""Command `manage migrate`: Django's, without ever making the processes that run wait for long.

An `ALTER TABLE` waits for the transactions that use the table, and everybody else waits behind it.
So on PostgreSQL it gives up after a moment and tries again. The moment is shorter than the server's
`deadlock_timeout`, so a deadlock ends with the migration giving up, never with a buyer's message.

Source: https://www.postgresql.org/docs/current/runtime-config-client.html, "lock_timeout".
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from backoffice.maintenance import versions
from shared.core import deadlocks

LOCK_TIMEOUT: Final = 500
"""Milliseconds that a statement waits for a lock; `deadlock_timeout` is 1,000 by default."""

MAX_TRIES: Final = 120
PAUSE: Final = 0.5
"""Seconds between two tries, in which the others go on."""

PARTIAL_OPTIONS: Final = ("app_label", "plan", "check_unapplied", "fake", "prune")
"""Options with which the command does not bring the whole database to this version."""


class Command(migrate.Command):
    """The command `migrate`."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Add Django's options; system checks are skipped, as by every `OperatorCommand`."""
        super().add_arguments(parser)
        parser.set_defaults(skip_checks=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, trying again while others hold locks, and record the version.

        Raises:
            CommandError: others held a lock for a minute; what was migrated until then stays.

        """
        connection = connections[options["database"]]
        with _limit_lock_waits(connection):
            for tried in range(1, MAX_TRIES + 1):
                try:
                    super().handle(*args, **options)
                    break
                except OperationalError as error:
                    if not (deadlocks.is_lock_timeout(error) or deadlocks.is_deadlock(error)):
                        raise
                    self._wait(tried, error)
        if not any(options[name] for name in PARTIAL_OPTIONS):
            versions.record_program_version(now=timezone.now())

    def _wait(self, tried: int, error: OperationalError) -> None:
        if tried == MAX_TRIES:
            raise CommandError(
                "Another process holds a lock that this migration needs, e.g. a backup or a long "
                "export. What was migrated so far stays; run the command again later."
            ) from error
        if self.verbosity > 0:
            self.stdout.write(" waits for a lock; trying again")
        time.sleep(PAUSE)


@contextmanager
def _limit_lock_waits(connection: BaseDatabaseWrapper) -> Iterator[None]:
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {LOCK_TIMEOUT}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
