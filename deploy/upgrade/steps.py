"""The steps of an update: backup, migrations, static files, completion, inventory.

Import it after `django.setup()`.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import typer
from django.conf import settings
from django.core.management import CommandError, call_command
from rich.console import Console
from rich.text import Text

from backoffice import manage
from backoffice.maintenance import backups, database_copies
from backoffice.maintenance.errors import MaintenanceError
from deploy.exit_codes import NOT_CONFIRMED_EXIT_CODE
from deploy.upgrade import check
from shared.raffles.services.ticket_numbers import inventory
from shared.use_cases import former_version

NO_BACKUP: Final = (
    "Nothing was changed. An update begins with a backup: `rafflebot upgrade --backup FILE` writes "
    "one, `--yes` says that there is one."
)


def upgrade(console: Console, *, backup: Path | None, confirmed: bool) -> int:
    """Run all steps; each may be repeated.

    Args:
        console: receives what is done.
        backup: where to write a backup first.
        confirmed: whether the operator says that there is one already.

    Returns:
        The exit code.

    """
    manage.make_database_folder(settings.DATABASES["default"])
    report = check.build_report()
    check.print_report(report, console)
    if report.is_downgrade:
        return 1
    try:
        if backup is not None:
            written = _write_backup(backup)
            console.print(Text(f"Backup: {backup}, {written:,} rows."))
        elif report.is_due and not report.is_new and not (confirmed or _ask_for_backup()):
            console.print(Text(NO_BACKUP))
            return NOT_CONFIRMED_EXIT_CODE
        call_command("migrate")
    except (CommandError, MaintenanceError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    _collect_static_files(console)
    return _complete(console)


def _ask_for_backup() -> bool:
    return sys.stdin.isatty() and typer.confirm("Is there a backup of database and files?")


def _write_backup(file: Path) -> int:
    manifest = backups.create_backup(
        file, copier=database_copies.build_copier(tools=None), now=datetime.now(UTC)
    )
    return sum(manifest.row_counts.values())


def _collect_static_files(console: Console) -> None:
    try:
        call_command("collectstatic", interactive=False, verbosity=0)
    except OSError as error:
        words = f"Static files stay as they are, because they cannot be written here: {error}."
        console.print(Text(words))
    else:
        console.print("Static files: collected.")


def _complete(console: Console) -> int:
    completed = former_version.complete_former_writes(now=datetime.now(UTC))
    words = (
        f"Completed what a former version wrote: {completed.orders:,} changes of orders, "
        f"{completed.search:,} rows that are searched, {completed.receipts:,} receipts."
    )
    console.print(Text(words))
    problems = inventory.find_inventory_problems()
    if problems:
        words = f"The inventory does not add up ({len(problems)} problems): "
        console.print(Text(words + "run `manage check_inventory`."))
        return 1
    console.print(
        Text(
            "Done. Restart gateway and back office. If processes of the former version were still "
            "running, run `rafflebot upgrade` once more when the last of them has ended."
        )
    )
    return 0
