"""Inserts whose statement is built once and run many times with other rows.

`save` and `bulk_create` build their statement anew each time, which takes ten times as long as the
database needs to run it; see `compiled_queries`.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from shared.core.statements.bound_statements import BoundStatement, run_statement

_ROWS_PER_STATEMENT: Final = 500
"""Well below the 32,766 variables of a statement on SQLite."""


class CompiledInsert[Row: models.Model]:
    """An insert of new instances of one model."""

    def __init__(self, model: type[Row], *, unique: Sequence[str] = ()) -> None:
        """Create an insert.

        Args:
            model: the model; no code may listen to its `pre_save` and `post_save`.
            unique: columns of a unique constraint; a row that exists by it is skipped.

        """
        self._model = model
        self._unique = unique
        self._fields: Final[dict[bool, list[models.Field[Any, Any]]]] = {}
        self._statements: Final[dict[tuple[str, int, bool], str]] = {}

    def run(self, rows: Sequence[Row]) -> None:
        """Insert the rows and set their ids, as `bulk_create` does.

        An id that is set already is inserted. None is set if there are `unique` columns, because
        a row that was skipped has none.

        Args:
            rows: instances, either all with an id or all without.

        Raises:
            IntegrityError: they violate another constraint.
            TypeError: a value is an expression, such as a default of the database.

        """
        for start in range(0, len(rows), _ROWS_PER_STATEMENT):
            run_statement(self.bind(rows[start : start + _ROWS_PER_STATEMENT]))

    def bind(self, rows: Sequence[Row]) -> BoundStatement[int]:
        """Return the statement that inserts up to 500 rows, to be run together with others.

        Its result is the count of inserted rows.

        Args:
            rows: as in `run`.

        Raises:
            TypeError: as in `run`.

        """
        database = connections[DEFAULT_DB_ALIAS]  # looked up once, which costs as much as a value
        has_ids = rows[0].pk is not None
        fields = self._list_fields(with_id=has_ids)

        def set_ids(cursor: CursorWrapper) -> int:
            inserted = int(cursor.rowcount)
            if not (has_ids or self._unique):
                ids = cursor.fetchall()
                inserted = len(ids)  # SQLite counts rows that it returns only once they are read
                for row, (id_,) in zip(rows, ids, strict=True):
                    row.pk = id_
            for row in rows:
                row._state.adding = False  # noqa: SLF001 - documented by Django
                row._state.db = database.alias  # noqa: SLF001 - documented by Django
            return inserted

        return BoundStatement(
            self._get_statement(database, len(rows), fields, has_ids=has_ids),
            [_adapt_value(row, field, database) for row in rows for field in fields],
            set_ids,
        )

    def _list_fields(self, *, with_id: bool) -> "list[models.Field[Any, Any]]":
        if with_id not in self._fields:
            self._fields[with_id] = [
                field
                for field in self._model._meta.concrete_fields  # noqa: SLF001 - documented by Django
                if with_id or not field.primary_key
            ]
        return self._fields[with_id]

    def _get_statement(
        self,
        database: BaseDatabaseWrapper,
        rows: int,
        fields: "Sequence[models.Field[Any, Any]]",
        *,
        has_ids: bool,
    ) -> str:
        key = (database.vendor, rows, has_ids)
        if key not in self._statements:
            row_sql = f"({', '.join(['%s'] * len(fields))})"
            self._statements[key] = (
                f"INSERT INTO {_quote_names([self._model._meta.db_table])} "  # noqa: S608, SLF001 - names of our own columns
                f"({_quote_names(str(field.column) for field in fields)}) "
                f"VALUES {', '.join([row_sql] * rows)} {self._build_ending(has_ids=has_ids)}"
            )
        return self._statements[key]

    def _build_ending(self, *, has_ids: bool) -> str:
        if self._unique:
            return f"ON CONFLICT ({_quote_names(self._unique)}) DO NOTHING"
        if has_ids:
            return ""
        key = self._model._meta.pk  # noqa: SLF001 - documented by Django
        return f"RETURNING {_quote_names([str(key.column)])}"


def _adapt_value(
    row: models.Model, field: "models.Field[Any, Any]", database: BaseDatabaseWrapper
) -> Any:
    value = field.pre_save(row, add=True)
    if hasattr(value, "as_sql"):
        raise TypeError(f"{field} needs a value, no expression")
    return field.get_db_prep_save(value, database)


def _quote_names(names: Iterable[str]) -> str:
    return ", ".join(connection.ops.quote_name(name) for name in names)
