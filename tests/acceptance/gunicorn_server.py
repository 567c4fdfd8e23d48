"""A back office under gunicorn in a separate process."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from shared.core.config import PROJECT_ROOT
from tests.waiting import PATIENCE, wait_until


@contextmanager
def run_gunicorn(
    port: int,
    *,
    environment: Mapping[str, str],
    folder: Path,
    logger_class: str = "backoffice.gunicorn_logging.GunicornLogger",
) -> Iterator[None]:
    """Serve the back office until the block ends; the log is written to `folder`."""
    arguments = ["--config", str(PROJECT_ROOT / "deploy/gunicorn.conf.py")]
    arguments += ["--bind", f"127.0.0.1:{port}", "--workers", "1", "--logger-class", logger_class]
    with (folder / "gunicorn.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "backoffice.wsgi", *arguments],
            env=dict(environment),
            cwd=folder,
            stdout=log,
            stderr=log,
        )
        try:
            with httpx.Client(timeout=PATIENCE) as client:  # a single one: each reads certificates
                wait_until(lambda: server.poll() is not None or is_ready(port, client))
            assert server.poll() is None, f"gunicorn ended with code {server.returncode}"
            yield
        finally:
            server.terminate()
            server.wait(PATIENCE)


def is_ready(port: int, client: httpx.Client) -> bool:
    """Return whether the back office on this port answers `/readyz` with success."""
    try:
        return client.get(f"http://127.0.0.1:{port}/readyz").is_success
    except httpx.TransportError:
        return False
