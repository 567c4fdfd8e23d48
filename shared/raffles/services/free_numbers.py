"""Free ticket numbers from random points on, for many buyers at once; reads only."""

import json
from collections.abc import Sequence
from typing import Final

from django.db import connection

_FREE_NUMBERS_SQL: Final = """
    SELECT number FROM raffles_ticketnumber
    WHERE raffle_id = {raffle} AND status = 'AVAILABLE' AND shuffle_key {direction} {pivot}
    ORDER BY shuffle_key LIMIT {limit}
"""
"""What `tickets.find_free_tickets` reads of one raffle from one point on."""

_PLACES_SQL: Final = {
    "postgresql": """
        SELECT ARRAY({free_numbers})
        FROM unnest(%s::bigint[], %s::bigint[]) WITH ORDINALITY AS place (raffle, pivot, at)
        ORDER BY place.at
    """,
    "sqlite": """
        SELECT (SELECT json_group_array(number) FROM ({free_numbers}))
        FROM json_each(%s) AS place
        ORDER BY place.key
    """,
}
"""One subquery for each place, because the ORM knows no join with a list of values."""


def find_free_numbers_at(places: Sequence[tuple[int, int]], *, limit: int) -> list[list[int]]:
    """Return free ticket numbers as `tickets.find_free_tickets` does, without locking them.

    It is one query; a second one follows where the end of the keys was reached.

    Args:
        places: pairs of raffle id and random point (`pivot`).
        limit: how many ticket numbers to return for each at most.

    Returns:
        The ticket numbers for each place, in the order of their keys.

    """
    if not places:
        return []
    found = _query_free_numbers(places, direction=">=", limit=limit)
    short = [place for place, numbers in enumerate(found) if len(numbers) < limit]
    if short:
        rest = _query_free_numbers([places[place] for place in short], direction="<", limit=limit)
        for place, numbers in zip(short, rest, strict=True):
            found[place] = [*found[place], *numbers][:limit]
    return found


def _query_free_numbers(
    places: Sequence[tuple[int, int]], *, direction: str, limit: int
) -> list[list[int]]:
    is_postgres = connection.vendor == "postgresql"
    free_numbers = _FREE_NUMBERS_SQL.format(
        raffle="place.raffle" if is_postgres else "place.value ->> 0",
        pivot="place.pivot" if is_postgres else "place.value ->> 1",
        direction=direction,
        limit=limit,
    )
    statement = _PLACES_SQL[connection.vendor].format(free_numbers=free_numbers)
    with connection.cursor() as cursor:
        if is_postgres:
            cursor.execute(statement, [list(column) for column in zip(*places, strict=True)])
            return [numbers for (numbers,) in cursor.fetchall()]
        cursor.execute(statement, [json.dumps(places)])
        return [json.loads(numbers) for (numbers,) in cursor.fetchall()]
