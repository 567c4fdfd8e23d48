"""Who works here, what they may do, and what they did."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.http import HttpRequest

from backoffice import words
from backoffice.admin.readonly import ReadOnlyAdmin


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """What people changed by hand; what happened to an order stands on the order's own page."""

    menu_name = "Who did what"
    list_display = ("at", "user", "what", "object_repr", "said")
    list_select_related = ("user", "content_type")
    search_fields = ("user__username__iexact", "object_repr")
    search_help_text = "Person, or what was changed"
    fields = ("at", "user", "what", "object_repr", "said")
    ordering = ("-id",)

    @admin.display(description="When", ordering="id")
    def at(self, entry: LogEntry) -> str:
        """When it was done."""
        return words.clock(entry.action_time)

    @admin.display(description="What")
    def what(self, entry: LogEntry) -> str:
        """What kind of thing was changed."""
        return str(entry.content_type.name).capitalize() if entry.content_type else "–"

    @admin.display(description="Change")
    def said(self, entry: LogEntry) -> str:
        """Say what was done."""
        return entry.get_change_message() or entry.get_action_flag_display()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Let those look who may see the log, whoever wrote it."""
        return request.user.has_perm("admin.view_logentry")
