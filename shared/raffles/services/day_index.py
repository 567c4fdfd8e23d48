"""Days of times as a database expression, for sums by day; reads only."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Case, Func, IntegerField, Q, When
from django.db.models.sql.compiler import SQLCompiler


def list_last_days(days: int, *, now: datetime, zone: str) -> Sequence[date]:
    """Return the last days in a time zone up to today, the earliest first."""
    today = now.astimezone(ZoneInfo(zone)).date()
    return [today - timedelta(days=ago) for ago in reversed(range(days))]


def build_day_case(moment: str, days: Sequence[date], *, zone: str) -> Case:
    """Return the index of the day of a time; None before the first day or without a time.

    Args:
        moment: the name of a field with a time.
        days: consecutive days, the earliest first.
        zone: time zone in which they begin, e.g. America/Bogota.

    """
    starts = tuple(datetime.combine(day, time.min, ZoneInfo(zone)) for day in days)
    early = Q(**{f"{moment}__lt": starts[0]}) | Q(**{f"{moment}__isnull": True})
    return Case(
        When(early, then=None),
        default=_DayIndex(moment, starts),
        output_field=IntegerField(),
    )


class _DayIndex(Func):
    """The index of the day of a time, found by bisection: nine comparisons for a year.

    On SQLite Django's date functions call Python for each row. Django's own `Case` takes a quarter
    of a second to compile the nested cases of a year. Times before the first day get its index, so
    the caller excludes them.
    """

    def __init__(self, moment: str, starts: tuple[datetime, ...]) -> None:
        super().__init__(moment, output_field=IntegerField())
        self._starts = starts

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *_: Any, **__: Any
    ) -> tuple[str, tuple[Any, ...]]:
        """Return nested cases, and the values to compare with.

        Raises:
            ValueError: the expression is not a plain column.

        """
        column, values = compiler.compile(self.get_source_expressions()[0])
        if values:
            raise ValueError("only a column has a day index")
        starts = [connection.ops.adapt_datetimefield_value(start) for start in self._starts]
        return _build_cases_sql(column, starts)


def _build_cases_sql(
    column: str, starts: Sequence[Any], *, first: int = 0
) -> tuple[str, tuple[Any, ...]]:
    if len(starts) == 1:
        return str(first), ()
    middle = len(starts) // 2
    before, early = _build_cases_sql(column, starts[:middle], first=first)
    since, late = _build_cases_sql(column, starts[middle:], first=first + middle)
    case = f"CASE WHEN {column} < %s THEN {before} ELSE {since} END"
    return case, (starts[middle], *early, *late)
