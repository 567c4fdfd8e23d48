"""Ranges of consecutive ticket numbers with equal status; reads only."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from django.db import connection
from django.db.models import Max

from shared.core.enums import TicketStatus
from shared.raffles.models import Raffle, TicketNumber

MAX_RANGES_PER_PAGE: Final = 1_000
"""Ranges per page at most, and ticket numbers that one call may name."""

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
"""Steps from the start of one range to the start of the next, along the index of ticket numbers.

It visits each ticket number once and stops when the page is full. Window functions would rank
every ticket number of the raffle first.
"""

_STATUS_SQL: Final = "ticket.status"
_STATUS_OR_GAP_SQL: Final = "CASE ticket.status WHEN %(status)s THEN ticket.status ELSE '' END"


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Consecutive ticket numbers of the same status, from `first` to `last`."""

    first: int
    last: int
    status: TicketStatus

    @property
    def count(self) -> int:
        """Number of tickets in the range."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class RangePage:
    """A page of ranges.

    Attributes:
        ranges: the ranges, ascending.
        after: the ticket number after which the next page starts; None on the last page.

    """

    ranges: list[NumberRange]
    after: int | None


def load_range_page(
    raffle: Raffle,
    *,
    after: int | None,
    limit: int = MAX_RANGES_PER_PAGE,
    status: TicketStatus | None = None,
) -> RangePage:
    """Return a page of ranges, in two queries.

    Ticket numbers that do not exist yet are in no range.

    Args:
        raffle: the raffle.
        after: the ticket number before the page; None: the page starts with the first one.
        limit: how many ranges to return at most; more than `MAX_RANGES_PER_PAGE` are cut to that.
        status: the status of the ranges; None: any.

    """
    first = raffle.first_number if after is None else after + 1
    most = min(limit, MAX_RANGES_PER_PAGE) * (2 if status else 1)  # every second one is a gap
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
    """Return the ranges that the given ticket numbers form, ascending, in one query.

    Args:
        raffle: the raffle.
        numbers: up to `MAX_RANGES_PER_PAGE` ticket numbers; those that do not exist are left out.

    """
    found = TicketNumber.objects.filter(raffle=raffle, number__in=numbers).order_by("number")
    return _join_into_ranges(found.values_list("number", "status"))


def _join_into_ranges(tickets: Iterable[tuple[int, str]]) -> list[NumberRange]:
    rows = list(tickets)
    breaks = [
        index
        for index, ((number, status), (next_number, next_status)) in enumerate(
            pairwise(rows), start=1
        )
        if next_number != number + 1 or next_status != status
    ]
    return [
        NumberRange(rows[begin][0], rows[end - 1][0], TicketStatus(rows[begin][1]))
        for begin, end in pairwise([0, *breaks, len(rows)])
        if begin < end
    ]


def _find_range_starts(
    raffle_id: int, *, first: int, limit: int, status: TicketStatus | None
) -> Sequence[tuple[int, str]]:
    """Return start and kind of ranges; the kind is a status, or "" for a gap."""
    statement = _RANGE_STARTS_SQL.format(kind=_STATUS_OR_GAP_SQL if status else _STATUS_SQL)
    values: dict[str, Any] = {"raffle": raffle_id, "first": first, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(statement, values | ({"status": status.value} if status else {}))
        found: Sequence[tuple[int, str]] = cursor.fetchall()
    return found


def _find_last_ticket_number(raffle: Raffle) -> int:
    made = TicketNumber.objects.filter(raffle=raffle).aggregate(last=Max("number"))["last"]
    return raffle.first_number - 1 if made is None else made
