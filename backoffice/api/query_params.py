"""Validation and parsing of query parameters and of ids in URLs.

A value that cannot be parsed is an error; it is never ignored.
"""

from collections.abc import Collection
from typing import Final

from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from backoffice.ui import ids

MAX_TICKET_NUMBER_DIGITS: Final = 7
MAX_TICKET_NUMBER: Final = 10**MAX_TICKET_NUMBER_DIGITS - 1


def parse_id(text: str) -> int:
    """Return the id in a part of a URL; 0, which no row has, if it is not a valid id."""
    return ids.parse_digits(text) or 0


def parse_whole_number[Default: int | None](
    query: QueryDict,
    name: str,
    *,
    least: int,
    most: int | None = None,
    default: Default,
    instruction: str = "Write a whole number",
) -> int | Default:
    """Return a parameter's value as a whole number.

    Args:
        query: the query of the request.
        name: the parameter's name.
        least: the smallest valid value.
        most: the largest valid value; None: no limit but that of an id.
        default: the result if the parameter is absent or empty.
        instruction: the first words of the error message; the bounds follow.

    Raises:
        ValidationError: the value is not a whole number or is out of bounds.

    """
    text = query.get(name)
    if not text:
        return default
    number = ids.parse_digits(text)
    if number is None or number < least or (most is not None and number > most):
        bounds = f"{least} or more" if most is None else f"{least} to {most}"
        raise ValidationError({name: [f"{instruction}, {bounds}."]})
    return number


def parse_list(query: QueryDict, name: str) -> list[str]:
    """Return a parameter's values: separated by commas, in repeated parameters, or both."""
    parts = (part.strip() for value in query.getlist(name) for part in value.split(","))
    return [part for part in parts if part]


def refuse_unknown_parameters(
    query: QueryDict, *, known: Collection[str], several: Collection[str] = ()
) -> None:
    """Raise an error for parameters that are unknown or repeated.

    A misspelt filter must not list everything.

    Args:
        query: the query of the request.
        known: names of the parameters that the view accepts.
        several: those of them that may be repeated.

    Raises:
        ValidationError: with a message for each parameter that is unknown or repeated.

    """
    faults = {name: ["There is no such parameter."] for name in query if name not in known}
    faults |= {
        name: ["Give it once."]
        for name, values in query.lists()
        if name in known and name not in several and len(values) > 1
    }
    if faults:
        raise ValidationError(faults)
