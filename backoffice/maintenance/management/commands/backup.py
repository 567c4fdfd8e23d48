"""Command `manage backup FILE`: write database and files into one archive."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from backoffice.maintenance import backups, database_copies
from backoffice.maintenance.errors import MaintenanceError
from shared.core.commands import OperatorCommand


class Command(OperatorCommand):
    """The command `backup`."""

    help = "Write the database and all payment proofs and pictures into one file, while selling."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments `file` and `--pg-bin`."""
        parser.add_argument("file", type=Path, help="where to write it, e.g. backup.tar.gz")
        parser.add_argument("--pg-bin", type=Path, help="folder of pg_dump of the server's version")

    def handle(self, *_: Any, file: Path, pg_bin: Path | None = None, **__: Any) -> None:
        """Write the archive and say what is in it.

        Raises:
            CommandError: the backup cannot be made.

        """
        try:
            manifest = backups.create_backup(
                file, copier=database_copies.build_copier(tools=pg_bin), now=timezone.now()
            )
        except (MaintenanceError, OSError) as error:
            raise CommandError(str(error)) from error
        for name in manifest.missing_files:
            self.stderr.write(f"The database names {name}, but there is no such file.")
        self.stdout.write(
            self.style.SUCCESS(
                f"{file}: {sum(manifest.row_counts.values()):,} rows of "
                f"{len(manifest.row_counts)} tables and {len(manifest.files):,} files."
            )
        )
