"""List filters that show row counts for the answers that an index can count fast."""
# ruff: noqa: ARG002 - Django passes these arguments

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db.models import CharField, Count, Value
from django.http import HttpRequest

from backoffice.changelists.filters import ConditionFilter


class CountedConditionFilter(ConditionFilter):
    """Rows by the answer to one question, with row counts for the answers in `counted`."""

    counted: ClassVar[tuple[str, ...]] = ()
    """Answers that a partial index covers; counting any other answer would read every row."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the answers as pairs of value and label, with the count in the label."""
        counts = self._count_rows(model_admin.model)
        return [
            (value, f"{label} ({counts.get(value, 0):,})" if value in self.counted else label)
            for value, (label, _) in self.answers.items()
        ]

    def _count_rows(self, model: Any) -> dict[str, int]:
        """Count the rows of all counted answers in one query."""
        queries = [
            model.objects.filter(self.answers[value][1])
            .order_by()
            .values(answer=Value(value, output_field=CharField()))
            .annotate(rows=Count("pk"))
            for value in self.counted
        ]
        first, *others = queries
        return {row["answer"]: row["rows"] for row in first.union(*others, all=True)}
