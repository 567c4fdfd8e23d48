"""Tests of updates of databases that have some of the migrations which others replace."""

from collections.abc import Iterator, Sequence

import pytest
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]

type Key = tuple[str, str]


class SharingLoader(MigrationLoader):
    """Django's loader with the files that another one has read."""

    def __init__(self, other: MigrationLoader) -> None:
        self.other = other
        super().__init__(connection)

    def load_disk(self) -> None:
        """Take the migrations of the other loader."""
        self.disk_migrations = self.other.disk_migrations
        self.migrated_apps = self.other.migrated_apps
        self.unmigrated_apps = self.other.unmigrated_apps


def list_databases(steps: set[Key]) -> Iterator[set[Key]]:
    """Yield the fewest migrations that a database has with each one, and the most without it."""
    graph = MigrationLoader(None, replace_migrations=False).graph
    for step in sorted(steps):
        yield set(graph.forwards_plan(step))
        yield steps - set(graph.backwards_plan(step))


def record(applied: set[Key]) -> None:
    """Say in the database that these migrations are applied, and no other."""
    rows = MigrationRecorder(connection).migration_qs
    rows.all().delete()
    rows.bulk_create(MigrationRecorder.Migration(app=app, name=name) for app, name in applied)


def list_steps(migration: Migration) -> Sequence[Key]:
    """Return what a migration replaces, else the migration itself."""
    return migration.replaces or [(migration.app_label, migration.name)]


def test_go_on_from_every_step_in_the_order_of_dependencies() -> None:
    executor = MigrationExecutor(connection)
    replacements = executor.loader.replacements.keys()
    steps = executor.loader.disk_migrations.keys() - replacements
    assert len(replacements) > 1

    for applied in list_databases(steps):
        record(applied)
        executor.loader = SharingLoader(executor.loader)
        executor.loader.check_consistent_history(connection)
        assert executor.loader.detect_conflicts() == {}

        done = [*applied]
        for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes()):
            needed = {key for key in migration.dependencies if key[1] != "__first__"}
            assert needed - replacements <= set(done), migration
            done += list_steps(migration)

        assert sorted(done) == sorted(steps)
