"""`rafflebot upgrade`: what an update will do, and doing it."""

import os
import sys
from pathlib import Path

import django
from rich.console import Console

from deploy.exit_codes import UPGRADE_DUE_EXIT_CODE
from shared.core.config import Settings
from shared.core.config_errors import ConfigurationError

# ruff: noqa: PLC0415 - models exist only after the set-up


def run_check(console: Console, *, machine: bool) -> int:
    """Print what an update will do.

    Args:
        console: receives the report.
        machine: whether to print JSON on standard output instead.

    Returns:
        The exit code: 0 if there is nothing to do, 3 if an update is due, 1 if the database is of
        a later version or this cannot be found out.

    """
    if not _set_up_django():
        return 1
    from django.db import DatabaseError

    from deploy.upgrade import check

    try:
        report = check.build_report()
    except DatabaseError as error:
        return _report_database_error(error)
    if machine:
        print(check.render_report_as_json(report))
    else:
        check.print_report(report, console)
    if report.is_downgrade:
        return 1
    return UPGRADE_DUE_EXIT_CODE if report.is_due else 0


def run_upgrade(console: Console, *, backup: Path | None, confirmed: bool) -> int:
    """Bring database and static files to this version.

    Args:
        console: receives what is done.
        backup: where to write a backup first.
        confirmed: whether the operator says that there is one already.

    Returns:
        The exit code: 0 if all is done, 1 if something failed, 2 if nobody said that there is a
        backup.

    """
    if not _set_up_django():
        return 1
    from django.db import DatabaseError

    from deploy.upgrade import steps

    try:
        return steps.upgrade(console, backup=backup, confirmed=confirmed)
    except DatabaseError as error:
        return _report_database_error(error)


def _set_up_django() -> bool:
    """Set up Django; say what is wrong with the configuration and return False if it cannot."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    try:
        Settings.from_environment()
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return False
    django.setup()
    return True


def _report_database_error(error: Exception) -> int:
    from backoffice import manage

    print(manage.describe_database_error(error), file=sys.stderr)
    return 1
