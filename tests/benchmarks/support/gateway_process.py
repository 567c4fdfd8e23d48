"""A gateway in a process of its own, as operators run it, of this checkout or of another one."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.core.config import PROJECT_ROOT

PHONE_NUMBER_ID: Final = "106540352242922"
APP_SECRET: Final = b"benchmark_app_secret"
LIMITED_PROTOCOL: Final = "gateway.http_limits:LimitedProtocol"
START_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class GatewayProcess:
    """A running server with its port."""

    process: subprocess.Popen[bytes]
    port: int

    def measure_cpu_seconds(self) -> float:
        """Return the CPU time of the process so far, in seconds."""
        return read_cpu_seconds(self.process.pid)


def read_cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and all its threads so far, in seconds (Linux only)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def find_python(checkout: Path) -> str:
    """Return the interpreter of a checkout: that of its `.venv`, or this one for this checkout."""
    if checkout == PROJECT_ROOT:
        return sys.executable
    return str(checkout / ".venv/bin/python")


def build_environment(
    database: str, *, checkout: Path = PROJECT_ROOT, graph_url: str = "http://127.0.0.1:1"
) -> dict[str, str]:
    """Return the complete environment of a process of the product, independent of the caller's.

    Args:
        database: URL of the database.
        checkout: root of the checkout whose code runs.
        graph_url: URL of the stand-in for Meta's Graph API.

    """
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": str(checkout),
        "DATABASE_URL": database,
        "DJANGO_SECRET_KEY": "only-for-benchmarks-" + "x" * 40,
        "META_APP_SECRET": APP_SECRET.decode(),
        "META_VERIFY_TOKEN": "benchmark",
        "META_ACCESS_TOKEN": "benchmark",
        "META_PHONE_NUMBER_ID": PHONE_NUMBER_ID,
        "META_GRAPH_URL": graph_url,
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "LOG_LEVEL": "WARNING",
        "DRAIN_SECONDS": "0",
        "SENDS_PER_SECOND": "1000",
    }


def run_python(*arguments: str, checkout: Path, environment: Mapping[str, str]) -> None:
    """Run a command of a checkout's interpreter to its end.

    Raises:
        subprocess.CalledProcessError: it failed; what it said is on standard error.

    """
    command = [find_python(checkout), "-P", "-W", "ignore", *arguments]
    subprocess.run(command, cwd=checkout, env=dict(environment), check=True)


def migrate(database: str, *, checkout: Path = PROJECT_ROOT) -> None:
    """Create the tables of a checkout's version."""
    run_python(
        *("-m", "backoffice.manage", "migrate", "--verbosity", "0"),
        checkout=checkout,
        environment=build_environment(database, checkout=checkout),
    )


@contextmanager
def run_gateway(
    environment: Mapping[str, str],
    *,
    app: str = "gateway.asgi:app",
    protocol: str = LIMITED_PROTOCOL,
    checkout: Path = PROJECT_ROOT,
    port: int = 0,
) -> Iterator[GatewayProcess]:
    """Run an ASGI application under uvicorn until the end of the block.

    Args:
        environment: the complete environment, from `build_environment`.
        app: import path of the application, or of a function that builds it (with `()` at the end).
        protocol: uvicorn's option `--http`.
        checkout: root of the checkout whose code runs.
        port: its port, 0 for a free one.

    """
    port = port or _find_free_port()
    command = [find_python(checkout), "-m", "uvicorn", app.removesuffix("()")]
    command += ["--port", str(port), "--http", protocol, "--log-level", "warning"]
    command += ["--factory"] if app.endswith("()") else []
    process = subprocess.Popen(command, cwd=checkout, env=dict(environment))
    try:
        _wait_until_listening(port, process)
        yield GatewayProcess(process, port)
    finally:
        process.terminate()
        try:
            process.wait(timeout=START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError("the server did not start")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the server does not listen")
