"""Command `manage restore FILE`: restore an archive of `manage backup` into an empty place."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from backoffice.maintenance import backups, database_copies
from backoffice.maintenance.errors import MaintenanceError
from shared.core.commands import OperatorCommand


class Command(OperatorCommand):
    """The command `restore`."""

    help = "Restore a backup into an empty database and MEDIA_ROOT, and check that all agrees."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments `file` and `--pg-bin`."""
        parser.add_argument("file", type=Path, help="an archive written by `manage backup`")
        parser.add_argument(
            "--pg-bin", type=Path, help="folder of pg_restore of the server's version"
        )

    def handle(self, *_: Any, file: Path, pg_bin: Path | None = None, **__: Any) -> None:
        """Restore the archive and say what is there now.

        Raises:
            CommandError: the backup cannot be restored.

        """
        try:
            manifest = backups.restore_backup(
                file, copier=database_copies.build_copier(tools=pg_bin)
            )
        except (MaintenanceError, OSError) as error:
            raise CommandError(str(error)) from error
        for name in manifest.missing_files:
            self.stderr.write(f"{name} was already missing when the backup was made.")
        self.stdout.write(
            self.style.SUCCESS(
                f"Restored the backup of {manifest.created_at:%Y-%m-%d %H:%M:%S} UTC: "
                f"{sum(manifest.row_counts.values()):,} rows and {len(manifest.files):,} files. "
                "Counts, checksums and the inventory agree."
            )
        )
