"""Parsing of ids and page numbers from URLs, queries and forms, all with the same bound."""

from collections.abc import Iterable
from typing import Final

from django.urls.converters import IntConverter

MAX_ID: Final = 2**63 - 1
"""Largest primary key of both databases; SQLite fails on a query for a larger one."""


def parse_digits(text: str, *, most: int = MAX_ID) -> int | None:
    """Return the whole number in a text of ASCII digits.

    Args:
        text: the text, for example a parameter's value.
        most: the largest valid number; leading zeros count towards its digits.

    Returns:
        The number; None if the text is empty, has other characters or is too large.

    """
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(most)):
        return None
    number = int(text)
    return number if number <= most else None


def parse_ids(texts: Iterable[str]) -> list[int]:
    """Return the ids in some texts, without those that are not ids."""
    return [key for text in texts if (key := parse_digits(text)) is not None]


class IdConverter(IntConverter):
    """The converter `id` of URL patterns: an id that a row can have, otherwise no match."""

    def to_python(self, value: str) -> int:
        """Return the id.

        Raises:
            ValueError: no row can have it, so the pattern does not match.

        """
        key = parse_digits(value)
        if key is None:
            raise ValueError(f"no row has an id of {len(value)} digits")
        return key
