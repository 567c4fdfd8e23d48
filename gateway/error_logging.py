"""Logging of exceptions: with the traceback, but never with a row of the database."""

from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError


def is_database_away(error: BaseException) -> bool:
    """Whether the database did not answer, which says nothing about the work itself."""
    return isinstance(error, OperationalError | InterfaceError)


def log_error(
    logger: structlog.stdlib.BoundLogger, event: str, error: BaseException, **ids: Any
) -> None:
    """Log `error` under the event name `event`.

    PostgreSQL puts the failing row, which may hold a buyer's text, into its message. So of a
    database error only the class and its code are logged: PostgreSQL's SQLSTATE, or SQLite's name
    for it, e.g. SQLITE_FULL.

    Args:
        logger: the logger of the calling module.
        event: name of the log event.
        error: the exception.
        ids: further keys of the log line.

    """
    kind = type(error).__name__
    if isinstance(error, DatabaseError | InterfaceError):
        cause = error.__cause__
        code = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
        logger.error(event, error=kind, code=code, database_away=is_database_away(error), **ids)
    else:
        logger.error(event, error=kind, exc_info=error, **ids)
