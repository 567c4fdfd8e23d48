"""Tests of starting without configuration: each process lists everything that is missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.core.config import Settings
from tests.waiting import PATIENCE

pytestmark = pytest.mark.xdist_group("starting")

GATEWAY = ("uvicorn", "gateway.asgi:app", "--port", "0")
BACKOFFICE = ("gunicorn", "backoffice.wsgi:application", "--bind", "127.0.0.1:0")
NO_SOCKET = "--no-control-socket"
FOR_META = {"META_APP_SECRET", "META_VERIFY_TOKEN", "META_ACCESS_TOKEN", "META_PHONE_NUMBER_ID"}


def run_without_configuration(
    *command: str, folder: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder without a `.env`, with only `variables` of the bot set."""
    ours = {name.upper() for name in Settings.model_fields} | {"DJANGO_SETTINGS_MODULE"}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(
        [str(Path(sys.executable).with_name(command[0])), *command[1:]],
        env=environment | variables,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def parse_listed_variables(said: str) -> set[str]:
    """Return the variables that the output lists, each on its own line."""
    lines = (line.partition(":")[0] for line in said.splitlines() if line.startswith("  "))
    return {line.strip() for line in lines if line.strip().isupper()}


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        pytest.param(GATEWAY, {"DJANGO_SECRET_KEY", *FOR_META}, id="gateway"),
        pytest.param((*BACKOFFICE, NO_SOCKET), {"DJANGO_SECRET_KEY"}, id="back office"),
        pytest.param(("manage", "check"), {"DJANGO_SECRET_KEY"}, id="manage"),
    ],
)
def test_a_start_without_configuration_names_everything_at_once_and_fails(
    command: tuple[str, ...], missing: set[str], tmp_path: Path
) -> None:
    wrong = {"DATABASE_URL": "oracle://nowhere", "LOG_LEVEL": "loud", "PUBLIC_URL": "nonsense"}
    done = run_without_configuration(*command, folder=tmp_path, **wrong)

    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert parse_listed_variables(said) == {*wrong, *missing}
    assert "Traceback" not in said
    assert "oracle" not in said
