"""The version that migrated the database."""

from datetime import datetime

from django.db import connection

from backoffice.maintenance.models import InstalledVersion
from shared.core.version import get_program_version


def find_database_version() -> str | None:
    """Return the version that last migrated the database.

    Returns:
        None if none is recorded: the database is new, or of version 0.2 or earlier.

    """
    if InstalledVersion._meta.db_table not in connection.introspection.table_names():  # noqa: SLF001 - Django's documented API
        return None
    newest = InstalledVersion.objects.last()
    return newest.version if newest else None


def record_program_version(*, now: datetime) -> None:
    """Record that this version has migrated the database; once per version."""
    current = get_program_version()
    if find_database_version() != current:
        InstalledVersion.objects.create(version=current, migrated_at=now)
