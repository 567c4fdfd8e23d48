"""Insertion of many rows in one statement; rows that exist already stay unchanged.

It is written in SQL because the two ways of the ORM do not fit. On SQLite, `ignore_conflicts` also
ignores a violated CHECK or NOT NULL, and `update_conflicts` rewrites and locks rows that do not
change.

The statement is the same for one row and for a thousand. PostgreSQL gets all rows as one JSON
document: a literal for each value would take several times as long.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

import orjson
from django.db import connection, models, transaction
from django.db.backends.utils import CursorWrapper

_ROWS_PER_STATEMENT: Final = 500
"""Bounds the memory of a statement."""


def insert_new_rows(
    model: type[models.Model], rows: Sequence[Mapping[str, Any]], *, unique: Sequence[str]
) -> None:
    """Insert rows in their order; a row whose unique columns exist already is skipped.

    If several processes may insert the same rows at the same time, sort them by their key, or let
    the transaction be repeated after a deadlock.

    Args:
        model: the model of the table.
        rows: values by column, all with the same columns.
        unique: the columns of the unique constraint that may be violated.

    Raises:
        IntegrityError: any other constraint is violated.
        DataError, TypeError, OverflowError: a value does not fit its column.

    """
    for start in range(0, len(rows), _ROWS_PER_STATEMENT):
        chunk = rows[start : start + _ROWS_PER_STATEMENT]
        sql = _build_insert(connection.vendor, model, tuple(chunk[0]), tuple(unique))
        with transaction.mark_for_rollback_on_error(), open_bulk_cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(sql, [_write_json(chunk)])
            else:  # in this process, so that a call for each row costs nothing
                cursor.executemany(sql, [[*map(_adapt_value, row.values())] for row in chunk])


def open_bulk_cursor() -> CursorWrapper:
    """Return a cursor for statements with large parameters.

    On PostgreSQL these travel beside the statement. Django's own cursor writes each of them into it
    as a literal, which takes twenty times as long for an array of 256 webhooks.
    """
    if connection.vendor != "postgresql":
        return connection.cursor()
    from psycopg import Cursor  # noqa: PLC0415 - not loaded by a process on SQLite

    connection.close_if_health_check_failed()
    connection.ensure_connection()
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    return wrap(Cursor(connection.connection))  # type: ignore[arg-type]  # the stubs are too narrow


@cache
def _build_insert(
    vendor: str, model: type[models.Model], columns: tuple[str, ...], unique: tuple[str, ...]
) -> str:
    """Return the statement: for all rows as JSON on PostgreSQL, for each row on SQLite."""
    names = _quote_names(columns)
    if vendor == "postgresql":
        types = ", ".join(
            f"{connection.ops.quote_name(name)} {_get_type(model, name)}" for name in columns
        )
        rows = f"SELECT {names} FROM json_to_recordset(%s) AS new_row ({types})"  # noqa: S608 - names of our own columns
    else:
        rows = f"VALUES ({', '.join(['%s'] * len(columns))})"
    return (
        f"INSERT INTO {_quote_names([model._meta.db_table])} ({names}) {rows} "  # noqa: SLF001 - names of our own columns
        f"ON CONFLICT ({_quote_names(unique)}) DO NOTHING"
    )


def _quote_names(names: Iterable[str]) -> str:
    return ", ".join(connection.ops.quote_name(name) for name in names)


def _get_type(model: type[models.Model], column: str) -> str:
    """Return the type as which a column is read; the column itself has the limit of its length."""
    field = next(each for each in model._meta.concrete_fields if each.column == column)  # noqa: SLF001 - documented by Django
    type_name = field.rel_db_type(connection) if field.primary_key else field.db_type(connection)
    return "text" if type_name is None or type_name.startswith("varchar") else type_name


def _adapt_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return _write_json(value) if isinstance(value, dict) else value


def _write_json(value: Any) -> str:
    try:
        return orjson.dumps(value, default=_encode_value).decode()
    except TypeError:  # an integer of more than 64 bits
        return json.dumps(value, default=_encode_value, ensure_ascii=False)


def _encode_value(value: Any) -> str:
    """Return a value that JSON does not know, as PostgreSQL reads it from text."""
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a column cannot hold a {type(value).__name__}")
