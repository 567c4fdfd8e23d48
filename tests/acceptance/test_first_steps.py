"""Tests of the first commands in a fresh clone, as a newcomer runs them."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.exit_codes import UPGRADE_DUE_EXIT_CODE
from shared.core.config import Settings
from shared.core.version import get_program_version
from tests.waiting import PATIENCE

pytestmark = pytest.mark.xdist_group("starting")


def run_manage(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `manage` in a folder without a `.env`, with only `variables` of the bot set."""
    return run_command("manage", *arguments, folder=folder, **variables)


def run_command(
    command: str, *arguments: str, folder: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command of the project in the same way."""
    ours = {name.upper() for name in Settings.model_fields} | {"DJANGO_SETTINGS_MODULE"}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(
        [str(Path(sys.executable).with_name(command)), *arguments],
        env=environment | variables,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_rafflebot_names_its_version_and_says_that_a_new_database_is_due(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'new.sqlite3'}"

    version = run_command("rafflebot", "--version", folder=tmp_path)
    check = run_command(
        "rafflebot",
        "upgrade",
        "--check",
        folder=tmp_path,
        DJANGO_SECRET_KEY="x" * 50,
        DATABASE_URL=database,
    )

    assert (version.returncode, version.stdout.strip()) == (0, get_program_version())
    assert check.returncode == UPGRADE_DUE_EXIT_CODE, check.stderr
    assert "Database: new, without tables" in check.stdout


def test_help_needs_no_configuration(tmp_path: Path) -> None:
    done = run_manage("help", folder=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "migrate" in done.stdout
    assert "check_inventory" in done.stdout


def test_migrate_says_what_to_do_first(tmp_path: Path) -> None:
    done = run_manage("migrate", folder=tmp_path)

    assert done.returncode == 1
    assert "DJANGO_SECRET_KEY: is required and missing" in done.stderr
    for step in ("cp .env.example .env", "rafflebot secrets >> .env", "rafflebot demo"):
        assert step in done.stderr
    assert "Traceback" not in done.stderr


def test_migrate_makes_the_folder_of_the_database(tmp_path: Path) -> None:
    file = tmp_path / "var" / "deep" / "raffle.sqlite3"

    done = run_manage(
        "migrate",
        "contenttypes",
        folder=tmp_path,
        DJANGO_SECRET_KEY="k" * 50,
        DATABASE_URL=f"sqlite:///{file}",
    )

    assert done.returncode == 0, done.stderr
    with sqlite3.connect(file) as database:
        assert database.execute("SELECT count(*) FROM django_migrations").fetchone()[0] > 0


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite:///{file}/raffle.sqlite3", "cannot be made: Not a directory. Choose another"),
        ("postgres://raffle:hunter2@127.0.0.1:1/raffle", "The database does not answer: "),
        ("sqlite:///{empty}", "Run `uv run manage migrate` first."),
    ],
)
def test_a_database_that_does_not_do_is_a_sentence(tmp_path: Path, url: str, sentence: str) -> None:
    (file := tmp_path / "a file").write_text("")
    done = run_manage(
        "expire_reservations",
        folder=tmp_path,
        DJANGO_SECRET_KEY="k" * 50,
        DATABASE_URL=url.format(file=file / "deeper", empty=tmp_path / "empty.sqlite3"),
    )

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr
