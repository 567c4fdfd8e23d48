"""Pagination of the worklists."""

from dataclasses import dataclass
from typing import Final

from backoffice.orders.form_values import parse_id

ORDERS_PER_PAGE: Final = 50
"""Rows of a worklist on one page."""

_MAX_PAGE_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class WorklistPage:
    """A page of a worklist; `previous` and `following` are 0 if there is no such page."""

    number: int
    count: int

    @property
    def previous(self) -> int:
        """The number of the page before."""
        return self.number - 1

    @property
    def following(self) -> int:
        """The number of the page after."""
        return self.number + 1 if self.number < self.count else 0

    @property
    def start(self) -> int:
        """The index of the first row, from 0."""
        return (self.number - 1) * ORDERS_PER_PAGE

    @property
    def end(self) -> int:
        """The index after the last row."""
        return self.start + ORDERS_PER_PAGE


def choose_worklist_page(text: str, *, rows: int) -> WorklistPage:
    """Return the page that an address asks for, or the nearest one that exists.

    Args:
        text: The page number from the address; page 1 if it is not a number.
        rows: The count of all rows of the worklist.

    """
    count = max(1, -(-rows // ORDERS_PER_PAGE))
    number = parse_id(text, max_digits=_MAX_PAGE_DIGITS)
    return WorklistPage(min(max(1 if number is None else number, 1), count), count)
