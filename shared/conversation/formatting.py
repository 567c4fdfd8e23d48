"""Amounts, times and ticket numbers as text for people; pure functions."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from babel.numbers import format_currency, format_decimal

LOCALE: Final = "en_US"
MAX_TICKET_LIST_CHARACTERS: Final = 420
"""Most characters of a list of ticket numbers; the body of a message with buttons takes 1,024."""
MAX_LONG_TICKET_LIST_CHARACTERS: Final = 2_000
"""The same for a message without buttons, whose body takes 4,096."""
SHORTENED_LIST_HINT: Final = " (see My tickets)"
"""End of a list of ticket numbers that was cut."""


def format_money(amount: Decimal, currency: str) -> str:
    """Return an amount with its currency (ISO 4217): $15.00, €1,234.50."""
    return format_currency(amount, currency, locale=LOCALE)


def format_count(number: int) -> str:
    """Return a count with thousands separators: 1,000."""
    return format_decimal(number, locale=LOCALE)


def format_deadline(at: datetime, *, now: datetime, time_zone: str) -> str:
    """Return a deadline: "15:42" if that is today in `time_zone`, else "Sat 12 Dec, 15:42".

    The year follows if it is not the current one.
    """
    zone = ZoneInfo(time_zone)
    local = at.astimezone(zone)
    today = local.date() == now.astimezone(zone).date()
    if today:
        return f"{local:%H:%M}"
    has_year = is_in_other_year(at, now=now, time_zone=time_zone)
    return format_day_and_time(at, time_zone=time_zone, has_year=has_year)


def format_day_and_time(at: datetime, *, time_zone: str, has_year: bool = False) -> str:
    """Return a date and time: "Sat 12 Dec, 20:00", or with the year "Sat 12 Dec 2037, 20:00"."""
    local = at.astimezone(ZoneInfo(time_zone))
    year = f" {local.year}" if has_year else ""
    return f"{local:%a} {local.day} {local:%b}{year}, {local:%H:%M}"


def is_in_other_year(at: datetime | None, *, now: datetime, time_zone: str) -> bool:
    """Whether a time is in another year than now, so that its date needs the year."""
    zone = ZoneInfo(time_zone)
    return at is not None and at.astimezone(zone).year != now.astimezone(zone).year


def format_ticket_numbers(
    values: Collection[int],
    *,
    width: int,
    separator: str = " · ",
    limit: int = MAX_TICKET_LIST_CHARACTERS,
) -> str:
    """Return a list of ticket numbers that takes `limit` characters at most.

    A list that is too long is written as ranges, and if that is not enough, cut.

    Args:
        values: the ticket numbers, in any order.
        width: the digits of a number, with its leading zeros.
        separator: the text between two numbers.
        limit: the most characters of the list.

    """
    ordered = sorted(values)
    plain = separator.join(f"{number:0{width}d}" for number in ordered)
    if len(plain) <= limit:
        return plain
    runs = [_format_run(group, width=width) for group in _split_into_runs(ordered)]
    as_ranges = separator.join(runs)
    if len(as_ranges) <= limit:
        return as_ranges
    return _format_shortened(ordered, width=width, separator=separator, limit=limit)


def _split_into_runs(ordered: Sequence[int]) -> list[list[int]]:
    """Return ascending numbers as runs without a gap."""
    keyed = groupby(enumerate(ordered), key=lambda pair: pair[1] - pair[0])
    return [[number for _, number in group] for _, group in keyed]


def _format_run(group: Sequence[int], *, width: int) -> str:
    first, last = f"{group[0]:0{width}d}", f"{group[-1]:0{width}d}"
    if len(group) == 1:
        return first
    return f"{first}–{last}" if len(group) > 2 else f"{first} · {last}"  # noqa: PLR2004 - a pair


def _format_shortened(ordered: Sequence[int], *, width: int, separator: str, limit: int) -> str:
    characters_per_number = width + len(separator)
    shown = max(1, (limit - 30) // characters_per_number)
    listed = separator.join(f"{number:0{width}d}" for number in ordered[:shown])
    return f"{listed} and {len(ordered) - shown} more{SHORTENED_LIST_HINT}"


def format_numbers_as_sentence(values: Collection[int], *, width: int, at_most: int = 12) -> str:
    """Return ticket numbers for a sentence: "07, 13 and 45"; beyond `at_most`: "… and 9 more"."""
    ordered = [f"{number:0{width}d}" for number in sorted(values)]
    if len(ordered) > at_most:
        return f"{', '.join(ordered[:at_most])} and {len(ordered) - at_most} more"
    if len(ordered) <= 1:
        return "".join(ordered)
    return f"{', '.join(ordered[:-1])} and {ordered[-1]}"
