"""A back office under gunicorn, in a process of its own."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest


@contextmanager
def gunicorn(port: int, *, environment: Mapping[str, str], folder: Path) -> Iterator[None]:
    """Serve the back office until the block ends; its log is in `folder`."""
    arguments = ["--bind", f"127.0.0.1:{port}", "--threads", "4", "--no-control-socket"]
    with (folder / "gunicorn.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "backoffice.wsgi:application", *arguments],
            env=dict(environment),
            cwd=folder,
            stdout=log,
            stderr=log,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/readyz")
            yield
        finally:
            server.terminate()
            server.wait(20)


def free_port() -> int:
    """Find a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(address: str) -> None:
    """Wait until an address answers 200; a test that waits in vain fails."""
    for _ in range(150):
        try:
            if httpx.get(address).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail(f"{address} does not answer")
