"""Change lists with their filters as tabs above them."""
# ruff: noqa: ARG002 - Django passes these arguments

from collections.abc import Mapping
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from backoffice.changelists.read_only import ReadOnlyAdmin


class TabbedChangeList(ChangeList):
    """A change list that shows its filters as rows of links."""

    def tabs(self) -> list[tuple[str, list[Mapping[str, Any]]]]:
        """Return each filter's title with its answers as Django describes them.

        Filters with `as_select` are left out.
        """
        return [
            (str(spec.title), list(spec.choices(self)))
            for spec in self.filter_specs
            if not getattr(spec, "as_select", False)
        ]


class TabbedAdmin(ReadOnlyAdmin):
    """Read-only rows with tabs above them."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the change list with tabs."""
        return TabbedChangeList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list, or return 403 for an action that the user may not run.

        Django would ignore such an action without an error.
        """
        action = request.POST.get("action")
        if action in (self.actions or ()) and action not in self.get_actions(request):
            raise PermissionDenied
        return super().changelist_view(request, extra_context)
