"""Model columns with the folded spelling of another column, for a search on any database.

SQLite and PostgreSQL fold different letters, so the spelling is computed here and stored at every
write: `save`, `create`, `bulk_create` and `update`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING, Any, Final

from django.db import connections, models, transaction

from shared.core.phone_spellings import list_stored_spellings, list_typed_spellings
from shared.core.search_text import fold_for_search

type Compute = Callable[[str], str]
"""A function from the value of a source column to that of its search column."""

_ROWS_PER_TRANSACTION: Final = 500
"""Rows that a migration fills at once; a buyer's message waits no longer than for these."""

if TYPE_CHECKING:
    _TextField = models.TextField[str | None, str | None]
else:
    _TextField = models.TextField


class SearchColumn(_TextField):
    """A column computed from another one; a migration sees a plain text column.

    It is NULL until it is computed, so that adding it to a full table changes no row.
    """

    def __init__(self, *, source: str = "", compute: Compute = str, **options: Any) -> None:
        super().__init__(**{"null": True, "blank": True, "editable": False, **options})
        self.source = source
        self.compute = compute

    def deconstruct(self) -> Any:
        """Return a plain text column, which does not depend on how it is computed."""
        name, _, _, _ = super().deconstruct()
        options = {"null": True, "blank": True, "editable": False}
        return name, "django.db.models.TextField", [], options

    def compute_value(self, source: object) -> str:
        """Return the value for a value of the source column.

        Raises:
            TypeError: it is an expression, which only the database can compute.

        """
        if source is not None and not isinstance(source, str):
            raise TypeError(f"{self.source} has a search column: give its value, no expression")
        return self.compute(source or "")

    def pre_save(self, model_instance: models.Model, add: bool) -> str:  # noqa: ARG002
        """Return the value of a row that is saved, and set it."""
        value = self.compute_value(getattr(model_instance, self.source))
        setattr(model_instance, self.attname, value)
        return value


class SearchQuerySet[Row: models.Model](models.QuerySet[Row]):
    """Rows whose search columns follow an update."""

    def update(self, **values: Any) -> int:
        """Update columns, and the search columns that are computed from them."""
        return super().update(**add_search_columns(self.model, values))


class SearchableModel(models.Model):
    """A model with search columns."""

    if not TYPE_CHECKING:  # to a type checker it is the usual manager
        objects = models.Manager.from_queryset(SearchQuerySet)()

    class Meta:
        """No table of its own."""

        abstract = True

    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        """Save the row; with some columns, also the search columns computed from them."""
        if update_fields is not None:
            names = set(update_fields)
            columns = _list_search_columns(type(self), changed=names)
            update_fields = names | {each.attname for each in columns}
        super().save(update_fields=update_fields, **options)


def add_search_columns(model: type[models.Model], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return changes of a row by field name, with the search columns computed from them."""
    columns = _list_search_columns(model, changed=changes)
    return {
        **changes,
        **{each.attname: each.compute_value(changes[each.source]) for each in columns},
    }


def fold_whatsapp_phone(wa_id: str) -> str:
    """Return the search column of a phone number as WhatsApp has it."""
    return " ".join(list_stored_spellings(wa_id))


def fold_typed_phone(phone: str) -> str:
    """Return the search column of a phone number that a person typed."""
    return " ".join(list_typed_spellings(phone))


def fold_name(name: str) -> str:
    """Return the search column of a name."""
    return fold_for_search(name)


def fill_search_columns(
    rows: models.QuerySet[Any], columns: Mapping[str, tuple[str, Compute]]
) -> None:
    """Compute the search columns of existing rows, in small transactions; for a migration.

    Args:
        rows: the rows whose columns are NULL; after an interruption it continues with the rest.
        columns: the source column and the function of each search column.

    """
    connection = connections[rows.db]
    quote = connection.ops.quote_name
    changes = ", ".join(f"{quote(name)} = %s" for name in columns)
    table = quote(rows.model._meta.db_table)  # noqa: SLF001 - Django's documented API
    statement = f"UPDATE {table} SET {changes} WHERE id = %s"  # noqa: S608 - our own names
    sources = [source for source, _ in columns.values()]
    found = rows.order_by("pk").values_list("pk", *sources)
    for batch in batched(list(found), _ROWS_PER_TRANSACTION):
        values = [
            (
                *(
                    compute(text or "")
                    for text, (_, compute) in zip(texts, columns.values(), strict=True)
                ),
                pk,
            )
            for pk, *texts in batch
        ]
        with transaction.atomic(using=rows.db), connection.cursor() as cursor:
            cursor.executemany(statement, values)


def refresh_search_columns(rows: models.QuerySet[Any]) -> int:
    """Compute search columns anew where they do not fit, as a version without them leaves them.

    Args:
        rows: rows of a model with search columns.

    Returns:
        The count of rows that changed.

    """
    columns = [each for each in _list_fields(rows.model) if isinstance(each, SearchColumn)]
    sources, names = [each.source for each in columns], [each.attname for each in columns]
    changed = 0
    for pk, *values in rows.order_by("pk").values_list("pk", *sources, *names):
        texts, stored = values[: len(columns)], values[len(columns) :]
        wanted = [each.compute_value(text) for each, text in zip(columns, texts, strict=True)]
        if stored != wanted:
            same = rows.filter(pk=pk, **dict(zip(sources, texts, strict=True)))
            changed += same.update(**dict(zip(names, wanted, strict=True)))
    return changed


def _list_search_columns(
    model: type[models.Model], *, changed: Iterable[str]
) -> list[SearchColumn]:
    return [
        field
        for field in _list_fields(model)
        if isinstance(field, SearchColumn) and field.source in changed
    ]


def _list_fields(model: type[models.Model]) -> Sequence[Any]:
    return model._meta.concrete_fields  # noqa: SLF001 - Django's documented API
