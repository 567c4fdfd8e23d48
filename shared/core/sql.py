"""SQL conditions that both databases match with those of a partial index.

SQLite uses a partial index only if the text of the query proves its condition; whether it looks
into bound parameters for that depends on how it was built. PostgreSQL needs no such help.
"""

from enum import StrEnum

from django.db.models.expressions import RawSQL


def inline_enum_value(member: StrEnum) -> RawSQL:
    """Return a member's value as part of the statement, not as a bound parameter."""
    return RawSQL(f"'{member.value}'", ())  # noqa: S611 - a constant of ours, never input
