"""List filters of one parameter each: Jazzmin's selects carry no more."""
# ruff: noqa: ARG002 - Django gives these arguments

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from shared.core import enums


class ConditionFilter(admin.SimpleListFilter):
    """Rows by the answer to one question; each answer is a condition."""

    answers: ClassVar[dict[str, tuple[str, Q]]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Give the answers one can choose."""
        return [(value, words) for value, (words, _) in self.answers.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Keep the rows of the chosen answer."""
        chosen = self.answers.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen[1])


def build_enum_answers(kind: Any, field: str = "status") -> dict[str, tuple[str, Q]]:
    """Return an answer for each member of an enum, as a condition on `field`."""
    return {
        member.value: (enums.format_label(member), Q(**{field: member.value})) for member in kind
    }
