"""Change list search with a bounded length."""

from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

MAX_SEARCH_CHARACTERS: Final = 200
"""Maximum characters of a search term; no name, phone number or id is longer."""

MAX_SEARCH_WORDS: Final = 20
"""Maximum words of a search term: Django searches every field for each word, and SQLite rejects
a thousand conditions.
"""


class BoundedSearch(admin.ModelAdmin):
    """A change list whose search finds nothing if the term is too long."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find the rows that have each word in one of the `search_fields`."""
        if len(search_term) > MAX_SEARCH_CHARACTERS or len(search_term.split()) > MAX_SEARCH_WORDS:
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)
