"""Statements with their values, several of which are sent to PostgreSQL in one round trip.

A round trip costs more than most statements. SQLite runs in this process, so it gets them one by
one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper


@dataclass(frozen=True, slots=True)
class BoundStatement[Result]:
    """A statement with its values.

    Attributes:
        sql: the statement, with a `%s` for each value.
        params: the values, as the database driver expects them.
        read_result: returns the result from the cursor that ran the statement.

    """

    sql: str
    params: Sequence[Any]
    read_result: Callable[[CursorWrapper], Result]


def count_rows(cursor: CursorWrapper) -> int:
    """Return how many rows a statement has changed."""
    return int(cursor.rowcount)


def read_nothing(_: CursorWrapper) -> None:
    """Return nothing of a statement's result."""


def run_statement[Result](statement: BoundStatement[Result]) -> Result:
    """Run a statement and return its result."""
    with transaction.mark_for_rollback_on_error(), connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.params)
        return statement.read_result(cursor)


def run_together(*statements: BoundStatement[Any]) -> list[Any]:
    """Run statements one after the other, in one round trip on PostgreSQL; return their results.

    Each sees what was committed before it began, also if another one waited for a lock. None may
    need the result of an earlier one.
    """
    if connection.vendor != "postgresql":
        return [run_statement(statement) for statement in statements]
    text = ";\n".join(statement.sql for statement in statements)
    params = [param for statement in statements for param in statement.params]
    results = []
    with transaction.mark_for_rollback_on_error(), connection.cursor() as cursor:
        cursor.execute(text, params)
        for place, statement in enumerate(statements):
            if place:
                cursor.nextset()
            results.append(statement.read_result(cursor))
    return results
