"""The files that the database names: payment proofs and pictures of raffles."""

# ruff: noqa: SLF001 - `_meta` is public: https://docs.djangoproject.com/en/6.0/ref/models/meta/

from dataclasses import dataclass

from django.apps import apps
from django.core.files.storage import default_storage, storages
from django.db import connection
from django.db.models import FileField


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column with names of files.

    Attributes:
        storage: alias of their storage.

    """

    table: str
    column: str
    storage: str

    @property
    def query(self) -> str:
        """SQL for the names, each once and sorted."""
        column = connection.ops.quote_name(self.column)
        table = connection.ops.quote_name(self.table)
        return f"SELECT DISTINCT {column} FROM {table} WHERE {column} <> '' ORDER BY {column}"  # noqa: S608 - names from the models


def list_file_columns() -> list[FileColumn]:
    """Return the columns of all file fields of the installed models."""
    return [
        FileColumn(model._meta.db_table, field.column, _find_alias(field))
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, FileField) and field.column
    ]


def _find_alias(field: FileField) -> str:
    """Return the alias of a field's storage in the setting `STORAGES`."""
    storage = field.deconstruct()[3].get("storage", default_storage)
    if callable(storage):
        storage = storage()
    return next(alias for alias in storages.backends if storages[alias] == storage)
