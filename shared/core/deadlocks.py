"""Recognition of transactions that failed because of another transaction."""

from typing import Final

from django.db import OperationalError

_DEADLOCK_SQLSTATES: Final = frozenset({"40P01", "40001"})  # deadlock, serialisation failure
_LOCK_NOT_AVAILABLE: Final = "55P03"


def is_deadlock(error: OperationalError) -> bool:
    """Return whether the same transaction may succeed if it is retried at once.

    It is true for a deadlock and a serialisation failure, not for an unavailable database.

    Source: PostgreSQL documentation, appendix A, class 40 "Transaction Rollback".
    """
    return getattr(error.__cause__, "sqlstate", None) in _DEADLOCK_SQLSTATES


def is_lock_timeout(error: OperationalError) -> bool:
    """Return whether a statement gave up waiting for a lock.

    On PostgreSQL the setting `lock_timeout` says when, on SQLite the connection's `timeout`.

    Source: PostgreSQL documentation, appendix A, class 55 "Object Not In Prerequisite State".
    """
    cause = error.__cause__
    return (
        getattr(cause, "sqlstate", None) == _LOCK_NOT_AVAILABLE
        or getattr(cause, "sqlite_errorname", "") == "SQLITE_BUSY"
    )
