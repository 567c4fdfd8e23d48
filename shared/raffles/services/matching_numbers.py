"""Free ticket numbers whose digits are as a buyer wants them; reads only.

Work is bounded however large a raffle is. There are three kinds of searches, each of which looks at
`MAX_EXAMINED` ticket numbers at most, and an answer needs three of them at most:

- all numbers that fit, if these are few, such as the hundred of a million that end in 7777;
- the numbers from the lowest or the highest one on;
- the free numbers in random order, from a random point on.

So an answer is complete in a raffle or range of up to `MAX_EXAMINED` numbers, while fewer than that
are free, and if few numbers fit. Otherwise the last free numbers that fit may be overlooked among
many free ones that do not, and the lowest ones listed may not be the very lowest.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from django.db import connection

from shared.raffles.models import Raffle

MAX_EXAMINED: Final = 10_000
"""Most ticket numbers that one search looks at."""

MAX_CANDIDATES: Final = 5_000
"""Most numbers that are looked up one by one because they fit."""


class NumberOrder(Enum):
    """Which of many free ticket numbers are listed."""

    LOWEST = auto()
    HIGHEST = auto()
    ANY = auto()
    """Those after a random point, so that buyers are offered different ones."""


def list_free_numbers(
    raffle: Raffle,
    *,
    ending: str = "",
    starting: str = "",
    containing: str = "",
    is_odd: bool | None = None,
    low: int | None = None,
    high: int | None = None,
    order: NumberOrder = NumberOrder.ANY,
    limit: int,
    pivot: int,
) -> list[int]:
    """Return free ticket numbers that fit, ascending.

    Args:
        raffle: the raffle they belong to.
        ending: the last digits of the number as the raffle writes it, with its leading zeros.
        starting: the first digits.
        containing: digits that follow each other somewhere in the number.
        is_odd: whether only odd or only even numbers fit; None: both.
        low: the lowest number that fits.
        high: the highest number that fits.
        order: which ones are listed if there are more than `limit`.
        limit: how many to return at most.
        pivot: random number from 0 to 2**31-1, at which a search for any numbers begins.

    """
    width = raffle.width
    if any(len(digits) > width for digits in (ending, starting, containing)):
        return []
    first = max(raffle.first_number, 0 if low is None else low)
    last = raffle.last_number if high is None else min(raffle.last_number, high)
    if starting:
        block = 10 ** (width - len(starting))
        first = max(first, int(starting) * block)
        last = min(last, (int(starting) + 1) * block - 1)
    if first > last:
        return []
    wanted = _Wanted(raffle, first, last, ending, containing, is_odd)
    found = _find(wanted, order=order, limit=limit, pivot=pivot)
    return sorted(_choose(found, order=order, limit=limit, pivot=pivot))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The ticket numbers that fit: those from `first` to `last` that have these digits."""

    raffle: Raffle
    first: int
    last: int
    ending: str
    containing: str
    is_odd: bool | None

    @property
    def is_short(self) -> bool:
        """Whether one search looks at all numbers from the first to the last."""
        return self.last - self.first < MAX_EXAMINED

    @property
    def is_part(self) -> bool:
        """Whether the raffle has numbers outside these."""
        return (self.first, self.last) != (self.raffle.first_number, self.raffle.last_number)

    def list_candidates(self) -> list[int] | None:
        """Return the numbers with these digits, ascending, or None if they are too many."""
        digits = self.ending or self.containing
        if not digits:
            return None
        free_digits = self.raffle.width - len(digits)
        places = [0] if self.ending else range(free_digits + 1)
        if len(places) * 10**free_digits > MAX_CANDIDATES:
            return None
        shift = 10 ** len(digits)
        numbers = {
            (before * shift + int(digits)) * 10**place + after
            for place in places
            for before in range(10 ** (free_digits - place))
            for after in range(10**place)
        }
        return sorted(number for number in numbers if self.first <= number <= self.last)

    def build_condition(self) -> tuple[str, list[int]]:
        """Return the condition on the digits in SQL, and its parameters."""
        terms, params = ["TRUE"], []
        if self.ending:
            terms.append("number %% %s = %s")
            params += [10 ** len(self.ending), int(self.ending)]
        if self.containing:
            places = range(self.raffle.width - len(self.containing) + 1)
            terms.append(f"({' OR '.join(['number / %s %% %s = %s'] * len(places))})")
            for place in places:
                params += [10**place, 10 ** len(self.containing), int(self.containing)]
        if self.is_odd is not None:
            terms.append("number %% 2 = %s")
            params.append(int(self.is_odd))
        return " AND ".join(terms), params


