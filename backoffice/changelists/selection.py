"""Change list actions on rows whose ids a form sends."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from backoffice.ui import ids


class BoundedSelection(admin.ModelAdmin):
    """A change list that refuses an action on an id that no row can have."""

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Run the chosen action; return None, which shows the list again, if an id is none."""
        ticked = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if len(ids.parse_ids(ticked)) < len(ticked):
            self.message_user(
                request,
                "A ticked row does not exist. Nothing was changed; load the page again.",
                messages.ERROR,
            )
            return None
        return super().response_action(request, queryset, *args, **kwargs)
