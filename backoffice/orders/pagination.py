"""Pagination of the worklists."""

from typing import Final

from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet

ORDERS_PER_PAGE: Final = 50
"""Rows of a worklist on one page."""


def get_worklist_page[Row: Model](rows: QuerySet[Row], *, count: int, number: str) -> Page[Row]:
    """Return the page that an address asks for.

    Args:
        rows: The ordered rows of the worklist.
        count: The count of all these rows.
        number: The page number from the address. Without a number it is the first page; if there is
            no such page, the last one.

    """
    paginator = Paginator(rows, ORDERS_PER_PAGE)
    paginator.count = count  # one query counts all worklists; the paginator would count again
    return paginator.get_page(number)
