"""The migrations that are not applied yet, in words, with the size of the tables they change.

Import it after `django.setup()`.
"""

import inspect
from dataclasses import dataclass
from typing import Final

from django.apps import apps
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.models import CreateModel

LARGE_TABLE: Final = 50_000
"""Rows from which a table is called large: to copy it takes SQLite a second or more."""


@dataclass(frozen=True, slots=True)
class PlannedMigration:
    """A migration that is not applied.

    Attributes:
        name: e.g. `raffles.0005_last_day`.
        words: what it does, as a sentence.
        rows: count of rows of each existing table that it changes.

    """

    name: str
    words: str
    rows: dict[str, int]

    @property
    def large_tables(self) -> dict[str, int]:
        """The tables that are large, with their rows."""
        return {table: rows for table, rows in self.rows.items() if rows >= LARGE_TABLE}


def list_planned_migrations() -> list[PlannedMigration]:
    """Return the migrations that are not applied, in the order in which they run."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    tables = set(connection.introspection.table_names())
    counted: dict[str, int] = {}
    planned = []
    for migration, _ in plan:
        changed = sorted(_list_changed_tables(migration) & tables)
        for table in changed:
            counted.setdefault(table, _count_rows(table))
        planned.append(
            PlannedMigration(
                f"{migration.app_label}.{migration.name}",
                describe_migration(migration),
                {table: counted[table] for table in changed},
            )
        )
    return planned


def describe_migration(migration: Migration) -> str:
    """Return the first line of a migration's module, else the descriptions of its operations."""
    module = inspect.getmodule(type(migration))
    written = inspect.getdoc(module) if module else None
    if written:
        return written.splitlines()[0]
    return "; ".join(operation.describe() for operation in migration.operations) + "."


def _list_changed_tables(migration: Migration) -> set[str]:
    """Return the tables of the models that a migration changes, as far as there are such models.

    The models of today will do: no table changes its name. Django would take long to compute those
    of the past.
    """
    models = apps.get_app_config(migration.app_label).models
    names = {
        operation.model_name.lower()
        for operation in migration.operations
        if hasattr(operation, "model_name") and not isinstance(operation, CreateModel)
    }
    return {models[name]._meta.db_table for name in names & models.keys()}  # noqa: SLF001 - Django's documented API


def _count_rows(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM {connection.ops.quote_name(table)}"  # noqa: S608 - from the models
        )
        return int(cursor.fetchone()[0])
