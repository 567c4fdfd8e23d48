"""Filters that say how many rows each answer has, as far as an index counts them fast."""
# ruff: noqa: ARG002 - Django gives these arguments

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db.models import CharField, Count, Value
from django.http import HttpRequest

from backoffice.changelists.filters import ConditionFilter


class CountedConditionFilter(ConditionFilter):
    """Rows by the answer to one question, with counts beside the answers in `counted`."""

    counted: ClassVar[tuple[str, ...]] = ()
    """Answers whose rows a partial index holds; the others would be read one by one."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Give the answers one can choose, those counted with their counts."""
        counts = self._counts(model_admin.model)
        return [
            (value, f"{words} ({counts.get(value, 0):,})" if value in self.counted else words)
            for value, (words, _) in self.answers.items()
        ]

    def _counts(self, model: Any) -> dict[str, int]:
        """Count all answers in one query."""
        parts = [
            model.objects.filter(self.answers[value][1])
            .order_by()
            .values(answer=Value(value, output_field=CharField()))
            .annotate(rows=Count("pk"))
            for value in self.counted
        ]
        first, *others = parts
        return {row["answer"]: row["rows"] for row in first.union(*others, all=True)}
