"""The migrations of the code, compared with those that the database has."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def count_unapplied_migrations() -> int:
    """Return how many migrations the code has and the database lacks.

    Raises:
        DatabaseError: the database does not answer.

    """
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
