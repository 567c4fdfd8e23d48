"""Tests of the shipped units: systemd accepts them, and their commands run."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from pytest_django import DjangoDbBlocker

from gateway.app import SHUTDOWN_TIMEOUT_SECONDS
from shared.core.config import PROJECT_ROOT, Settings
from tests.conftest import skip_or_fail
from tests.databases import DatabaseFactory
from tests.systemd_units import UNITS_FOLDER, read_command, read_setting, use_local_paths

pytestmark = pytest.mark.xdist_group("systemd-units")

UNITS: Final = (
    "raffle-backoffice.service",
    "raffle-backup.service",
    "raffle-backup.timer",
    "raffle-gateway@8080.service",
    "raffle-migrate.service",
    "raffle-retention.service",
    "raffle-retention.timer",
)
COMMANDS: Final = (
    ("raffle-migrate.service", "ExecStart"),
    ("raffle-gateway@.service", "ExecStartPre"),
    ("raffle-backup.service", "ExecStartPre"),
    ("raffle-backup.service", "ExecStart"),
    ("raffle-backup.service", "ExecStartPost"),
    ("raffle-retention.service", "ExecStart"),
)
"""Commands that end; those of the servers run in the tests of reverse proxies."""
LONG_AGO: Final = datetime(2026, 1, 1, tzinfo=UTC)
MAX_EXPOSURE: Final = 20
"""Tenths of systemd's exposure level, which counts what a broken process could still do."""


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """Return a folder with the units and the paths of this machine; skip without systemd."""
    if shutil.which("systemd-analyze") is None:
        skip_or_fail("systemd-analyze is not installed (apt-get install systemd)")
    folder = tmp_path / "units"
    shutil.copytree(UNITS_FOLDER, folder)
    for file in (path for path in folder.rglob("*") if path.is_file()):
        file.write_text(use_local_paths(file.read_text()))
    return folder


@pytest.fixture
def installation(
    tmp_path: Path, run_folder: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[dict[str, str]]:
    """Return the environment of an installation with a migrated database."""
    with django_db_blocker.unblock(), DatabaseFactory("sqlite", run_folder).fresh() as address:
        yield {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": address,
            "DJANGO_SECRET_KEY": "only-for-tests-" + "x" * 40,
            "MEDIA_ROOT": str(tmp_path / "media"),
            "RETENTION_DAYS": "90",
        }


def run_analyze(*arguments: str, units: Path) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze with only these units and those of the system."""
    return subprocess.run(
        ["systemd-analyze", *arguments],
        env={"PATH": os.environ["PATH"], "SYSTEMD_UNIT_PATH": f"{units}:"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_systemd_accepts_the_units(units: Path) -> None:
    verified = run_analyze("verify", "--recursive-errors=no", *UNITS, units=units)

    assert (verified.returncode, verified.stderr) == (0, "")


def test_the_units_are_hardened_also_those_of_a_template(units: Path) -> None:
    services = [unit for unit in UNITS if unit.endswith(".service")]
    judged = run_analyze(
        *("security", "--offline=true", f"--threshold={MAX_EXPOSURE}", "--no-pager"),
        *services,
        units=units,
    )

    assert judged.returncode == 0, judged.stdout[-2_000:]


def test_systemd_waits_longer_than_a_gateway_takes_to_stop() -> None:
    command = read_command("raffle-gateway@.service", instance="8080")
    requests = float(command[command.index("--timeout-graceful-shutdown") + 1])
    drain = float(Settings.model_json_schema()["properties"]["drain_seconds"]["maximum"])

    timeout = float(read_setting("raffle-gateway@.service", key="TimeoutStopSec"))

    assert timeout > drain + requests + SHUTDOWN_TIMEOUT_SECONDS


def test_migrating_backup_and_retention_run(installation: dict[str, str], tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    backups.mkdir()
    killed = backups / ".backup-killed"
    killed.mkdir()
    (killed / "database").touch()
    for name in ("raffle-2026-11-01.tar.gz", "another.tar.gz"):
        (backups / name).touch()
    for name in ("raffle-2026-11-01.tar.gz", "another.tar.gz", ".backup-killed"):
        os.utime(backups / name, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))

    for unit, key in COMMANDS:
        subprocess.run(
            read_command(unit, key=key, data=tmp_path),
            cwd=PROJECT_ROOT,
            env=installation,
            check=True,
            capture_output=True,
        )

    kept = sorted(file.name for file in backups.iterdir())
    assert kept[0] == "another.tar.gz"
    assert [re.sub(r"\d", "9", name) for name in kept[1:]] == ["raffle-9999-99-99T999999.tar.gz"]
