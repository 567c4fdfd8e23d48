"""Recognition of transactions that failed because of another transaction."""

from typing import Final

from django.db import OperationalError

_DEADLOCK_SQLSTATES: Final = frozenset({"40P01", "40001"})  # deadlock, serialisation failure


def is_deadlock(error: OperationalError) -> bool:
    """Return whether the same transaction may succeed if it is retried at once.

    It is true for a deadlock and a serialisation failure, not for an unavailable database.

    Source: PostgreSQL documentation, appendix A, class 40 "Transaction Rollback".
    """
    return getattr(error.__cause__, "sqlstate", None) in _DEADLOCK_SQLSTATES
