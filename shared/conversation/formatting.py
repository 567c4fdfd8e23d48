"""Amounts, times and ticket numbers as text for people; pure functions."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from babel.numbers import format_currency

LOCALE: Final = "en_US"
MAX_TICKET_LIST_CHARACTERS: Final = 420
"""Most characters of a list of ticket numbers; the body of a message with buttons takes 1,024."""
MAX_LONG_TICKET_LIST_CHARACTERS: Final = 3_000
"""The same for a message without buttons, or with a list, whose body takes 4,096."""
MAX_SINGLE_TICKET_NUMBERS: Final = 20
"""Ticket numbers that are listed one by one; of more, those in a row are written as a range."""

_PAIR: Final = 2
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


def format_money(amount: Decimal, currency: str) -> str:
    """Return an amount with its currency (ISO 4217): $15.00, €1,234.50."""
    return _format_money(str(amount), currency)


@lru_cache(maxsize=1_000)
def _format_money(amount: str, currency: str) -> str:
    """Return an amount as `format_money` does; raffles have few prices, and Babel takes 50 µs."""
    return format_currency(Decimal(amount), currency, locale=LOCALE)


def format_count(number: int) -> str:
    """Return a count with thousands separators: 1,000."""
    return f"{number:,}"


def format_deadline(at: datetime, *, now: datetime, time_zone: str) -> str:
    """Return a deadline with the time left: "15:42 (28 minutes left)"; once it is over, without."""
    left = format_time_left(at, now=now)
    time = format_near_time(at, now=now, time_zone=time_zone)
    return f"{time} ({left} left)" if left else time


def format_near_time(at: datetime, *, now: datetime, time_zone: str) -> str:
    """Return a time: "15:42" if that is today in `time_zone`, else "Sat 12 Dec, 15:42".

    The year follows if it is not the current one.
    """
    zone = ZoneInfo(time_zone)
    local = at.astimezone(zone)
    today = local.date() == now.astimezone(zone).date()
    if today:
        return f"{local:%H:%M}"
    has_year = is_in_other_year(at, now=now, time_zone=time_zone)
    return format_day_and_time(at, time_zone=time_zone, has_year=has_year)


def format_time_left(at: datetime, *, now: datetime) -> str:
    """Return the time until a later one, rounded down: "28 minutes"; empty once it has come.

    It is in minutes up to two hours, in hours up to two days, then in days.
    """
    seconds = (at - now).total_seconds()
    if seconds <= 0:
        return ""
    if seconds < _MINUTE:
        return "less than a minute"
    for unit, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= 2 * unit or unit == _MINUTE:
            count = int(seconds // unit)
            return f"{count} {name}{'' if count == 1 else 's'}"
    raise AssertionError  # pragma: no cover - minutes are always returned


def format_day_and_time(at: datetime, *, time_zone: str, has_year: bool = False) -> str:
    """Return a date and time: "Sat 12 Dec, 20:00", or with the year "Sat 12 Dec 2037, 20:00"."""
    local = at.astimezone(ZoneInfo(time_zone))
    year = f" {local.year}" if has_year else ""
    return f"{local:%a {local.day} %b{year}, %H:%M}"


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
    hint: str = "",
) -> str:
    """Return a list of ticket numbers that takes `limit` characters at most.

    A long list has numbers in a row as ranges, from the first to the last; one that is still too
    long is cut.

    Args:
        values: the ticket numbers, in any order.
        width: the digits of a number, with its leading zeros.
        separator: the text between two numbers.
        limit: the most characters of the list.
        hint: the end of a list that was cut, which says where the rest is, e.g. " (see …)".

    """
    ordered = sorted(values)
    plain = separator.join(f"{number:0{width}d}" for number in ordered)
    if len(ordered) <= MAX_SINGLE_TICKET_NUMBERS and len(plain) <= limit:
        return plain
    runs = split_into_runs(ordered)
    as_ranges = separator.join(format_run(run, width=width) for run in runs)
    if len(as_ranges) <= limit:
        return as_ranges
    return _format_shortened(runs, width=width, separator=separator, limit=limit, hint=hint)


def split_into_runs(values: Collection[int]) -> list[list[int]]:
    """Return ticket numbers as ascending runs: three or more in a row, or a single one."""
    keyed = groupby(enumerate(sorted(values)), key=lambda pair: pair[1] - pair[0])
    rows = [[number for _, number in group] for _, group in keyed]
    return [part for row in rows for part in ([row] if len(row) > _PAIR else [[n] for n in row])]


def format_run(run: Sequence[int], *, width: int) -> str:
    """Return a run of ticket numbers, from the first to the last, or the only one."""
    first, last = f"{run[0]:0{width}d}", f"{run[-1]:0{width}d}"
    return first if len(run) == 1 else f"{first}–{last}"


def _format_shortened(
    runs: Sequence[Sequence[int]], *, width: int, separator: str, limit: int, hint: str
) -> str:
    count = sum(map(len, runs))
    room = limit - len(f" and {count} more{hint}")
    shown = ""
    for run in runs:
        longer = separator.join(filter(None, [shown, format_run(run, width=width)]))
        if shown and len(longer) > room:
            break
        shown, count = longer, count - len(run)
    return f"{shown} and {count} more{hint}"


def format_numbers_as_sentence(values: Collection[int], *, width: int, at_most: int = 12) -> str:
    """Return ticket numbers for a sentence: "07, 13 and 45"; beyond `at_most`: "… and 9 more"."""
    ordered = [f"{number:0{width}d}" for number in sorted(values)]
    if len(ordered) > at_most:
        return f"{', '.join(ordered[:at_most])} and {len(ordered) - at_most} more"
    if len(ordered) <= 1:
        return "".join(ordered)
    return f"{', '.join(ordered[:-1])} and {ordered[-1]}"
