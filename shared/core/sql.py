"""Conditions that both databases recognise as those of a partial index.

SQLite takes a partial index only where the query's own words prove its condition; whether it looks
into bound parameters for that depends on how it was built. PostgreSQL does not mind.
"""

from enum import StrEnum

from django.db.models.expressions import RawSQL


def inline_enum_value(member: StrEnum) -> RawSQL:
    """Write a word of our own enums into the statement instead of binding it."""
    return RawSQL(f"'{member.value}'", ())  # noqa: S611 - never anybody's input
