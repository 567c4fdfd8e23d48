"""Change list search with a bounded length, and without accents and case in small tables."""

from typing import Any, Final

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from shared.core.search_text import fold_for_search

MAX_SEARCH_CHARACTERS: Final = 200
"""Maximum characters of a search term; no name, phone number or id is longer."""

MAX_SEARCH_WORDS: Final = 20
"""Maximum words of a search term: Django searches every field for each word, and SQLite rejects
a thousand conditions.
"""

TERM_TOO_LONG: Final = (
    f"That is too long to search for: write at most {MAX_SEARCH_CHARACTERS} characters "
    f"and {MAX_SEARCH_WORDS} words."
)


class BoundedSearch(admin.ModelAdmin):
    """A change list whose search finds nothing, and says so, if the term is too long."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find the rows that match a term, or none if it is too long."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if len(term) > MAX_SEARCH_CHARACTERS or len(term.split()) > MAX_SEARCH_WORDS:
            if request.method == "GET":
                messages.warning(request, TERM_TOO_LONG)
            return queryset.none(), False
        return self.find_rows(request, queryset, term), False

    def find_rows(self, request: HttpRequest, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Return the rows that have each word of a term in one of the `search_fields`."""
        return super().get_search_results(request, queryset, term)[0]


class FoldedSearch(BoundedSearch):
    """A change list of a small table, such as raffles or people, that is read as a whole."""

    def find_rows(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        queryset: QuerySet[Any],
        term: str,
    ) -> QuerySet[Any]:
        """Return the rows that have each word of a term, without accents and in any case."""
        texts = queryset.order_by().values_list("pk", *self.search_fields)
        words = fold_for_search(term).split()
        found = [pk for pk, *row in texts if contains_words(words, text=" ".join(map(str, row)))]
        return queryset.filter(pk__in=found)


def contains_words(words: list[str], *, text: str) -> bool:
    """Whether every folded word is anywhere in a text."""
    folded = fold_for_search(text)
    return all(word in folded for word in words)
