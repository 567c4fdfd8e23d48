"""The services of a demo: a filled database and three running processes."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.text import Text

from deploy import child_processes, server_commands
from deploy.child_processes import LOOPBACK_HOST, ChildProcesses
from deploy.demo.environment import (
    SELLER_USERNAME,
    DemoFolder,
    DemoPorts,
    SeededDemo,
    build_child_environment,
)

type ReportProgress = Callable[[str], None]

START_TIMEOUT_SECONDS: Final = 60.0
"""Seconds in which each process must answer; a slow machine needs most of them."""


@dataclass(frozen=True)
class RunningDemo:
    """A running demo: its addresses, login and environment."""

    folder: DemoFolder
    ports: DemoPorts
    seeded: SeededDemo
    username: str
    password: str
    environment: dict[str, str]

    @property
    def sandbox_url(self) -> str:
        """Address of the stand-in for Meta."""
        return f"http://{LOOPBACK_HOST}:{self.ports.meta}"

    @property
    def gateway_url(self) -> str:
        """Address of the gateway."""
        return f"http://{LOOPBACK_HOST}:{self.ports.gateway}"

    @property
    def backoffice_url(self) -> str:
        """Address of the back office."""
        return f"http://{LOOPBACK_HOST}:{self.ports.backoffice}"


def build_progress_printer(console: Console) -> ReportProgress:
    """Return a function that prints each step as one dim line."""
    return lambda words: console.print(Text(f"… {words}", "dim"))


@contextmanager
def run_demo_services(
    folder: DemoFolder, *, ports: DemoPorts, report: ReportProgress, static: bool = True
) -> Iterator[RunningDemo]:
    """Fill the database, start the three processes, and stop them at the end.

    Args:
        folder: the demo's folder.
        ports: ports of the three processes.
        report: called with a short text at each step.
        static: whether the admin's static files are collected into the project's `var/`.

    Raises:
        CommandFailed: the database could not be filled; the message has the output.
        ProcessFailed: a process did not start; the message has the end of its log.

    """
    env = build_child_environment(folder.prepare_environment(ports))
    report("filling the database")
    seeded = _seed_database(folder, env, static=static)
    demo = RunningDemo(
        folder=folder,
        ports=ports,
        seeded=seeded,
        username=SELLER_USERNAME,
        password=folder.load_password(),
        environment=env,
    )
    with ChildProcesses(environment=env, logs=folder.logs_folder) as children:
        report("starting gateway, back office and a stand-in for Meta")
        _start_services(children, demo)
        try:
            yield demo
        finally:
            report("stopping")


def _seed_database(folder: DemoFolder, env: dict[str, str], *, static: bool) -> SeededDemo:
    wanted = {
        "username": SELLER_USERNAME,
        "password": folder.load_password(),
        "token": folder.load_token(),
        "static": static,
    }
    output = child_processes.run_command(
        [sys.executable, "-m", "deploy.demo"],
        environment=env,
        timeout=120,
        words=json.dumps(wanted),
    )
    seeded = SeededDemo(**json.loads(output.splitlines()[-1]))
    folder.save_token(seeded.token)
    return seeded


def _start_services(children: ChildProcesses, demo: RunningDemo) -> None:
    meta = children.start("meta", *_build_sandbox_command(demo))
    backoffice = children.start(
        "backoffice",
        *server_commands.build_backoffice_command(
            host=LOOPBACK_HOST, port=demo.ports.backoffice, workers=1
        ),
    )
    gateway = children.start(
        "gateway",
        *server_commands.build_gateway_command(host=LOOPBACK_HOST, port=demo.ports.gateway),
    )
    children.wait_until_ready(
        meta, f"{demo.sandbox_url}/sandbox/state", timeout=START_TIMEOUT_SECONDS
    )
    children.wait_until_ready(gateway, f"{demo.gateway_url}/readyz", timeout=START_TIMEOUT_SECONDS)
    children.wait_until_ready(
        backoffice, f"{demo.backoffice_url}/readyz", timeout=START_TIMEOUT_SECONDS
    )


def _build_sandbox_command(demo: RunningDemo) -> list[str]:
    address = f"{demo.gateway_url}/webhook"
    port = str(demo.ports.meta)
    return [sys.executable, "-m", "deploy.sandbox", "--port", port, "--webhook-url", address]
