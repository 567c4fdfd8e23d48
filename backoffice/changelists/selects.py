"""Change lists with some filters as tabs and the others as drop-down lists beside the search."""
# ruff: noqa: ARG002 - Django passes these arguments

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

from backoffice.changelists.tabs import TabbedAdmin, TabbedChangeList


@dataclass(frozen=True, slots=True)
class FilterSelect:
    """A filter as a drop-down list.

    Attributes:
        name: the query parameter.
        title: the filter's label.
        options: pairs of value and label.
        chosen: the value in the URL; empty if none.

    """

    name: str
    title: str
    options: tuple[tuple[str, str], ...]
    chosen: str


class FilteredChangeList(TabbedChangeList):
    """A change list whose filters with `as_select` are drop-down lists, the others tabs."""

    def selects(self) -> list[FilterSelect]:
        """Return the filters that are drop-down lists."""
        specs: list[Any] = list(self.filter_specs)
        return [
            FilterSelect(
                spec.parameter_name, spec.title, tuple(spec.lookup_choices), spec.value() or ""
            )
            for spec in specs
            if getattr(spec, "as_select", False)
        ]

    def kept(self) -> Mapping[str, str]:
        """Return the other query parameters, which a new search keeps."""
        fields = {"q", *(select.name for select in self.selects())}
        return {name: value for name, value in self.params.items() if name not in fields and value}


class FilteredAdmin(TabbedAdmin):
    """Read-only rows with tabs, drop-down filters and a search."""

    change_list_template = "admin/automation/change_list.html"
    sortable_by = ()
    lead: ClassVar[str] = ""
    """A sentence about the list, shown above it."""
    page_only: ClassVar[tuple[str, ...]] = ()
    """Large fields that only the detail page needs."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the change list with tabs and drop-down filters."""
        return FilteredChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Defer the `page_only` fields, except for a detail page."""
        rows = super().get_queryset(request)
        kwargs = request.resolver_match.kwargs if request.resolver_match else {}
        return rows if "object_id" in kwargs else rows.defer(*self.page_only)
