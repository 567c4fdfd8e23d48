"""The running demo: its database filled, its three processes started and ready."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from deploy import child_processes
from deploy.child_processes import HOST, Processes
from deploy.demo.environment import USERNAME, Home, Ports, Seeded, environment

type Tell = Callable[[str], None]

START_LIMIT = 60.0
"""Seconds each process may take until it answers; a cold, busy machine needs most of them."""


@dataclass(frozen=True)
class House:
    """A demo that runs: where everything is and how to get in."""

    home: Home
    ports: Ports
    seeded: Seeded
    username: str
    password: str
    environment: dict[str, str]

    @property
    def meta(self) -> str:
        """Address of the stand-in for Meta."""
        return f"http://{HOST}:{self.ports.meta}"

    @property
    def gateway(self) -> str:
        """Address of the gateway."""
        return f"http://{HOST}:{self.ports.gateway}"

    @property
    def backoffice(self) -> str:
        """Address of the back office."""
        return f"http://{HOST}:{self.ports.backoffice}"


@contextmanager
def running(home: Home, *, ports: Ports, tell: Tell, static: bool = True) -> Iterator[House]:
    """Fill the database, start the three processes, and stop them at the end.

    Args:
        home: the demo's folder.
        ports: where they listen.
        tell: called with a few words at each step.
        static: whether the admin's static files are collected into the project's `var/`.

    Raises:
        ProcessFailed, CommandFailed: something did not start; the message says what it wrote.

    """
    env = environment(home.prepare(ports))
    tell("filling the database")
    seeded = _seeded(home, env, static=static)
    house = House(
        home=home,
        ports=ports,
        seeded=seeded,
        username=USERNAME,
        password=home.password(),
        environment=env,
    )
    with Processes(environment=env, logs=home.logs) as children:
        tell("starting gateway, back office and a stand-in for Meta")
        _start(children, house)
        try:
            yield house
        finally:
            tell("stopping")


def _seeded(home: Home, env: dict[str, str], *, static: bool) -> Seeded:
    wanted = {
        "username": USERNAME,
        "password": home.password(),
        "token": home.token(),
        "static": static,
    }
    said = child_processes.run(
        [sys.executable, "-m", "deploy.demo"],
        environment=env,
        timeout=120,
        words=json.dumps(wanted),
    )
    seeded = Seeded(**json.loads(said.splitlines()[-1]))
    home.keep_token(seeded.token)
    return seeded


def _start(children: Processes, house: House) -> None:
    meta = children.start("meta", *_meta(house))
    backoffice = children.start("backoffice", *_backoffice(house))
    gateway = children.start("gateway", *_gateway(house))
    children.wait_until_ready(meta, f"{house.meta}/sandbox/state", timeout=START_LIMIT)
    children.wait_until_ready(gateway, f"{house.gateway}/readyz", timeout=START_LIMIT)
    children.wait_until_ready(backoffice, f"{house.backoffice}/readyz", timeout=START_LIMIT)


def _meta(house: House) -> list[str]:
    address = f"{house.gateway}/webhook"
    port = str(house.ports.meta)
    return [sys.executable, "-m", "deploy.sandbox", "--port", port, "--webhook-url", address]


def _gateway(house: House) -> list[str]:
    port = str(house.ports.gateway)
    return [sys.executable, "-m", "uvicorn", "gateway.asgi:app", "--host", HOST, "--port", port]


def _backoffice(house: House) -> list[str]:
    bind = f"{HOST}:{house.ports.backoffice}"
    threads = ["--worker-class", "gthread", "--threads", "4", "--no-control-socket"]
    program = [sys.executable, "-m", "gunicorn", "backoffice.wsgi:application", "--bind", bind]
    return [*program, *threads]
