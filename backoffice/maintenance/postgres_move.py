"""Move of a SQLite installation to PostgreSQL."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import orjson
import psycopg
from django.apps import apps
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models import Field, JSONField, Model
from psycopg.types.json import Jsonb

from backoffice.maintenance.errors import (
    BackupInvalid,
    DatabaseInUse,
    MaintenanceError,
    PlaceNotEmpty,
)
from shared.raffles.services.ticket_numbers import inventory
from shared.settings import build_database_settings

# ruff: noqa: SLF001 - `_meta` is public: https://docs.djangoproject.com/en/6.0/ref/models/meta/

type Column = Field[Any, Any]
"""A field that has a column."""

SOURCE: Final = "source"
"""Alias of the SQLite database while it is moved."""

ROWS_PER_QUERY: Final = 2_000

FILLED_BY_MIGRATIONS: Final = frozenset(
    {
        "auth_group",
        "auth_group_permissions",
        "auth_permission",
        "django_content_type",
        "maintenance_installedversion",
    }
)
"""Tables that an empty installation has rows in; they are replaced."""


def move_to_postgres(sqlite_file: Path) -> dict[str, int]:
    """Copy every row of a SQLite file into the default database, which is an empty PostgreSQL.

    All is one transaction, so that a move that is cut off has moved nothing and can be started
    again. No other process may have the SQLite file open: a gateway that goes on with it would
    answer webhooks that are never moved. It cannot be written to meanwhile, and is left as it is.
    Files stay where they are.

    Args:
        sqlite_file: the database of the installation so far.

    Returns:
        The number of rows by table.

    Raises:
        BackupInvalid: there is no such installation, or its migrations are not this version's.
        DatabaseInUse: gateway or back office still run.
        PlaceNotEmpty: the PostgreSQL database has rows.
        MaintenanceError: the default database is not PostgreSQL, or the copies differ.

    """
    if connection.vendor != "postgresql":
        raise MaintenanceError("Set DATABASE_URL to the new PostgreSQL database first.")
    if not sqlite_file.is_file():
        raise BackupInvalid(f"There is no file {sqlite_file}.")
    _refuse_if_in_use(sqlite_file)
    call_command("migrate", verbosity=0)
    with _open_source(sqlite_file):
        _check_same_version(sqlite_file)
        with transaction.atomic(using=SOURCE), transaction.atomic():
            counts = _copy_all_tables()
    problems = inventory.find_inventory_problems()
    if problems:
        raise MaintenanceError(
            f"Moved, but the inventory does not add up ({len(problems)} problems, which the SQLite "
            "file has, too): run `manage check_inventory`."
        )
    return counts


def compute_table_digest(model: type[Model], *, using: str) -> tuple[int, str]:
    """Return the number of rows of a table and a checksum that no database's order changes."""
    count, total = 0, 0
    for row in _iterate_rows(model, using=using):
        content = orjson.dumps(row, default=_serialize, option=orjson.OPT_SORT_KEYS)
        total += int.from_bytes(hashlib.sha256(content).digest())
        count += 1
    return count, f"{total % 2**256:064x}"


def list_tables_to_move() -> list[type[Model]]:
    """Return a model for each table but that of the migrations."""
    models = {
        model._meta.db_table: model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    }
    return [models[table] for table in sorted(models)]


def _refuse_if_in_use(sqlite_file: Path) -> None:
    """Check that no process has a SQLite file open.

    A database leaves WAL mode only for the one connection that has it open; Django's next
    connection returns to it. Source: https://sqlite.org/pragma.html#pragma_journal_mode
    """
    try:
        with closing(sqlite3.connect(sqlite_file, timeout=0, autocommit=True)) as probe:
            mode = probe.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
    except sqlite3.OperationalError:
        mode = "wal"
    except sqlite3.DatabaseError as error:
        raise BackupInvalid(f"{sqlite_file} is not the database of an installation.") from error
    if mode != "delete":
        raise DatabaseInUse(
            f"{sqlite_file} is in use. Stop gateway and back office first: what they wrote from "
            "now on would not be moved. Meta delivers again what it sends meanwhile."
        )


@contextmanager
def _open_source(sqlite_file: Path) -> Iterator[None]:
    settings = build_database_settings(f"sqlite:///{sqlite_file.resolve()}")
    connections.settings[SOURCE] = connections.configure_settings(
        {"default": connections.settings["default"], SOURCE: settings}
    )[SOURCE]
    try:
        yield
    finally:
        connections[SOURCE].close()
        del connections[SOURCE]
        del connections.settings[SOURCE]


def _check_same_version(sqlite_file: Path) -> None:
    """Check that the same migrations are applied to both databases.

    One that replaces others is applied when all of those are, recorded or not.
    """
    there, here = (
        set(MigrationLoader(connections[alias]).applied_migrations) for alias in (SOURCE, "default")
    )
    if not there:
        raise BackupInvalid(f"{sqlite_file} is not the database of an installation.")
    if there != here:
        raise BackupInvalid(
            f"{sqlite_file} is of another version. Run `manage migrate` with it first, i.e. with "
            "the DATABASE_URL that it had so far."
        )


def _copy_all_tables() -> dict[str, int]:
    models = list_tables_to_move()
    for model in models:
        if model._meta.db_table not in FILLED_BY_MIGRATIONS and model._base_manager.exists():
            raise PlaceNotEmpty(
                f"The PostgreSQL database has rows in {model._meta.db_table}; it must be empty."
            )
    with connection.cursor() as cursor:
        tables = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in models)
        cursor.execute(f"TRUNCATE {tables}")  # which also keeps others out until the end
    counts = {model._meta.db_table: _copy_table(model) for model in models}
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)
    return counts


def _copy_table(model: type[Model]) -> int:
    """Copy the rows of a table and compare both sides; return their number."""
    table = model._meta.db_table
    fields = _list_columns(model)
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    try:
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY {quote(table)} ({columns}) FROM STDIN") as copy,
        ):
            for row in _iterate_rows(model, using=SOURCE):
                copy.write_row(
                    [_adapt(value, to=field) for value, field in zip(row, fields, strict=True)]
                )
    except (psycopg.DataError, psycopg.IntegrityError) as error:  # Django wraps none of a COPY's
        raise MaintenanceError(
            f"PostgreSQL refuses a row of {table}, so nothing was moved: {error}"
        ) from error
    there = compute_table_digest(model, using=SOURCE)
    here = compute_table_digest(model, using="default")
    if there != here:
        raise MaintenanceError(
            f"Table {table} is not the same after the move ({there[0]} and {here[0]} rows); "
            "nothing was moved."
        )
    return here[0]


def _iterate_rows(model: type[Model], *, using: str) -> Iterator[tuple[Any, ...]]:
    names = [field.attname for field in _list_columns(model)]
    rows = model._base_manager.using(using).order_by("pk").values_list(*names)
    yield from rows.iterator(chunk_size=ROWS_PER_QUERY)


def _list_columns(model: type[Model]) -> list[Column]:
    return [field for field in model._meta.concrete_fields if not field.generated]


def _adapt(value: object, *, to: Column) -> object:
    """Return a value as psycopg writes it: JSON needs a wrapper, and its null is no SQL NULL."""
    if isinstance(to, JSONField) and (value is not None or not to.null):
        return Jsonb(value)
    return value


def _serialize(value: object) -> str:
    """Return a value that JSON has no form for, such as a decimal, as text."""
    return bytes(value).hex() if isinstance(value, (bytes, memoryview)) else str(value)
