"""The version that migrated the database."""

from datetime import datetime

from django.db import connection
from django.db.migrations.loader import MigrationLoader

from backoffice.maintenance.models import InstalledVersion
from shared.core.version import get_program_version, parse_version


def find_database_version() -> str | None:
    """Return the version that last migrated the database.

    Returns:
        None if none is recorded: the database is new, or of version 0.2 or earlier.

    """
    if InstalledVersion._meta.db_table not in connection.introspection.table_names():  # noqa: SLF001 - Django's documented API
        return None
    newest = InstalledVersion.objects.last()
    return newest.version if newest else None


def find_later_migration() -> str | None:
    """Return a migration that the database has and this version does not know, or None.

    Such a database was migrated by a later version.
    """
    loader = MigrationLoader(connection)
    apps = {app for app, _ in loader.disk_migrations}
    unknown = sorted(
        f"{app}.{name}"
        for app, name in loader.applied_migrations.keys() - loader.disk_migrations.keys()
        if app in apps
    )
    return unknown[0] if unknown else None


def record_program_version(*, now: datetime) -> None:
    """Record that this version has migrated the database; once per version.

    A process of the former version, for which there is nothing to migrate, is not recorded.
    """
    current, recorded = get_program_version(), find_database_version()
    if recorded and parse_version(recorded) >= parse_version(current):
        return
    if find_later_migration() is None:
        InstalledVersion.objects.create(version=current, migrated_at=now)
