"""Tells transactions that merely got into each other's way from a database that is away."""

from typing import Final

from django.db import OperationalError

_DEADLOCK_SQLSTATES: Final = frozenset({"40P01", "40001"})  # deadlock, serialisation failure


def is_deadlock(error: OperationalError) -> bool:
    """Whether the same transaction, tried again at once, may well succeed.

    Source: PostgreSQL documentation, appendix A, class 40 "Transaction Rollback".
    """
    return getattr(error.__cause__, "sqlstate", None) in _DEADLOCK_SQLSTATES
