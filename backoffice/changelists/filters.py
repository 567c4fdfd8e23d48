"""List filters with one query parameter each, which is all that Jazzmin's selects support."""
# ruff: noqa: ARG002 - Django passes these arguments

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from shared.core import enums


class ConditionFilter(admin.SimpleListFilter):
    """Rows by the answer to one question; each answer is a condition."""

    answers: ClassVar[dict[str, tuple[str, Q]]]
    """By value, the label and the condition."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the answers as pairs of value and label."""
        return [(value, label) for value, (label, _) in self.answers.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Return the rows that match the chosen answer, or all rows if none is chosen."""
        chosen = self.answers.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen[1])


def build_enum_answers(kind: Any, field: str = "status") -> dict[str, tuple[str, Q]]:
    """Return an answer for each member of an enum.

    Args:
        kind: the enum.
        field: the model field that holds the member's value.

    Returns:
        By value, the label and the condition.

    """
    return {
        member.value: (enums.format_label(member), Q(**{field: member.value})) for member in kind
    }
