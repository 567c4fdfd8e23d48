"""Reads single values out of an address; what cannot be understood is refused, never ignored."""

from typing import Final

from django.http import QueryDict
from rest_framework.exceptions import ValidationError

_MAX_ID_DIGITS: Final = 18
"""A longer number is no key of either database."""


def parse_id(text: str) -> int:
    """Give the id that a part of an address is; 0, which nothing has, if it is none."""
    return int(text) if _is_whole_number(text) else 0


def parse_whole_number(
    query: QueryDict, name: str, *, least: int, most: int | None = None, default: int
) -> int:
    """Give a whole number.

    Args:
        query: of the request's address.
        name: of the parameter.
        least: the smallest that means something.
        most: the largest, if there is one.
        default: what an absent or empty value means.

    Raises:
        ValidationError: it is no such number.

    """
    text = query.get(name) or str(default)
    if not _is_whole_number(text) or int(text) < least or (most is not None and int(text) > most):
        bounds = f"{least} or more" if most is None else f"{least} to {most}"
        raise ValidationError({name: [f"Write a whole number, {bounds}."]})
    return int(text)


def parse_list(query: QueryDict, name: str) -> list[str]:
    """Give the values of a parameter: separated by commas, in several of that name, or both."""
    parts = (part.strip() for given in query.getlist(name) for part in given.split(","))
    return [part for part in parts if part]


def _is_whole_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MAX_ID_DIGITS
