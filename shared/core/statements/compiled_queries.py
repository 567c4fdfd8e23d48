"""Querysets, updates and deletions that are compiled once and run many times with other values.

The ORM needs about ten times as long to build and compile a statement as the database needs to run
it. What runs for every message or request, and what is long, is therefore kept compiled. It is
written as a queryset in which the values that change are parameters, so its SQL is the ORM's own on
both databases:

    _LIVE_ORDERS = CompiledQuery(
        lambda: Order.objects.filter(IsIn("contact_id", "contacts"), status__in=Order.LIVE)
    )
    _LIVE_ORDERS.fetch(contacts=[3, 7])

Everything else uses the ORM directly.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast, override

from django.db import connection, models, transaction
from django.db.models.expressions import Col, Expression, F
from django.db.models.query import (
    FlatValuesListIterable,
    ModelIterable,
    QuerySet,
    ValuesListIterable,
    get_related_populators,
)
from django.db.models.sql import DeleteQuery, UpdateQuery
from django.db.models.sql.compiler import SQLCompiler
from django.db.transaction import TransactionManagementError

from shared.core.statements.bound_statements import BoundStatement, count_rows, run_statement


class Parameter(Expression):
    """A value that is given when the statement runs.

    In a condition it must not be None, because SQL compares NULL with IS.
    """

    def __init__(self, name: str, output_field: "models.Field[Any, Any]") -> None:
        """Create a parameter.

        Args:
            name: its name as an argument of `fetch` or `run`.
            output_field: a field that adapts the value for the database.

        """
        super().__init__(output_field=output_field)
        self.name = name

    @override
    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        """Return a placeholder; the parameter itself stands for its value."""
        return "%s", [self]

    def adapt(self, value: Any) -> Any:
        """Return the value as the database driver expects it."""
        return self.output_field.get_db_prep_save(value, connection=connection)


class TimeParameter(Parameter):
    """A time that is given when the statement runs, or one that is a fixed span away from it."""

    def __init__(self, name: str, span: timedelta = timedelta()) -> None:
        """Create a parameter.

        Args:
            name: its name as an argument of `fetch` or `run`.
            span: is added to the value.

        """
        super().__init__(name, models.DateTimeField())
        self.span = span

    @override
    def __add__(self, span: timedelta) -> "TimeParameter":  # type: ignore[override]
        """Return the time that much later; the database adds nothing."""
        return TimeParameter(self.name, self.span + span)

    @override
    def __sub__(self, span: timedelta) -> "TimeParameter":  # type: ignore[override]
        """Return the time that much earlier."""
        return TimeParameter(self.name, self.span - span)

    @override
    def adapt(self, value: datetime) -> Any:
        """Return the time as the database driver expects it."""
        return super().adapt(value + self.span)


type Moment = datetime | TimeParameter
"""A time in a queryset, which may be compiled before the time is known."""


class IsIn(Expression):
    """The condition that a column is one of the values of a list, of any length."""

    conditional = True

    def __init__(self, column: str, name: str) -> None:
        """Create a condition.

        Args:
            column: a field of the model, such as `contact_id`.
            name: the name of the list as an argument of `fetch` or `run`.

        """
        super().__init__(output_field=models.BooleanField())
        self.column: Expression = F(column)  # type: ignore[assignment]  # it resolves to one
        self.name = name

    @override
    def get_source_expressions(self) -> list[Any]:
        """Return the column."""
        return [self.column]

    @override
    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        """Replace the column, as resolving does."""
        (self.column,) = exprs

    @override
    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        """Return the condition for SQLite, which knows no arrays."""
        return self._build_condition(compiler, "{} IN (SELECT value FROM json_each(%s))")

    def as_postgresql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:  # noqa: ARG002
        """Return the condition for PostgreSQL."""
        return self._build_condition(compiler, "{} = ANY(%s)")

    def _build_condition(self, compiler: SQLCompiler, template: str) -> tuple[str, Any]:
        column, params = compiler.compile(self.column)
        assert isinstance(self.column, Col)  # noqa: S101 - resolved before it is compiled
        return template.format(column), [*params, _ListParameter(self.name, self.column.target)]


@dataclass(frozen=True, slots=True)
class _ListParameter:
    name: str
    field: "models.Field[Any, Any]"

    def adapt(self, values: Iterable[Any]) -> Any:
        adapted = [self.field.get_db_prep_value(value, connection) for value in values]
        return adapted if connection.vendor == "postgresql" else json.dumps(adapted)


@dataclass(frozen=True, slots=True)
class _Statement:
    """SQL with its parameters in the order of the placeholders; others are constants."""

    sql: str
    params: tuple[Any, ...]

    def bind(self, values: dict[str, Any]) -> list[Any]:
        return [
            param.adapt(values[param.name])
            if isinstance(param, Parameter | _ListParameter)
            else param
            for param in self.params
        ]


type _RowBuilder = Callable[[Iterable[Sequence[Any]]], list[Any]]


@dataclass(frozen=True, slots=True)
class _CompiledSelect:
    statement: _Statement
    build_rows: _RowBuilder
    locks_rows: bool


class CompiledQuery[Row]:
    """A queryset that is compiled once for each database vendor."""

    def __init__(self, build: Callable[[], QuerySet[Any, Row]]) -> None:
        """Create a query; it is compiled when it runs for the first time.

        Args:
            build: returns the queryset: of instances, also with `select_related` or annotations,
                or of `values_list`. A slice and all values that are no parameters are constants.

        """
        self._build = build
        self._compiled: Final[dict[str, _CompiledSelect]] = {}

    def fetch(self, **values: Any) -> list[Row]:
        """Return the rows.

        Args:
            values: the value of each parameter; the list of each `IsIn`.

        Raises:
            TransactionManagementError: it locks rows and there is no transaction.

        """
        return run_statement(self.bind(**values))

    def bind(self, **values: Any) -> BoundStatement[list[Row]]:
        """Return the statement with its values, to be run together with others.

        Args:
            values: as in `fetch`.

        Raises:
            TransactionManagementError: as in `fetch`.

        """
        compiled = self._compiled.get(connection.vendor)
        if compiled is None:
            compiled = self._compiled[connection.vendor] = _compile_select(self._build())
        if compiled.locks_rows and not connection.in_atomic_block:
            raise TransactionManagementError("a lock ends with its transaction, so one must exist")
        build_rows = compiled.build_rows
        return BoundStatement(
            compiled.statement.sql,
            compiled.statement.bind(values),
            lambda cursor: build_rows(cursor.fetchall()),
        )


class CompiledUpdate:
    """An update that is compiled once for each database vendor."""

    def __init__(self, build: Callable[[], QuerySet[Any, Any]], **changes: Any) -> None:
        """Create an update; it is compiled when it runs for the first time.

        Args:
            build: returns the queryset of the rows to change.
            changes: the new values by field: constants, parameters or expressions.

        """
        self._build = build
        self._changes = changes
        self._compiled: Final[dict[str, _Statement]] = {}

    def run(self, **values: Any) -> int:
        """Change the rows and return how many there were.

        Args:
            values: the value of each parameter; the list of each `IsIn`.

        """
        return run_statement(self.bind(**values))

    def bind(self, **values: Any) -> BoundStatement[int]:
        """Return the statement with its values, to be run together with others.

        Args:
            values: as in `run`.

        """
        statement = self._get_statement()
        return BoundStatement(statement.sql, statement.bind(values), count_rows)

    def run_many(self, values: Sequence[dict[str, Any]]) -> int:
        """Run the update once for each set of values, in one round trip.

        Returns:
            The number of rows that were changed.

        """
        if not values:
            return 0
        statement = self._get_statement()
        with transaction.mark_for_rollback_on_error(), connection.cursor() as cursor:
            cursor.executemany(statement.sql, [statement.bind(each) for each in values])
            return int(cursor.rowcount)

    def _get_statement(self) -> _Statement:
        statement = self._compiled.get(connection.vendor)
        if statement is None:
            query = cast(UpdateQuery, self._build().query.chain(UpdateQuery))
            query.add_update_values(self._changes)
            query.clear_ordering(force=True)
            statement = _Statement(*query.get_compiler(using=connection.alias).as_sql())
            self._compiled[connection.vendor] = statement
        return statement


class CompiledDelete:
    """A deletion that is compiled once for each database vendor.

    It deletes rows as `QuerySet.delete` does for a model that no other row refers to.
    """

    def __init__(self, build: Callable[[], QuerySet[Any, Any]]) -> None:
        """Create a deletion; it is compiled when it runs for the first time.

        Args:
            build: returns the queryset of the rows to delete.

        """
        self._build = build
        self._compiled: Final[dict[str, _Statement]] = {}

    def run(self, **values: Any) -> int:
        """Delete the rows and return how many there were.

        Args:
            values: the value of each parameter; the list of each `IsIn`.

        """
        statement = self._compiled.get(connection.vendor)
        if statement is None:
            query = self._build().query.chain(DeleteQuery)
            query.clear_ordering(force=True)
            statement = _Statement(*query.get_compiler(using=connection.alias).as_sql())
            self._compiled[connection.vendor] = statement
        with transaction.mark_for_rollback_on_error(), connection.cursor() as cursor:
            cursor.execute(statement.sql, statement.bind(values))
            return int(cursor.rowcount)


def _compile_select(queryset: QuerySet[Any, Any]) -> _CompiledSelect:
    compiler = queryset.query.get_compiler(using=connection.alias)
    statement = _Statement(*compiler.as_sql())
    convert = _build_converter(compiler)
    iterable = queryset._iterable_class  # noqa: SLF001 - what values_list() was called with
    build_rows: _RowBuilder
    if iterable is ValuesListIterable:
        build_rows = lambda rows: [tuple(row) for row in convert(rows)]  # noqa: E731
    elif iterable is FlatValuesListIterable:
        build_rows = lambda rows: [row[0] for row in convert(rows)]  # noqa: E731
    elif iterable is ModelIterable:
        build_rows = _build_instance_maker(compiler, convert)
    else:
        raise TypeError(f"a compiled query returns no {iterable.__name__}")
    return _CompiledSelect(statement, build_rows, locks_rows=queryset.query.select_for_update)


type _Convert = Callable[[Iterable[Sequence[Any]]], Iterable[Sequence[Any]]]


def _build_converter(compiler: SQLCompiler) -> _Convert:
    """Return a function that turns rows of the driver into Python values, as the ORM does."""
    columns = [column for column, _, _ in compiler.select[: compiler.col_count]]
    converters = list(compiler.get_converters(columns).items())
    if not converters:
        return lambda rows: rows

    def convert(rows: Iterable[Sequence[Any]]) -> Iterable[Sequence[Any]]:
        for row in map(list, rows):
            for place, (functions, expression) in converters:
                value = row[place]
                for function in functions:
                    value = function(value, expression, connection)
                row[place] = value
            yield row

    return convert


def _build_instance_maker(compiler: SQLCompiler, convert: _Convert) -> _RowBuilder:
    """Return a function that builds instances from rows, as `ModelIterable` of Django does."""
    klass_info: dict[str, Any] = compiler.klass_info
    model: type[models.Model] = klass_info["model"]
    fields = klass_info["select_fields"]
    columns = slice(fields[0], fields[-1] + 1)
    names = [column.target.attname for column, _, _ in compiler.select[columns]]
    annotations = list((compiler.annotation_col_map or {}).items())
    populators = get_related_populators(klass_info, compiler.select, connection.alias)  # type: ignore[call-arg]  # the stubs are of a later Django

    def build_instances(rows: Iterable[Sequence[Any]]) -> list[Any]:
        instances = []
        for row in convert(rows):
            instance = model.from_db(connection.alias, names, row[columns])
            for name, place in annotations:
                setattr(instance, name, row[place])
            for populator in populators:
                populator.populate(row, instance)
            instances.append(instance)
        return instances

    return build_instances
