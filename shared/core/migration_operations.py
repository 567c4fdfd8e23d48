"""Migration operations that Django lacks.

Those that change a constraint hold no lock for long, for tables that are full and in use. A
migration that uses them is not atomic, so that each operation is a transaction of its own. They may
run again after an interruption.
"""

from typing import Any

from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.models import CreateModel, IndexOperation
from django.db.models import CheckConstraint

# ruff: noqa: ARG002, SLF001 - Django gives each operation all arguments; `_meta` is public, and
# there is no public way to copy a SQLite table once


class ReplaceCheckConstraint(IndexOperation):
    """Replace a check constraint by another one of its name, without looking at the rows.

    PostgreSQL checks new rows only, until `ValidateCheckConstraint`. SQLite cannot change a
    constraint: it copies the table once, where removing and adding it would be two copies.

    Source: https://www.postgresql.org/docs/current/sql-altertable.html, "NOT VALID".
    """

    atomic = True
    option_name = "constraints"

    def __init__(self, model_name: str, constraint: CheckConstraint) -> None:
        self.model_name = model_name
        self.constraint = constraint

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Replace the constraint in the models."""
        state.remove_constraint(app_label, self.model_name_lower, self.constraint.name)
        state.add_constraint(app_label, self.model_name_lower, self.constraint)

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Replace the constraint in the database by that of the later models."""
        model = to_state.apps.get_model(app_label, self.model_name)
        named = {rule.name: rule for rule in model._meta.constraints}
        constraint = named[self.constraint.name]
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(constraint.remove_sql(model, schema_editor))
            added = constraint.create_sql(model, schema_editor)
            schema_editor.execute(f"{added} NOT VALID", params=None)
        else:
            schema_editor._remake_table(model)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Replace the constraint in the database by that of the earlier models."""
        self.database_forwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        """Return what it does, for the list of a plan."""
        return f"Replace check constraint {self.constraint.name} on model {self.model_name}"


class ValidateCheckConstraint(Operation):
    """Check the rows that were there before a constraint, while others read and write."""

    atomic = True

    def __init__(self, model_name: str, name: str) -> None:
        self.model_name = model_name
        self.name = name

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Leave the models as they are."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Check the rows on PostgreSQL; SQLite has checked them when it copied them."""
        if schema_editor.connection.vendor == "postgresql":
            quote = schema_editor.quote_name
            table = to_state.apps.get_model(app_label, self.model_name)._meta.db_table
            schema_editor.execute(
                f"ALTER TABLE {quote(table)} VALIDATE CONSTRAINT {quote(self.name)}"
            )

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Do nothing: a checked constraint stays checked."""

    def describe(self) -> str:
        """Return what it does, for the list of a plan."""
        return f"Validate check constraint {self.name} on model {self.model_name}"


class CreateModels(Operation):
    """Create models that refer to each other, for a migration that replaces others.

    Django would render every related model again after each of them: with the twenty models of
    raffles that takes four times as long.
    """

    def __init__(self, *models: CreateModel) -> None:
        self.models = models

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Add the models, and let Django render all of them when they are needed."""
        state.__dict__.pop("apps", None)
        for model in self.models:
            model.state_forwards(app_label, state)

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Create the tables."""
        for model in self.models:
            model.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Delete the tables."""
        for model in reversed(self.models):
            model.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        """Return what it does, for the list of a plan."""
        return f"Create models {', '.join(model.name for model in self.models)}"
