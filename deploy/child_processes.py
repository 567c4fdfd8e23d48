"""Child processes with a log file each: free ports, start, wait until ready, stop."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import httpx

from shared.core.config import PROJECT_ROOT

LOOPBACK_HOST: Final = "127.0.0.1"
LOG_TAIL_LINES: Final = 15
"""Lines of a log that are shown when its process failed."""


class ProcessFailed(Exception):
    """A child process ended or did not answer in time; the message has the end of its log."""

    def __init__(self, child: "ChildProcess", *, what: str) -> None:
        super().__init__(
            f"{child.name} {what}. Its log, {child.log}, ends:\n{read_log_tail(child.log)}"
        )


class CommandFailed(Exception):
    """A command failed; the message has its output."""


@dataclass(frozen=True)
class ChildProcess:
    """A process that we started, and its log file."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self.popen.poll() is None

    def stop(self, *, timeout: float) -> None:
        """Terminate the process; kill it if it has not ended after `timeout` seconds."""
        if not self.is_running:
            return
        self.popen.terminate()
        try:
            self.popen.wait(timeout=timeout)
        except subprocess.TimeoutExpired:
            # the process has its own session: this also kills the workers it started
            os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait()


def build_child_command(command: Sequence[str]) -> list[str]:
    """Return the command that runs `command` until it ends, or until this process does."""
    return [sys.executable, "-m", "deploy.die_with_parent", str(os.getpid()), *command]


def read_log_tail(log: Path) -> str:
    """Return the last lines of a log, indented."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(f"  {line}" for line in lines[-LOG_TAIL_LINES:])


def find_free_ports(*preferred: int) -> list[int]:
    """Return a free loopback port for each argument: that port, or any if it is taken or 0."""
    with ExitStack() as stack:  # all stay bound until the end, so that no two are the same
        return [_bind_port(stack.enter_context(socket.socket()), port) for port in preferred]


def _bind_port(probe: socket.socket, port: int) -> int:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((LOOPBACK_HOST, port))
    except OSError:
        probe.bind((LOOPBACK_HOST, 0))
    number: int = probe.getsockname()[1]
    return number


def run_command(
    command: Sequence[str], *, environment: Mapping[str, str], timeout: float, words: str = ""
) -> str:
    """Run a command to its end, in the project's root.

    Args:
        command: program and arguments.
        environment: the complete environment.
        timeout: seconds it may take.
        words: text for its standard input.

    Returns:
        Its standard output.

    Raises:
        CommandFailed: it ended with an error code.
        subprocess.TimeoutExpired: it took longer than `timeout`.

    """
    done = subprocess.run(
        command,
        cwd=PROJECT_ROOT,
        env=dict(environment),
        input=words,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode:
        raise CommandFailed(f"`{' '.join(command[-2:])}` failed:\n{done.stdout}{done.stderr}")
    return done.stdout


class ChildProcesses:
    """Child processes that stop, the last one first, at the end of the `with` block."""

    def __init__(self, *, environment: Mapping[str, str], logs: Path) -> None:
        self._environment = dict(environment)
        self._logs = logs
        self.children: list[ChildProcess] = []

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, name: str, *command: str) -> ChildProcess:
        """Start `command` in the project's root, with output to a new `NAME.log`."""
        log = self._logs / f"{name}.log"
        with log.open("wb") as out:
            popen = subprocess.Popen(
                build_child_command(command),
                cwd=PROJECT_ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal is for the parent alone
            )
        child = ChildProcess(name=name, popen=popen, log=log)
        self.children.append(child)
        return child

    def wait_until_ready(self, child: ChildProcess, address: str, *, timeout: float) -> None:
        """Request `address` until it answers with success.

        Raises:
            ProcessFailed: the process ended, or `timeout` seconds passed.

        """
        give_up_at = time.monotonic() + timeout
        with httpx.Client(
            timeout=2, trust_env=False
        ) as client:  # a single one: each reads certificates
            while time.monotonic() < give_up_at:
                if not child.is_running:
                    raise ProcessFailed(child, what=f"ended with code {child.popen.returncode}")
                if is_answering(client, address):
                    return
                time.sleep(0.1)
        raise ProcessFailed(child, what=f"did not answer at {address} within {timeout:.0f} s")

    def stop(self, *, timeout: float = 10) -> None:
        """Stop every child; kill those that have not ended after `timeout` seconds."""
        while self.children:
            self.children.pop().stop(timeout=timeout)


def is_answering(client: httpx.Client, address: str) -> bool:
    """Whether a request to `address` is answered with success."""
    try:
        return client.get(address).is_success
    except httpx.HTTPError:
        return False
