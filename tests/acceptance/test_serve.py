"""Tests of `rafflebot serve`: gateway and back office start and stop together."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pytest_django import DjangoDbBlocker

from deploy import serve
from deploy.child_processes import find_free_ports
from deploy.demo.environment import build_child_environment
from tests.databases import DatabaseFactory
from tests.waiting import PATIENCE, wait_until

RAFFLEBOT: Final = str(Path(sys.executable).with_name("rafflebot"))

TWO_CHILDREN: Final = """
import sys
from rich.console import Console
from deploy.serve import Service, run_services
server = [sys.executable, "-c", sys.argv[1]]
console = Console(soft_wrap=True)
nowhere = "http://127.0.0.1:1"
sys.exit(run_services(console, *(Service(f"Server {n}", server, nowhere) for n in "12")))
"""
PATIENT: Final = """
import os, time
os.write(1, f"began {os.getpid()}\\n".encode())
while True:
    time.sleep(60)
"""
STUBBORN: Final = """
import os, signal, time
signal.signal(signal.SIGTERM, lambda *_: os.write(1, f"told {os.getpid()}\\n".encode()))
os.write(1, f"began {os.getpid()}\\n".encode())
while True:
    time.sleep(60)
"""


class Run:
    """A running command whose output goes to a file."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process, self.log = process, log

    @property
    def said(self) -> str:
        """Everything that was printed so far."""
        return self.log.read_text()

    def wait_for(self, pattern: str, *, times: int = 1) -> list[str]:
        """Wait until a pattern was printed a number of times and return what it matched."""
        wait_until(
            lambda: len(re.findall(pattern, self.said)) >= times or self.process.poll() is not None,
            progress=lambda: self.said,
        )
        found = re.findall(pattern, self.said)
        assert len(found) >= times, self.said
        return found

    def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE)


@contextmanager
def start(*command: str, folder: Path, **variables: str) -> Iterator[Run]:
    """Start a command and kill it at the end of the block."""
    log = folder / "said.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            env=build_child_environment(variables),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Run(process, log)
    finally:
        process.kill()
        process.wait()


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_serve_runs_both_until_a_signal_comes(
    tmp_path: Path, run_folder: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    ports = [str(port) for port in find_free_ports(0, 0)]
    command = (RAFFLEBOT, "serve", "--gateway-port", ports[0], "--backoffice-port", ports[1])
    addresses = [f"http://127.0.0.1:{port}" for port in ports]
    secret = tmp_path / "secret"
    secret.write_text("k" * 50 + "\n")
    variables = {
        "DJANGO_SECRET_KEY_FILE": str(secret),
        "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3",
        "MEDIA_ROOT": str(tmp_path / "media"),
        "META_APP_SECRET": "secret",
        "META_VERIFY_TOKEN": "word",
        "META_ACCESS_TOKEN": "token",
        "META_PHONE_NUMBER_ID": "1",
        "META_GRAPH_URL": "http://127.0.0.1:1",
        "LOG_LEVEL": "INFO",
        "WEB_CONCURRENCY": "1",
    }
    with start(*command, folder=tmp_path, **variables) as run:
        assert run.process.wait(timeout=PATIENCE) == 1
        assert "The database lacks migrations" in run.said
        assert "Run `uv run manage migrate` first." in run.said

    with django_db_blocker.unblock(), DatabaseFactory("sqlite", run_folder).fresh() as database:
        variables["DATABASE_URL"] = database

        with start(*command, folder=tmp_path, **variables) as run:
            found = run.wait_for(r"The (?:gateway|back office) is ready at (\S+)", times=2)
            assert sorted(found) == sorted(addresses)
            assert run.end(signal.SIGTERM) == 0
            assert "gateway_stopped" in run.said, "gracefully"
    assert "Traceback" not in run.said


def test_one_that_ends_stops_the_other_as_well(tmp_path: Path) -> None:
    with start(sys.executable, "-c", TWO_CHILDREN, PATIENT, folder=tmp_path) as run:
        first, second = (int(pid) for pid in run.wait_for(r"began (\d+)", times=2))
        os.kill(first, signal.SIGKILL)

        assert run.process.wait(timeout=PATIENCE) == 1, "a supervisor restarts it"
        assert re.search(r"Server [12] ended with code -9\. Stopping the rest\.", run.said)
        assert is_gone(second)


def test_says_which_address_nothing_can_listen_on() -> None:
    [free, second] = find_free_ports(0, 0)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        problem = serve.find_address_problem("127.0.0.1", free, taken)
    assert problem is not None
    assert f"on port {taken} of 127.0.0.1: Address already in use. Nothing was started" in problem
    assert "already in use" in str(serve.find_address_problem("127.0.0.1", free, free))
    assert serve.find_address_problem("no such host", free) is not None
    assert serve.find_address_problem("0.0.0.0", free, second) is None


def test_a_second_signal_kills_what_does_not_stop(tmp_path: Path) -> None:
    with start(sys.executable, "-c", TWO_CHILDREN, STUBBORN, folder=tmp_path) as run:
        children = [int(pid) for pid in run.wait_for(r"began (\d+)", times=2)]
        run.process.send_signal(signal.SIGTERM)
        run.wait_for(r"told (\d+)", times=2)
        assert run.process.poll() is None, "it waits for both"

        assert run.end(signal.SIGINT) == 0
        assert all(is_gone(pid) for pid in children)
