"""Admin page of who did what; a single entry of the admin log has a page of its own."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from backoffice.changelists.read_only import ReadOnlyAdmin
from backoffice.dashboard import activity_log
from backoffice.ui import display


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """What people did: in the back office, about orders and over the API."""

    menu_name = "Who did what"
    search_fields = ("user__username__iexact", "object_repr")
    fields = ("at", "user", "what", "object_repr", "said")

    @admin.display(description="When", ordering="id")
    def at(self, entry: LogEntry) -> str:
        """Return the time of the change."""
        return display.format_time(entry.action_time)

    @admin.display(description="What")
    def what(self, entry: LogEntry) -> str:
        """Return the kind of object that was changed."""
        return str(entry.content_type.name).capitalize() if entry.content_type else "–"

    @admin.display(description="Change")
    def said(self, entry: LogEntry) -> str:
        """Return a description of the change."""
        return entry.get_change_message() or entry.get_action_flag_display()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Return whether the user may view the log, including the entries of other users."""
        return request.user.has_perm("admin.view_logentry")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Return the list of everything that people did, from all histories.

        Raises:
            PermissionDenied: The user may not view the log.

        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": self.menu_name,
            "activity": activity_log.load_activity_page(request.GET),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "dashboard/activity.html", context)
