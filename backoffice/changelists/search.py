"""Search of change lists by a few words."""

from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

MAX_TERM: Final = 200
"""Characters of a search; no name, phone or id is longer, so a longer one finds nothing."""


MAX_WORDS: Final = 20
"""Words of a search; Django asks for each in every field, and SQLite refuses a thousand."""


class BoundedSearch(admin.ModelAdmin):
    """A list that is searched by a few words; whatever is longer finds nothing."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find rows that have each word in one of the `search_fields`."""
        if len(search_term) > MAX_TERM or len(search_term.split()) > MAX_WORDS:
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)
