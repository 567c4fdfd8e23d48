"""Insertion of many rows in one statement; rows that exist already stay unchanged.

It is written in SQL because the two ways of the ORM do not fit. On SQLite, `ignore_conflicts` also
ignores a violated CHECK or NOT NULL, and `update_conflicts` rewrites and locks rows that do not
change. Both databases accept the same statement.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection, models

_ROWS_PER_STATEMENT: Final = 500
"""Well below the 32,766 variables of a statement on SQLite."""


def insert_new_rows(
    model: type[models.Model], rows: Sequence[Mapping[str, Any]], *, unique: Sequence[str]
) -> None:
    """Insert rows; a row whose unique columns exist already is skipped.

    Args:
        model: the model of the table.
        rows: values by column, all with the same columns. They must be sorted by their key, so that
            processes that insert the same rows do not deadlock.
        unique: the columns of the unique constraint that may be violated.

    Raises:
        IntegrityError: any other constraint is violated.

    """
    for start in range(0, len(rows), _ROWS_PER_STATEMENT):
        _insert_chunk(model, rows[start : start + _ROWS_PER_STATEMENT], unique=unique)


def _insert_chunk(
    model: type[models.Model], rows: Sequence[Mapping[str, Any]], *, unique: Sequence[str]
) -> None:
    columns = tuple(rows[0])
    row_sql = f"({', '.join(['%s'] * len(columns))})"
    statement = (
        f"INSERT INTO {_quote_names([model._meta.db_table])} ({_quote_names(columns)}) "  # noqa: S608, SLF001 - names of our own columns
        f"VALUES {', '.join([row_sql] * len(rows))} "
        f"ON CONFLICT ({_quote_names(unique)}) DO NOTHING"
    )
    values = [_adapt_value(row[column]) for row in rows for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _quote_names(names: Iterable[str]) -> str:
    return ", ".join(connection.ops.quote_name(name) for name in names)


def _adapt_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return value
