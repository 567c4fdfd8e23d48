"""Command `manage move_to_postgres FILE`: move a SQLite installation to PostgreSQL."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from backoffice.maintenance import postgres_move
from backoffice.maintenance.errors import MaintenanceError
from shared.core.commands import OperatorCommand


class Command(OperatorCommand):
    """The command `move_to_postgres`."""

    help = (
        "Copy a SQLite database into the empty PostgreSQL database of DATABASE_URL, and compare "
        "every table. Stop gateway and back office before."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the argument `file`."""
        parser.add_argument("file", type=Path, help="the SQLite file, e.g. var/raffle.sqlite3")

    def handle(self, *_: Any, file: Path, **__: Any) -> None:
        """Move all rows and say how many.

        Raises:
            CommandError: they cannot be moved; then nothing was.

        """
        try:
            counts = postgres_move.move_to_postgres(file)
        except MaintenanceError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            self.style.SUCCESS(
                f"Moved {sum(counts.values()):,} rows of {len(counts)} tables; counts, checksums "
                f"and the inventory agree. {file} was left as it is: it is no longer used."
            )
        )
