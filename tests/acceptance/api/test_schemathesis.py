"""Tests of the running API with requests that Schemathesis generates from the OpenAPI document.

For a longer run, start a back office and use the same configuration:

    API_ADDRESS=http://127.0.0.1:8000 API_TOKEN=rtb_… API_DRAW_TOKEN=rtb_… uv run st \\
        --config-file tests/acceptance/api/schemathesis.toml run $API_ADDRESS/api/schema -n 200
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.api.conftest import ApiServer

pytestmark = pytest.mark.xdist_group("api")

ROOT: Final = Path(__file__).resolve().parents[3]
CONFIGURATION: Final = Path(__file__).parent / "schemathesis.toml"
EXAMPLES: Final = 3
"""Examples per operation and generation mode; the coverage phase adds about fifty per operation."""


def test_no_request_breaks_a_promise_of_the_document(api_server: ApiServer, tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION)),
        *("run", f"{api_server.address}/api/schema", "--no-color", "-n", str(EXAMPLES)),
    ]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "API_ADDRESS": api_server.address,
        "API_TOKEN": api_server.seeded.token,
        "API_DRAW_TOKEN": api_server.seeded.draw_token,
    }

    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr
    assert "No issues found" in done.stdout
