"""Database triggers that refuse to change or delete rows which prove how a raffle was drawn.

SQLite deletes rows without a trigger when INSERT OR REPLACE puts another one in their place, so it
gets a trigger before each insert, too. PostgreSQL empties a table with TRUNCATE, which has a
trigger of its own; a table without rows may be emptied, as `manage move_to_postgres` does.

A migration that copies one of these tables on SQLite loses its triggers and must create them again.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

_UNIQUE_COLUMNS: Final[Mapping[str, Sequence[tuple[str, ...]]]] = {
    "raffles_receiptentry": (("id",), ("raffle_id", "number"), ("raffle_id", "voided")),
    "raffles_sealedlist": (("raffle_id",),),
    "raffles_drawresult": (
        ("id",),
        ("prize_id", "attempt"),
        ("raffle_id", "inputs", "selection"),
        ("raffle_id", "inputs", "number"),
    ),
}
"""By table what another row may take the place of a row by."""

UNCHANGEABLE_TABLES: Final = tuple(_UNIQUE_COLUMNS)
_FUNCTION: Final = "raffles_refuse_change"
_MESSAGE: Final = "this row proves how a raffle was drawn and never changes"
_CREATE_FUNCTION: Final = f"""
    CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE has_rows boolean := true;
    BEGIN
        IF TG_OP = 'TRUNCATE' THEN
            EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.%I)', TG_TABLE_SCHEMA, TG_TABLE_NAME)
            INTO has_rows;
        END IF;
        IF has_rows THEN RAISE EXCEPTION '{_MESSAGE}'; END IF;
        RETURN NULL;
    END $$
"""  # noqa: S608 - our own words


def create_triggers(connection: BaseDatabaseWrapper) -> None:
    """Create the triggers; they may exist."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_CREATE_FUNCTION)
        for name, table, operation in _list_triggers(connection.vendor):
            if connection.vendor == "postgresql":
                each = "STATEMENT" if operation == "TRUNCATE" else "ROW"
                cursor.execute(
                    f"CREATE OR REPLACE TRIGGER {name} BEFORE {operation} ON {table} "
                    f"FOR EACH {each} EXECUTE FUNCTION {_FUNCTION}()"
                )
            else:
                when = f"WHEN {_build_same_row(table)} " if operation == "INSERT" else ""
                cursor.execute(
                    f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {operation} ON {table} {when}"
                    f"BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"
                )


def drop_triggers(connection: BaseDatabaseWrapper) -> None:
    """Drop the triggers, to undo the migration or to empty a test database."""
    with connection.cursor() as cursor:
        for name, table, _ in _list_triggers(connection.vendor):
            on_table = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on_table}")


def _list_triggers(vendor: str) -> list[tuple[str, str, str]]:
    """Return name, table and operation of each trigger."""
    last = "TRUNCATE" if vendor == "postgresql" else "INSERT"
    return [
        (f"{table}_refuse_{operation.lower()}", table, operation)
        for table in UNCHANGEABLE_TABLES
        for operation in ("UPDATE", "DELETE", last)
    ]


def _build_same_row(table: str) -> str:
    """Return the condition that a new row would take the place of one that is there."""
    same = " OR ".join(
        "(" + " AND ".join(f"{column} = NEW.{column}" for column in columns) + ")"
        for columns in _UNIQUE_COLUMNS[table]
    )
    return f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 - our own words
