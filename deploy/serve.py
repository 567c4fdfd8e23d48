"""`rafflebot serve`: gateway and back office together, until a signal or until one of them ends."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final

import httpx
from rich.console import Console
from rich.text import Text

from deploy import child_processes, server_commands
from deploy.child_processes import LOOPBACK_HOST

STOP_SECONDS: Final = 120.0
"""Seconds both may take to stop; a gateway drains for up to 60 and then finishes its work."""
POLL_SECONDS: Final = 0.2
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ALL_ADDRESSES: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound


@dataclass(frozen=True)
class Service:
    """A process to run.

    Attributes:
        name: what it is called in sentences.
        command: program and arguments.
        address: where it can be reached.

    """

    name: str
    command: Sequence[str]
    address: str


@dataclass
class _RunningService:
    service: Service
    popen: "subprocess.Popen[bytes]"
    announced: bool = False


@dataclass
class _Signals:
    """Counts the signals that ask this process to stop."""

    count: int = 0

    def receive(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1


def run_server(console: Console, *, host: str, gateway_port: int, backoffice_port: int) -> int:
    """Run gateway and back office, if the addresses are free and the database has all migrations.

    Args:
        console: shows the addresses and why the run ended; the processes write beside it.
        host: address to listen on.
        gateway_port: port of the gateway.
        backoffice_port: port of the back office.

    Returns:
        The exit code: 0 after a signal, 1 if nothing was started or a process ended by itself.

    """
    if problem := find_address_problem(host, gateway_port, backoffice_port) or (
        find_migration_problem()
    ):
        console.print(Text(problem, "red"))
        return 1
    reachable = LOOPBACK_HOST if host in ALL_ADDRESSES else server_commands.format_host(host)
    gateway = server_commands.build_gateway_command(host=host, port=gateway_port)
    backoffice = server_commands.build_backoffice_command(host=host, port=backoffice_port)
    return run_services(
        console,
        Service("The gateway", gateway, f"http://{reachable}:{gateway_port}"),
        Service("The back office", backoffice, f"http://{reachable}:{backoffice_port}"),
    )


def find_address_problem(host: str, *ports: int) -> str | None:
    """Return why nothing can listen on one of the ports of an address, or None.

    The processes would say so, too, but between many other lines; and what already listens there
    could be taken for them.
    """
    with ExitStack() as stack:  # all stay bound until the end, so that no two may be the same
        for port in ports:
            try:
                family, kind, _, _, address = socket.getaddrinfo(
                    host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
                )[0]
                probe = stack.enter_context(socket.socket(family, kind))
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
                probe.listen()
            except OSError as error:
                return (
                    f"Nothing can listen on port {port} of {host}: {error.strerror}. "
                    "Nothing was started; --host, --gateway-port and --backoffice-port choose "
                    "other addresses."
                )
    return None


def find_migration_problem() -> str | None:
    """Return why the database cannot be used yet, or None.

    A process of its own asks, so that this one stays small while it waits.
    """
    asked = subprocess.run(
        server_commands.build_manage_command("migrate", "--check", "--skip-checks"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if not asked.returncode:
        return None
    return asked.stderr.strip() or (
        "The database lacks migrations, so nothing was started. Run `uv run manage migrate` first."
    )


def run_services(console: Console, *services: Service) -> int:
    """Run services until a signal stops them, or until one ends, which also stops the others.

    A second signal kills what is still running.

    Returns:
        The exit code: 0 after a signal, 1 if a service ended by itself.

    """
    no_keep_alive = httpx.Limits(max_keepalive_connections=0)  # it would delay the end of gunicorn
    with (
        _count_signals() as signals,
        httpx.Client(timeout=2, trust_env=False, limits=no_keep_alive) as client,
    ):
        running = [_start(service) for service in services]
        try:
            while not signals.count and all(each.popen.poll() is None for each in running):
                _announce(console, client, running)
                time.sleep(POLL_SECONDS)
            ended = [each for each in running if each.popen.poll() is not None]
            for each in ended if not signals.count else []:
                words = f"{each.service.name} ended with code {each.popen.returncode}."
                console.print(Text(f"{words} Stopping the rest.", "red"))
            _stop(running, signals)
        finally:
            _kill(running)
    return 0 if not ended or signals.count else 1


@contextmanager
def _count_signals() -> Iterator[_Signals]:
    signals = _Signals()
    previous = {number: signal.signal(number, signals.receive) for number in STOP_SIGNALS}
    try:
        yield signals
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _start(service: Service) -> _RunningService:
    popen = subprocess.Popen(
        child_processes.build_child_command(service.command),
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C in the terminal is for this process, which passes it on
    )
    return _RunningService(service, popen)


def _announce(console: Console, client: httpx.Client, running: Sequence[_RunningService]) -> None:
    """Print the address of each service once it is ready."""
    for each in running:
        address = each.service.address
        if not each.announced and child_processes.is_answering(client, f"{address}/readyz"):
            each.announced = True
            console.print(f"{each.service.name} is ready at {address}")


def _stop(running: Sequence[_RunningService], signals: _Signals) -> None:
    """Ask every process to stop, and wait until it has, unless another signal arrives."""
    expected_signals = min(signals.count, 1)
    give_up_at = time.monotonic() + STOP_SECONDS
    for each in running:
        if each.popen.poll() is None:
            each.popen.terminate()
    while any(each.popen.poll() is None for each in running):
        if signals.count > expected_signals or time.monotonic() > give_up_at:
            return
        time.sleep(POLL_SECONDS)


def _kill(running: Sequence[_RunningService]) -> None:
    """Kill what still runs, with the processes that it started."""
    for each in running:
        if each.popen.poll() is None:
            os.killpg(each.popen.pid, signal.SIGKILL)
            each.popen.wait()
