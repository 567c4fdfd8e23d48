"""Fast insertion of millions of rows: COPY on PostgreSQL, `executemany` on SQLite."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models, transaction

type Row = Sequence[Any]


def insert_rows(model: type[models.Model], names: str, rows: Iterable[Row]) -> None:
    """Insert rows in one transaction.

    Args:
        model: model of the table.
        names: fields of each row, separated by spaces; other fields get their default.
        rows: values in the database's format: numbers, strings, bytes, booleans, None, and times
            from `format_moment`.

    """
    given = names.split()
    defaults = {
        field.attname: _get_default(field)
        for field in model._meta.local_concrete_fields
        if field.attname not in given and not field.primary_key and field.column
    }
    column = {field.attname: field.column for field in model._meta.local_concrete_fields}
    columns = [str(column[name]) for name in [*given, *defaults]]
    constant = tuple(defaults.values())
    whole = (tuple(row) + constant for row in rows)
    with transaction.atomic():
        _write_rows(model._meta.db_table, columns, whole)


def format_moment(when: datetime) -> str:
    """Format a UTC time for both databases."""
    return when.replace(tzinfo=None).isoformat(" ")


@contextmanager
def without_foreign_key_checks() -> Iterator[None]:
    """Disable foreign key checks while the block runs, and reset the id sequences after it."""
    if connection.vendor == "postgresql":
        _execute("SET session_replication_role = replica")
        yield
        _execute("SET session_replication_role = DEFAULT")
        from django.apps import apps

        for statement in connection.ops.sequence_reset_sql(no_style(), list(apps.get_models())):
            _execute(statement)
    else:
        with connection.constraint_checks_disabled():
            yield


def update_statistics() -> None:
    """Update PostgreSQL's statistics, as autovacuum does within minutes."""
    if connection.vendor == "postgresql":
        _execute("VACUUM ANALYZE")


def _get_default(field: "models.Field[Any, Any]") -> Any:
    return field.get_db_prep_save(field.get_default(), connection)


def _write_rows(table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    named = ", ".join(connection.ops.quote_name(column) for column in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({named}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join("?" * len(columns))
            assert connection.connection is not None
            connection.connection.executemany(
                f"INSERT INTO {table} ({named}) VALUES ({marks})", rows
            )


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
