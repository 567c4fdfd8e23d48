"""The numbers of a raffle as ranges of equal status: compact at a million; reads only."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from django.db import connection
from django.db.models import Max

from shared.core.enums import TicketStatus
from shared.raffles.models import Raffle, TicketNumber

MAX_RANGES_PER_PAGE: Final = 1_000
"""Ranges of one page at most, and numbers that can be asked for by name."""

_RANGE_STARTS_SQL: Final = """
    WITH RECURSIVE run(number, kind, nth) AS (
        SELECT * FROM (
            SELECT number, {kind}, 1 FROM raffles_ticketnumber ticket
            WHERE raffle_id = %(raffle)s AND number >= %(first)s
            ORDER BY number LIMIT 1
        ) beginning
        UNION ALL
        SELECT ticket.number, {kind}, run.nth + 1
        FROM run JOIN raffles_ticketnumber ticket ON ticket.id = (
            SELECT ticket.id FROM raffles_ticketnumber ticket
            WHERE ticket.raffle_id = %(raffle)s AND ticket.number > run.number
                AND {kind} <> run.kind
            ORDER BY ticket.number LIMIT 1
        )
        WHERE run.nth < %(limit)s
    )
    SELECT number, kind FROM run ORDER BY number
"""
"""Leaps from where one range begins to where the next does, along the index of numbers.

It meets each number once, in the database, and stops after as many ranges as a page has. Window
functions would rank every number of the raffle before they cut the page.
"""

_STATUS_SQL: Final = "ticket.status"
_STATUS_OR_GAP_SQL: Final = "CASE ticket.status WHEN %(status)s THEN ticket.status ELSE '' END"


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Numbers in a row that have the same status, from the first to the last."""

    first: int
    last: int
    status: TicketStatus

    @property
    def count(self) -> int:
        """How many numbers they are."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class RangePage:
    """Some ranges in a row; `after` is the number the next page follows, None at the end."""

    ranges: list[NumberRange]
    after: int | None


def load_range_page(
    raffle: Raffle,
    *,
    after: int | None,
    limit: int = MAX_RANGES_PER_PAGE,
    status: TicketStatus | None = None,
) -> RangePage:
    """Read the ranges that follow a number, in two queries.

    Numbers that are not made yet are in no range.

    Args:
        raffle: whose numbers.
        after: the number before the page; None: from the first one on.
        limit: how many ranges at most, `LIMIT` itself at most.
        status: only these; other numbers are gaps between the ranges.

    """
    first = raffle.first_number if after is None else after + 1
    most = min(limit, MAX_RANGES_PER_PAGE) * (2 if status else 1)  # every other one is a gap
    starts = _find_range_starts(raffle.pk, first=first, limit=most + 1, status=status)
    following = starts[most][0] - 1 if len(starts) > most else None
    end = _find_last_ticket_number(raffle) if following is None else following
    ends = [start for start, _ in starts[1 : most + 1]]
    if following is None:
        ends.append(end + 1)
    return RangePage(
        ranges=[
            NumberRange(start, beyond - 1, TicketStatus(kind))
            for (start, kind), beyond in zip(starts, ends, strict=False)
            if kind
        ],
        after=following,
    )


def load_ranges_of_numbers(raffle: Raffle, *, numbers: Collection[int]) -> list[NumberRange]:
    """Give the ranges that these numbers form, ascending, in one query.

    Args:
        raffle: whose numbers.
        numbers: up to `LIMIT` of them; what is not made yet is left out.

    """
    asked = TicketNumber.objects.filter(raffle=raffle, number__in=numbers).order_by("number")
    return _join_into_ranges(asked.values_list("number", "status"))


def _join_into_ranges(places: Iterable[tuple[int, str]]) -> list[NumberRange]:
    rows = list(places)
    breaks = [
        nth
        for nth, ((number, status), (following, another)) in enumerate(pairwise(rows), start=1)
        if following != number + 1 or another != status
    ]
    return [
        NumberRange(rows[begin][0], rows[end - 1][0], TicketStatus(rows[begin][1]))
        for begin, end in pairwise([0, *breaks, len(rows)])
        if begin < end
    ]


def _find_range_starts(
    raffle_id: int, *, first: int, limit: int, status: TicketStatus | None
) -> Sequence[tuple[int, str]]:
    """Give where ranges begin and what kind they are; a kind is a status, or "" for a gap."""
    statement = _RANGE_STARTS_SQL.format(kind=_STATUS_OR_GAP_SQL if status else _STATUS_SQL)
    values: dict[str, Any] = {"raffle": raffle_id, "first": first, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(statement, values | ({"status": status.value} if status else {}))
        found: Sequence[tuple[int, str]] = cursor.fetchall()
    return found


def _find_last_ticket_number(raffle: Raffle) -> int:
    made = TicketNumber.objects.filter(raffle=raffle).aggregate(last=Max("number"))["last"]
    return raffle.first_number - 1 if made is None else made
