"""The running demo: its database filled, its three processes started and ready."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from deploy import child_processes
from deploy.child_processes import LOOPBACK_HOST, ChildProcesses
from deploy.demo.environment import (
    SELLER_USERNAME,
    DemoFolder,
    DemoPorts,
    SeededDemo,
    build_child_environment,
)

type ReportProgress = Callable[[str], None]

START_TIMEOUT_SECONDS = 60.0
"""Seconds each process may take until it answers; a cold, busy machine needs most of them."""


@dataclass(frozen=True)
class RunningDemo:
    """A demo that runs: where everything is and how to get in."""

    home: DemoFolder
    ports: DemoPorts
    seeded: SeededDemo
    username: str
    password: str
    environment: dict[str, str]

    @property
    def meta(self) -> str:
        """Address of the stand-in for Meta."""
        return f"http://{LOOPBACK_HOST}:{self.ports.meta}"

    @property
    def gateway(self) -> str:
        """Address of the gateway."""
        return f"http://{LOOPBACK_HOST}:{self.ports.gateway}"

    @property
    def backoffice(self) -> str:
        """Address of the back office."""
        return f"http://{LOOPBACK_HOST}:{self.ports.backoffice}"


@contextmanager
def run_demo_services(
    home: DemoFolder, *, ports: DemoPorts, tell: ReportProgress, static: bool = True
) -> Iterator[RunningDemo]:
    """Fill the database, start the three processes, and stop them at the end.

    Args:
        home: the demo's folder.
        ports: where they listen.
        tell: called with a few words at each step.
        static: whether the admin's static files are collected into the project's `var/`.

    Raises:
        ProcessFailed, CommandFailed: something did not start; the message says what it wrote.

    """
    env = build_child_environment(home.prepare(ports))
    tell("filling the database")
    seeded = _seed_database(home, env, static=static)
    house = RunningDemo(
        home=home,
        ports=ports,
        seeded=seeded,
        username=SELLER_USERNAME,
        password=home.password(),
        environment=env,
    )
    with ChildProcesses(environment=env, logs=home.logs) as children:
        tell("starting gateway, back office and a stand-in for Meta")
        _start_services(children, house)
        try:
            yield house
        finally:
            tell("stopping")


def _seed_database(home: DemoFolder, env: dict[str, str], *, static: bool) -> SeededDemo:
    wanted = {
        "username": SELLER_USERNAME,
        "password": home.password(),
        "token": home.token(),
        "static": static,
    }
    said = child_processes.run_command(
        [sys.executable, "-m", "deploy.demo"],
        environment=env,
        timeout=120,
        words=json.dumps(wanted),
    )
    seeded = SeededDemo(**json.loads(said.splitlines()[-1]))
    home.keep_token(seeded.token)
    return seeded


def _start_services(children: ChildProcesses, house: RunningDemo) -> None:
    meta = children.start("meta", *_build_sandbox_command(house))
    backoffice = children.start("backoffice", *_build_backoffice_command(house))
    gateway = children.start("gateway", *_build_gateway_command(house))
    children.wait_until_ready(meta, f"{house.meta}/sandbox/state", timeout=START_TIMEOUT_SECONDS)
    children.wait_until_ready(gateway, f"{house.gateway}/readyz", timeout=START_TIMEOUT_SECONDS)
    children.wait_until_ready(
        backoffice, f"{house.backoffice}/readyz", timeout=START_TIMEOUT_SECONDS
    )


def _build_sandbox_command(house: RunningDemo) -> list[str]:
    address = f"{house.gateway}/webhook"
    port = str(house.ports.meta)
    return [sys.executable, "-m", "deploy.sandbox", "--port", port, "--webhook-url", address]


def _build_gateway_command(house: RunningDemo) -> list[str]:
    port = str(house.ports.gateway)
    return [
        sys.executable,
        "-m",
        "uvicorn",
        "gateway.asgi:app",
        "--host",
        LOOPBACK_HOST,
        "--port",
        port,
    ]


def _build_backoffice_command(house: RunningDemo) -> list[str]:
    bind = f"{LOOPBACK_HOST}:{house.ports.backoffice}"
    threads = ["--worker-class", "gthread", "--threads", "4", "--no-control-socket"]
    program = [sys.executable, "-m", "gunicorn", "backoffice.wsgi:application", "--bind", bind]
    return [*program, *threads]
