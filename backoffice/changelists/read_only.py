"""Admin pages without forms."""
# ruff: noqa: ARG002 - Django passes these arguments

from typing import Any, ClassVar

from django.http import HttpRequest

from backoffice.changelists.paginator import KeyPaginator
from backoffice.changelists.search import BoundedSearch
from backoffice.changelists.selection import BoundedSelection


class ReadOnlyAdmin(BoundedSelection, BoundedSearch):
    """Rows that can be viewed but not added, changed or deleted."""

    menu_name: ClassVar[str] = ""
    """Name in the menu and in the list's heading; if empty, the model's own plural."""

    list_per_page = 50
    paginator = KeyPaginator
    show_full_result_count = False  # counts a second time, which is slow on large tables
    actions: Any = None
    change_form_template = "admin/read_only.html"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False; a user with the permission may still view the rows."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False."""
        return False
