"""Tests of child processes: starting, waiting, stopping, and none left behind."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import child_processes
from deploy.child_processes import ChildProcesses, CommandFailed, ProcessFailed, find_free_ports
from shared.core.config import PROJECT_ROOT
from tests.waiting import PATIENCE, wait_until

SERVER = (sys.executable, "-m", "http.server", "--bind", "127.0.0.1")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def children(tmp_path: Path) -> ChildProcesses:
    return ChildProcesses(environment=os.environ, logs=tmp_path / "logs")


class TestFreePorts:
    def test_are_all_different(self) -> None:
        assert len(set(find_free_ports(0, 0, 0, 0))) == 4

    def test_a_preferred_port_that_somebody_listens_on_is_left_to_them(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]

            assert find_free_ports(port)[0] != port

        assert find_free_ports(port) == [port]


@pytest.mark.acceptance
class TestProcesses:
    def test_a_child_answers_then_stops_and_has_written_its_log(self, tmp_path: Path) -> None:
        [port] = find_free_ports(0)

        with children(tmp_path) as run:
            child = run.start("server", *SERVER, str(port))
            run.wait_until_ready(child, f"http://127.0.0.1:{port}/", timeout=PATIENCE)
            assert is_alive(child.popen.pid)

        assert not is_alive(child.popen.pid)
        assert "GET / HTTP/1.1" in child.log.read_text()

    def test_a_child_that_dies_is_named_with_the_end_of_its_log(self, tmp_path: Path) -> None:
        with children(tmp_path) as run:
            child = run.start("server", sys.executable, "-c", "raise SystemExit('no database')")

            with pytest.raises(ProcessFailed, match=r"server ended with code 1(.|\n)*no database"):
                run.wait_until_ready(child, "http://127.0.0.1:1/", timeout=PATIENCE)

    def test_a_child_that_never_answers_is_given_up(self, tmp_path: Path) -> None:
        with children(tmp_path) as run:
            child = run.start("server", sys.executable, "-c", "import time; time.sleep(60)")

            with pytest.raises(ProcessFailed, match="did not answer"):
                run.wait_until_ready(child, "http://127.0.0.1:1/", timeout=0.3)

        assert not child.is_running

    def test_a_child_that_will_not_end_is_made_to(self, tmp_path: Path) -> None:
        stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True)"
        run = children(tmp_path)
        with run:
            child = run.start("stubborn", sys.executable, "-c", stubborn + "; time.sleep(60)")
            wait_until(child.log.read_text)

            run.stop(timeout=0.2)

        assert child.popen.returncode == -signal.SIGKILL

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent")
    def test_no_child_outlives_a_parent_that_is_killed(self, tmp_path: Path) -> None:
        program = f"""
import os, pathlib, sys, time
from deploy.child_processes import ChildProcesses
with ChildProcesses(environment=os.environ, logs=pathlib.Path({str(tmp_path)!r})) as run:
    sleep = "import time; print(1, flush=True); time.sleep(60)"
    child = run.start("sleeper", sys.executable, "-c", sleep)
    while not child.log.read_text():
        time.sleep(0.02)
    print(child.popen.pid, flush=True)
    time.sleep(60)
"""
        with subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=PROJECT_ROOT
        ) as parent:
            assert parent.stdout is not None
            child = int(parent.stdout.readline())
            assert is_alive(child)

            parent.kill()

        wait_until(lambda: not is_alive(child))


class TestRun:
    def test_gives_what_the_command_wrote(self) -> None:
        said = child_processes.run_command(
            [sys.executable, "-c", "print(input()[::-1])"],
            environment=os.environ,
            timeout=PATIENCE,
            words="abc",
        )

        assert said == "cba\n"

    def test_a_failure_says_what_the_command_wrote(self) -> None:
        with pytest.raises(CommandFailed, match="no such table"):
            child_processes.run_command(
                [sys.executable, "-c", "raise SystemExit('no such table')"],
                environment=os.environ,
                timeout=PATIENCE,
            )
