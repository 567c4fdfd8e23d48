"""Pages that show and never change."""
# ruff: noqa: ARG002 - Django gives these arguments

from typing import Any, ClassVar

from django.http import HttpRequest

from backoffice.changelists.paginator import KeyPaginator
from backoffice.changelists.search import BoundedSearch


class ReadOnlyAdmin(BoundedSearch):
    """Rows that people read: nobody adds, changes or deletes them here."""

    menu_name: ClassVar[str] = ""
    """What the menu and the list's heading call them; empty: the model's own plural."""

    list_per_page = 50
    paginator = KeyPaginator
    show_full_result_count = False  # counts a second time, which is slow on large tables
    actions: Any = None
    change_form_template = "admin/read_only.html"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse; who could change may still look."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False
