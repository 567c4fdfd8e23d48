"""Tests of the sandbox as a separate process that listens on loopback only."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.sandbox import uvicorn_server
from deploy.sandbox.client import SandboxClient
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[4]


class TestListening:
    @pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
    def test_is_refused_where_others_could_reach_it(self, host: str) -> None:
        with pytest.raises(uvicorn_server.NotLoopback):
            uvicorn_server.open_loopback_socket(host, 0)

    def test_takes_a_free_port(self) -> None:
        opened = uvicorn_server.open_loopback_socket("localhost", 0)

        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", uvicorn_server.format_address(opened))
        opened.close()


@pytest.mark.acceptance
class TestProcess:
    def test_plays_who_the_environment_says_and_stops_when_told(self) -> None:
        environment = {
            **os.environ,
            "META_PHONE_NUMBER_ID": "111, 222",
            "META_WABA_ID": "333",
            "META_APP_SECRET": "new, old",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.sandbox", "--port", "0"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            with SandboxClient(url) as sandbox:
                state = sandbox.state()
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
        finally:
            process.kill()
            process.communicate()

        assert state["phone_number_ids"] == ["111", "222"]
        assert state["waba_id"] == "333"

    def test_says_why_it_cannot_start(self) -> None:
        ended = subprocess.run(
            [sys.executable, "-m", "deploy.sandbox", "--host", "0.0.0.0"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

        assert ended.returncode == 1
        assert "loopback" in ended.stderr
