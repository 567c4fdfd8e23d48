"""`rafflebot upgrade --check`: what an update will do to this installation.

Import it after `django.setup()`.
"""

import json
from dataclasses import asdict, dataclass
from typing import Final

from django.db import connection
from rich.console import Console
from rich.text import Text

from backoffice.maintenance import versions
from deploy.upgrade import environment, migration_plan, releases
from deploy.upgrade.environment import SettingChange
from deploy.upgrade.migration_plan import PlannedMigration
from shared.core.config import PROJECT_ROOT
from shared.core.version import get_program_version
from shared.use_cases import former_version

SETTING_TITLES: Final = {
    "new": "New settings, all with defaults",
    "unread": "Settings that nothing reads",
    "outdated": "Outdated values",
}


@dataclass(frozen=True, slots=True)
class UpgradeReport:
    """What an update will do.

    Attributes:
        program: version of the program.
        database: version that migrated the database; None: 0.2.0 or earlier, or it is new.
        is_new: whether the database has no tables yet.
        later_migration: one that this version does not know, if a later one migrated the database.
        migrations: those that are not applied, in order.
        settings: settings to think about.
        notes: what the changelog says about upgrading, by release.
        payments_without_entry: payments of former processes that still have to be completed.

    """

    program: str
    database: str | None
    is_new: bool
    later_migration: str | None
    migrations: list[PlannedMigration]
    settings: list[SettingChange]
    notes: dict[str, str]
    payments_without_entry: int

    @property
    def is_due(self) -> bool:
        """Whether `rafflebot upgrade` has something to do."""
        if self.is_downgrade:
            return False
        return bool(self.migrations or self.database != self.program or self.payments_without_entry)

    @property
    def is_downgrade(self) -> bool:
        """Whether a later version has migrated the database."""
        return self.later_migration is not None or (
            self.database is not None and releases.is_later(self.database, than=self.program)
        )

    @property
    def former_may_run(self) -> bool:
        """Whether processes of the version that migrated the database may go on meanwhile."""
        return not releases.is_later(releases.FORMER_VERSION, than=self.database)


def build_report() -> UpgradeReport:
    """Compare the program with the database and with the settings; change nothing."""
    database = versions.find_database_version()
    migrations = migration_plan.list_planned_migrations()
    is_new = not connection.introspection.table_names()
    return UpgradeReport(
        program=get_program_version(),
        database=database,
        is_new=is_new,
        later_migration=versions.find_later_migration(),
        migrations=migrations,
        settings=environment.list_setting_changes(since=database),
        notes={} if is_new else _read_notes(database),
        payments_without_entry=(0 if migrations else former_version.count_payments_without_entry()),
    )


def _read_notes(database: str | None) -> dict[str, str]:
    notes = releases.read_notes(PROJECT_ROOT / "CHANGELOG.md", since=database)
    if database == get_program_version():
        notes.pop(releases.UNRELEASED, None)
    return notes


def render_report_as_json(report: UpgradeReport) -> str:
    """Return the report as JSON."""
    about = {"due": report.is_due, "former_may_run": report.former_may_run}
    return json.dumps({**about, **asdict(report)}, indent=2)


def print_report(report: UpgradeReport, console: Console) -> None:
    """Print the report for a person."""
    console.print(Text(f"Program:  {report.program}"))
    console.print(Text(f"Database: {_describe_database(report)}"))
    if report.is_downgrade:
        _print_lines(console, describe_downgrade(report), [])
        return
    _print_migrations(report, console)
    for kind, title in SETTING_TITLES.items():
        lines = [f"{each.name}  {each.words}" for each in report.settings if each.kind == kind]
        if lines:
            _print_lines(console, title, lines)
    for version, note in report.notes.items():
        _print_lines(console, f"Notes on {version}", note.splitlines())
    if report.payments_without_entry:
        line = (
            f"{report.payments_without_entry:,} payments that processes of version "
            f"{releases.FORMER_VERSION} confirmed after the update are in no sum yet."
        )
        _print_lines(console, "To complete", [line])
    _print_lines(console, _describe_next_step(report), [])


def describe_downgrade(report: UpgradeReport) -> str:
    """Return why this version changes nothing in a database of a later one."""
    recorded = report.database
    by = recorded if recorded and recorded != report.program else "another version"
    has = f", which has the migration {report.later_migration}" if report.later_migration else ""
    return (
        f"The database was migrated by {by}{has} and is later than this program: nothing was "
        "changed. Install that version again, or restore the backup made before the update."
    )


def _describe_database(report: UpgradeReport) -> str:
    if report.database:
        return f"migrated by {report.database}"
    if report.is_new:
        return "new, without tables"
    return f"migrated by {releases.FIRST_RECORDED_AFTER} or earlier, which recorded no version"


def _print_migrations(report: UpgradeReport, console: Console) -> None:
    if report.is_new:
        _print_lines(console, f"{len(report.migrations)} migrations create all tables", [])
        return
    if not report.migrations:
        _print_lines(console, "Migrations: all are applied", [])
        return
    lines = []
    for migration in report.migrations:
        large = ", ".join(f"{name}: {rows:,} rows" for name, rows in migration.large_tables.items())
        lines.append(f"{migration.name}  {migration.words}" + (f" ({large})" if large else ""))
    _print_lines(console, f"{len(lines)} migrations, in this order", lines)
    _print_lines(console, "While they run", _describe_running_processes(report))


def _describe_running_processes(report: UpgradeReport) -> list[str]:
    if not report.former_may_run:
        return ["Stop gateway and back office first: they are too old to run beside this version."]
    lines = ["Gateway and back office may go on; restart them with this version afterwards."]
    if connection.vendor == "sqlite":
        lines.append(
            "SQLite has one lock: with tables marked above, messages wait for some seconds each."
        )
    return lines


def _describe_next_step(report: UpgradeReport) -> str:
    if not report.is_due:
        return "Nothing to do."
    return "Next step: `rafflebot upgrade`, which asks for a backup first."


def _print_lines(console: Console, title: str, lines: list[str]) -> None:
    console.print()
    console.print(Text(title, "bold"))
    for line in lines:
        console.print(Text(f"  {line}"))
