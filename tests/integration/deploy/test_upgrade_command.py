"""Tests of `rafflebot upgrade` with an installation of version 0.1.0."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import Settings
from rich.console import Console

from backoffice.maintenance import versions
from backoffice.maintenance.models import InstalledVersion
from deploy import upgrade
from shared.core.version import get_program_version
from shared.raffles.models import LedgerEntry
from tests import old_installation
from tests.databases import use_database

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.acceptance]


@pytest.fixture
def former_installation(
    vendor: str,
    run_folder: Path,
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """Restore the installation and enter a folder with its `.env`."""
    (tmp_path / ".env").write_text("META_APP_SECRETS=a,b\nMETA_GRAPH_VERSION=v19.0\n")
    monkeypatch.chdir(tmp_path)
    settings.STATIC_ROOT = tmp_path / ".env" / "static"  # which cannot be a folder
    with (
        old_installation.restore_database(vendor, run_folder) as address,
        use_database(address),
    ):
        ContentType.objects.clear_cache()
        yield
    ContentType.objects.clear_cache()


def run_check() -> tuple[int, dict[str, Any]]:
    """Return the exit code of `upgrade --check --json` and what it printed."""
    with pytest.MonkeyPatch.context() as patched:
        out = StringIO()
        patched.setattr("sys.stdout", out)
        code = upgrade.run_check(Console(file=StringIO()), machine=True)
    found: dict[str, Any] = json.loads(out.getvalue())
    return code, found


def run_upgrade(*, confirmed: bool = False, backup: Path | None = None) -> tuple[int, str]:
    """Return the exit code of `upgrade` and what it printed."""
    out = StringIO()
    code = upgrade.run_upgrade(
        Console(file=out, soft_wrap=True), backup=backup, confirmed=confirmed
    )
    return code, out.getvalue()


def test_says_what_is_due_asks_for_a_backup_and_does_it(
    former_installation: None, tmp_path: Path, vendor: str
) -> None:
    code, found = run_check()

    assert (code, found["due"], found["database"], found["former_may_run"]) == (3, True, None, True)
    assert found["program"] == get_program_version()
    names = [each["name"] for each in found["migrations"]]
    assert names.index("raffles.0005_last_day") < names.index("raffles.0006_ledger_of_the_past")
    [events] = [each for each in found["migrations"] if each["name"] == "events.0002_last_day"]
    assert events["rows"]["events_event"] > 10
    changes = {each["name"]: (each["kind"], each["words"]) for each in found["settings"]}
    assert changes["MAX_ORDERS_UNDER_REVIEW"][0] == "new"
    assert changes["META_APP_SECRETS"] == (
        "unread",
        "Nothing in this version reads it; was META_APP_SECRET meant?",
    )
    assert changes["META_GRAPH_VERSION"][0] == "outdated"

    code, said = run_upgrade()

    assert code == 2
    assert "Database: migrated by 0.2.0 or earlier, which recorded no version" in said
    assert "raffles.0006_ledger_of_the_past  Fill the ledger from the history of orders" in said
    assert "Gateway and back office may go on" in said
    assert said.endswith("`--yes` says that there is one.\n")
    assert "raffles_ledgerentry" not in connection.introspection.table_names()

    backup = tmp_path / "backup.tar.gz" if vendor == "sqlite" else None
    code, said = run_upgrade(backup=backup, confirmed=backup is None)

    assert code == 0, said
    assert backup is None or backup.exists()
    assert "Static files stay as they are, because they cannot be written here" in said
    assert "Done. Restart gateway and back office." in said
    assert versions.find_database_version() == get_program_version()
    assert run_check()[0] == 0

    LedgerEntry.objects.filter(kind="CONFIRMED").delete()  # as a former process leaves a payment

    code, found = run_check()
    assert (code, found["payments_without_entry"] > 0) == (3, True)
    assert run_upgrade(confirmed=True)[0] == 0
    assert run_check()[0] == 0

    MigrationRecorder(connection).record_applied("raffles", "9999_of_a_later_version")
    code, found = run_check()
    assert (code, found["due"], found["later_migration"]) == (
        1,
        False,
        "raffles.9999_of_a_later_version",
    )
    code, said = run_upgrade(confirmed=True)
    assert code == 1
    assert "which has the migration raffles.9999_of_a_later_version and is later" in said
    InstalledVersion.objects.create(version="99.0.0", migrated_at=datetime.now(UTC))
    MigrationRecorder(connection).record_unapplied("raffles", "9999_of_a_later_version")
    call_command("migrate", verbosity=0)
    assert run_check()[0] == 1, "a later release without migrations"
    assert versions.find_database_version() == "99.0.0", "an earlier one changed nothing"
