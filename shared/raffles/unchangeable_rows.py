"""Database triggers that refuse to change or delete rows which prove how a raffle was drawn.

A migration that copies one of these tables on SQLite loses its triggers and must create them again.
"""

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

UNCHANGEABLE_TABLES: Final = (
    "raffles_receiptentry",
    "raffles_sealedlist",
    "raffles_drawresult",
)
_OPERATIONS: Final = ("UPDATE", "DELETE")
_FUNCTION: Final = "raffles_refuse_change"
_MESSAGE: Final = "this row proves how a raffle was drawn and never changes"


def create_triggers(connection: BaseDatabaseWrapper) -> None:
    """Create the triggers; they may exist."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{_MESSAGE}'; END $$"
            )
        for name, table, operation in _list_triggers():
            if connection.vendor == "postgresql":
                cursor.execute(
                    f"CREATE OR REPLACE TRIGGER {name} BEFORE {operation} ON {table} "
                    f"FOR EACH ROW EXECUTE FUNCTION {_FUNCTION}()"
                )
            else:
                cursor.execute(
                    f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {operation} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"
                )


def drop_triggers(connection: BaseDatabaseWrapper) -> None:
    """Drop the triggers, to undo the migration or to empty a test database."""
    with connection.cursor() as cursor:
        for name, table, _ in _list_triggers():
            on_table = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on_table}")


def _list_triggers() -> list[tuple[str, str, str]]:
    """Return name, table and operation of each trigger."""
    return [
        (f"{table}_refuse_{operation.lower()}", table, operation)
        for table in UNCHANGEABLE_TABLES
        for operation in _OPERATIONS
    ]
