"""Errors of backup and restore; each message tells the operator what to do."""


class MaintenanceError(Exception):
    """A backup cannot be made or restored."""


class PostgresToolMissing(MaintenanceError):
    """`pg_dump` or `pg_restore` of the server's version is not on this machine."""


class BackupInvalid(MaintenanceError):
    """A file is no backup, is damaged, or does not fit this installation."""


class DatabaseInUse(MaintenanceError):
    """Another process has the database open that is to be moved."""


class PlaceNotEmpty(MaintenanceError):
    """A backup would be restored over data that is there."""
