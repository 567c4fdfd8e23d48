"""How an exception is logged: with its traceback, but never with a row of the database."""

from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError


def is_database_away(error: BaseException) -> bool:
    """Whether the database did not answer; that says nothing about the work itself."""
    return isinstance(error, OperationalError | InterfaceError)


def log_error(
    logger: structlog.stdlib.BoundLogger, event: str, error: BaseException, **ids: Any
) -> None:
    """Log that `error` happened during `event`.

    PostgreSQL puts the failing row into its message, which is what a buyer wrote; of a database
    error only the kind and its SQLSTATE are told.
    """
    kind = type(error).__name__
    if isinstance(error, DatabaseError | InterfaceError):
        sqlstate = getattr(error.__cause__, "sqlstate", None)
        logger.error(
            event, error=kind, sqlstate=sqlstate, database_away=is_database_away(error), **ids
        )
    else:
        logger.error(event, error=kind, exc_info=error, **ids)
