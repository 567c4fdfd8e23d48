"""Lists whose filters stand above them as tabs, and whose actions are refused plainly."""
# ruff: noqa: ARG002 - Django gives these arguments

from collections.abc import Mapping
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from backoffice.changelists.read_only import ReadOnlyAdmin


class TabbedChangeList(ChangeList):
    """A list that gives its filters as rows of links."""

    def tabs(self) -> list[tuple[str, list[Mapping[str, Any]]]]:
        """Give each filter's title, and its answers as Django describes them."""
        return [(str(spec.title), list(spec.choices(self))) for spec in self.filter_specs]


class TabbedAdmin(ReadOnlyAdmin):
    """Rows that people read, with tabs above them."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Give the list with tabs."""
        return TabbedChangeList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Answer 403 to an action the person may not take; Django would pass over it."""
        wanted = request.POST.get("action")
        if wanted in (self.actions or ()) and wanted not in self.get_actions(request):
            raise PermissionDenied
        return super().changelist_view(request, extra_context)
