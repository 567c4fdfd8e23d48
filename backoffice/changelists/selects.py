"""Lists about automation: tabs for what presses, selects for the rest, both in the address."""
# ruff: noqa: ARG002 - Django gives these arguments

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

from backoffice.changelists.tabs import TabbedAdmin


@dataclass(frozen=True, slots=True)
class FilterSelect:
    """A filter with its answers in a list."""

    name: str
    title: str
    options: tuple[tuple[str, str], ...]
    chosen: str


class FilteredChangeList(ChangeList):
    """A list whose filters are tabs, or selects where they say so."""

    def tabs(self) -> list[tuple[str, list[Mapping[str, Any]]]]:
        """Give the filters that are rows of links: titles, and answers as Django has them."""
        return [
            (str(spec.title), list(spec.choices(self)))
            for spec in self._specs()
            if not getattr(spec, "as_select", False)
        ]

    def selects(self) -> list[FilterSelect]:
        """Give the others."""
        return [
            FilterSelect(
                spec.parameter_name, spec.title, tuple(spec.lookup_choices), spec.value() or ""
            )
            for spec in self._specs()
            if getattr(spec, "as_select", False)
        ]

    def kept(self) -> Mapping[str, str]:
        """Give what else is in the address and stays when something is searched for."""
        shown = {"q", *(select.name for select in self.selects())}
        return {name: value for name, value in self.params.items() if name not in shown and value}

    def _specs(self) -> list[Any]:
        return list(self.filter_specs)


class FilteredAdmin(TabbedAdmin):
    """Rows that people read, with a search beside what they are filtered by."""

    change_list_template = "admin/automation/change_list.html"
    sortable_by = ()
    lead: ClassVar[str] = ""
    """What the list is about, in a sentence above it."""
    add_words: ClassVar[str] = ""
    """What the button says that adds one, for who may."""
    page_only: ClassVar[tuple[str, ...]] = ()
    """Large fields that a list has no use for."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Give the list with tabs and selects."""
        return FilteredChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave what only a page shows out of the list."""
        found = super().get_queryset(request)
        kwargs = request.resolver_match.kwargs if request.resolver_match else {}
        return found if "object_id" in kwargs else found.defer(*self.page_only)
