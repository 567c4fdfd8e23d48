"""Consistent copies of the database, made while it is written to, and their restore.

SQLite is copied with `VACUUM INTO` (https://sqlite.org/lang_vacuum.html), PostgreSQL with `pg_dump`
in the snapshot that the rows are counted in (https://www.postgresql.org/docs/current/backup-dump.html).
"""

import os
import shutil
import sqlite3
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction

from backoffice.maintenance.errors import BackupInvalid, MaintenanceError, PostgresToolMissing

type Query = Callable[[str], Sequence[tuple[Any, ...]]]
"""Runs a SELECT statement and returns its rows."""

POSTGRES_FOLDERS: Final = ("/usr/lib/postgresql/{major}/bin", "/usr/pgsql-{major}/bin")
"""Where Debian and Red Hat install the tools of one version of PostgreSQL."""

MAX_REASON: Final = 500
"""Characters of a tool's error that are shown."""


class DatabaseCopier(ABC):
    """Copies the default database of Django into a file, and back into an empty database."""

    @abstractmethod
    @contextmanager
    def copy_to(self, file: Path) -> Iterator[Query]:
        """Copy the database into a file and yield a function that queries what was copied."""

    @abstractmethod
    def restore_from(self, file: Path) -> None:
        """Create the tables and rows of a copy in the empty database.

        Raises:
            MaintenanceError: the database refused; nothing was restored.

        """

    def list_tables(self) -> list[str]:
        """Return the tables of the database."""
        with connection.cursor() as cursor:
            return sorted(connection.introspection.table_names(cursor))


class SqliteCopier(DatabaseCopier):
    """Copies a SQLite file."""

    @contextmanager
    def copy_to(self, file: Path) -> Iterator[Query]:
        """Copy the file with `VACUUM INTO`; others read and write meanwhile."""
        try:
            with closing(sqlite3.connect(_get_sqlite_path(), autocommit=True)) as source:
                source.execute("VACUUM INTO ?", [str(file)])
        except sqlite3.Error as error:
            raise MaintenanceError(
                f"The database cannot be copied to {file.parent.parent}: {error}. Is there room?"
            ) from error
        with closing(sqlite3.connect(file)) as copy:
            yield lambda statement: copy.execute(statement).fetchall()

    def restore_from(self, file: Path) -> None:
        """Check the copy's integrity and put it in the place of the database."""
        try:
            with closing(sqlite3.connect(file)) as copy:
                problems = [row[0] for row in copy.execute("PRAGMA integrity_check")]
        except sqlite3.DatabaseError as error:
            problems = [str(error)]
        if problems != ["ok"]:
            raise BackupInvalid(f"The copy of the database is damaged: {problems[0]}")
        target = Path(_get_sqlite_path())
        target.parent.mkdir(parents=True, exist_ok=True)
        connection.close()
        for suffix in ("-wal", "-shm"):
            target.with_name(target.name + suffix).unlink(missing_ok=True)
        placed = target.with_name(target.name + ".restoring")
        placed.unlink(missing_ok=True)  # of a restore that was cut off
        placed.touch(mode=0o600)
        try:
            shutil.copyfile(file, placed)
            placed.replace(target)
        finally:
            placed.unlink(missing_ok=True)


@dataclass(frozen=True)
class PostgresCopier(DatabaseCopier):
    """Copies a PostgreSQL database with the server's own tools.

    Attributes:
        tools: folder of `pg_dump` and `pg_restore`; None: where they are usually installed.

    """

    tools: Path | None = None

    @contextmanager
    def copy_to(self, file: Path) -> Iterator[Query]:
        """Dump the database in a snapshot; others read and write meanwhile."""
        tool = self._find_tool("pg_dump")
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            snapshot = cursor.fetchone()[0]
            _run_tool(tool, "--format=custom", f"--snapshot={snapshot}", f"--file={file}")

            yield query_default_database

    def restore_from(self, file: Path) -> None:
        """Restore the dump in one transaction."""
        tool = self._find_tool("pg_restore")
        options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
        _run_tool(tool, *options, str(file))

    def _find_tool(self, name: str) -> str:
        """Return the path of a tool of the server's major version.

        Raises:
            PostgresToolMissing: there is none.

        """
        major = int(query_default_database("SHOW server_version_num")[0][0]) // 10_000
        folders = [str(self.tools)] if self.tools else []
        folders += [folder.format(major=major) for folder in POSTGRES_FOLDERS]
        places = [shutil.which(name, path=folder) for folder in folders] + [shutil.which(name)]
        found = [place for place in places if place is not None]
        for place in found:
            if _read_major_version(place) == major:
                return place
        others = f" (found: {', '.join(found)}, of another version)" if found else ""
        raise PostgresToolMissing(
            f"{name} of PostgreSQL {major}, the server's version, is not on this machine{others}. "
            f"Install it (Debian: postgresql-client-{major}), or name its folder with --pg-bin."
        )


def build_copier(*, tools: Path | None = None) -> DatabaseCopier:
    """Return the copier of the default database.

    Args:
        tools: folder of PostgreSQL's tools; None: where they are usually installed.

    """
    return SqliteCopier() if connection.vendor == "sqlite" else PostgresCopier(tools)


def count_rows(query: Query, tables: Sequence[str]) -> dict[str, int]:
    """Return the number of rows by table."""
    return {
        table: query(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")[0][0]  # noqa: S608 - names from the database
        for table in tables
    }


def query_default_database(statement: str) -> Sequence[tuple[Any, ...]]:
    """Run a SELECT statement on the default database."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _get_sqlite_path() -> str:
    return str(connection.settings_dict["NAME"])


def _read_major_version(tool: str) -> int | None:
    answer = subprocess.run([tool, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - found on this machine's path
    words = answer.stdout.split()
    major = words[2].split(".")[0] if len(words) > 2 else ""  # noqa: PLR2004 - pg_dump (PostgreSQL) 18.1
    return int(major) if major.isdecimal() else None


def _run_tool(tool: str, *options: str) -> None:
    """Run one of PostgreSQL's tools on the default database.

    Raises:
        MaintenanceError: it failed.

    """
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415 - not loaded on SQLite

    connection.ensure_connection()
    postgres = connection.connection.info
    address = make_conninfo("", **postgres.get_parameters())
    answer = subprocess.run(  # noqa: S603 - options of ours
        [tool, "--no-password", f"--dbname={address}", *options],
        env={**os.environ, "PGPASSWORD": postgres.password},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        reason = " ".join(answer.stderr.split()) or "it gave no reason"
        raise MaintenanceError(f"{Path(tool).name} failed: {reason[:MAX_REASON]}")