def _find(wanted: _Wanted, *, order: NumberOrder, limit: int, pivot: int) -> list[int]:
    """Return free numbers that fit: at least the wanted ones, if so many are found."""
    candidates = wanted.list_candidates()
    if candidates is not None:
        return _fetch_candidates(wanted, candidates)
    match order:
        case NumberOrder.LOWEST:
            start, end = wanted.first, min(wanted.last, wanted.first + MAX_EXAMINED - 1)
            found = _fetch_span(wanted, start, end, "number LIMIT %s", limit)
        case NumberOrder.HIGHEST:
            start, end = max(wanted.first, wanted.last - MAX_EXAMINED + 1), wanted.last
            found = _fetch_span(wanted, start, end, "number DESC LIMIT %s", limit)
        case NumberOrder.ANY if wanted.is_short and wanted.is_part:
            return _fetch_span(wanted, wanted.first, wanted.last, "number")
        case NumberOrder.ANY:
            found = _fetch_free(wanted, "shuffle_key >= %s", pivot, limit)
            if len(found) < limit:
                found += _fetch_free(wanted, "shuffle_key < %s", pivot, limit - len(found))
            return found
    if len(found) < limit and not wanted.is_short:
        found += _fetch_free(wanted, "shuffle_key >= %s", pivot, MAX_EXAMINED)
        found += _fetch_free(wanted, "shuffle_key < %s", pivot, MAX_EXAMINED)
    return found


def _choose(found: Sequence[int], *, order: NumberOrder, limit: int, pivot: int) -> list[int]:
    ordered = sorted(set(found))
    match order:
        case NumberOrder.LOWEST:
            return ordered[:limit]
        case NumberOrder.HIGHEST:
            return ordered[-limit:]
        case NumberOrder.ANY:
            start = pivot % max(1, len(ordered))
            return [*ordered[start:], *ordered[:start]][:limit]


# ── searches ─────────────────────────────────────────────────────────────────────────────────────

_IS_FREE: Final = "status || '' = 'AVAILABLE'"
"""Free, in a spelling for which no planner leaves the index of all numbers for the partial one."""


def _fetch_candidates(wanted: _Wanted, candidates: Sequence[int]) -> list[int]:
    is_postgres = connection.vendor == "postgresql"
    condition, params = wanted.build_condition()
    is_candidate = "= ANY(%s)" if is_postgres else "IN (SELECT value FROM json_each(%s))"
    return _fetch(
        f"""
        SELECT number FROM raffles_ticketnumber
        WHERE raffle_id = %s AND number {is_candidate} AND {_IS_FREE} AND {condition}
        """,  # noqa: S608 - constants of this module
        [
            wanted.raffle.pk,
            list(candidates) if is_postgres else json.dumps(candidates),
            *params,
        ],
    )


def _fetch_span(wanted: _Wanted, start: int, end: int, order: str, *limits: int) -> list[int]:
    condition, params = wanted.build_condition()
    return _fetch(
        f"""
        SELECT number FROM raffles_ticketnumber
        WHERE raffle_id = %s AND number BETWEEN %s AND %s AND {_IS_FREE} AND {condition}
        ORDER BY {order}
        """,  # noqa: S608 - constants of this module
        [wanted.raffle.pk, start, end, *params, *limits],
    )


def _fetch_free(wanted: _Wanted, keys: str, pivot: int, limit: int) -> list[int]:
    condition, params = wanted.build_condition()
    return _fetch(
        f"""
        SELECT number FROM (
            SELECT number FROM raffles_ticketnumber
            WHERE raffle_id = %s AND status = 'AVAILABLE' AND {keys}
            ORDER BY shuffle_key LIMIT %s
        ) AS free
        WHERE number BETWEEN %s AND %s AND {condition} LIMIT %s
        """,  # noqa: S608 - constants of this module
        [wanted.raffle.pk, pivot, MAX_EXAMINED, wanted.first, wanted.last, *params, limit],
    )


def _fetch(sql: str, params: Sequence[Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [number for (number,) in cursor.fetchall()]
