"""Generation of a raffle's ticket numbers: a million within seconds, in short transactions.

Each transaction creates the numbers after the highest one, so an interruption leaves a beginning
that the next call continues, and a raffle opens only with all of its numbers.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction
from django.db.models import Max

from shared.core import write_turns
from shared.core.write_turns import WriteTurns
from shared.raffles.models import Raffle, TicketNumber

SECONDS_PER_TRANSACTION: Final = 0.15
"""Aim for the time in which a transaction keeps other writers of SQLite waiting.

About a fifth of it is SQLite's checkpoint after the commit, in which others may write.
"""

MIN_CHUNK: Final = 5_000
MAX_CHUNK: Final = 50_000
"""Ticket numbers per transaction: the first one creates the fewest.

Fewer would cost more than they spare: nearly each row of a chunk changes another page of the index
of the random keys.
"""

NUMBERS_PER_STEP: Final = 25_000
"""Ticket numbers that a request creates: half a second on an idle machine."""

_INSERT_SQL: Final = {
    "postgresql": """
        INSERT INTO raffles_ticketnumber (raffle_id, number, status, shuffle_key)
        SELECT %(raffle)s, number, 'AVAILABLE', floor(random() * 2147483648)::integer
        FROM generate_series(%(first)s, %(last)s) AS number
        ON CONFLICT (raffle_id, number) DO NOTHING
    """,
    # In the order of the keys, because each page of their index is then written only once.
    "sqlite": """
        INSERT INTO raffles_ticketnumber (raffle_id, number, status, shuffle_key)
        WITH RECURSIVE series(number) AS (
            SELECT %(first)s UNION ALL SELECT number + 1 FROM series WHERE number < %(last)s
        ), keyed(number, shuffle_key) AS MATERIALIZED (
            SELECT number, random() & 2147483647 FROM series
        )
        SELECT %(raffle)s, number, 'AVAILABLE', shuffle_key FROM keyed WHERE true
        ORDER BY shuffle_key
        ON CONFLICT (raffle_id, number) DO NOTHING
    """,
}


@dataclass(frozen=True, slots=True)
class GenerationProgress:
    """Progress of generation.

    Attributes:
        made: ticket numbers that exist now.
        total: ticket numbers of the finished raffle.
        added: ticket numbers that this step created.

    """

    made: int
    total: int
    added: int = 0

    @property
    def done(self) -> bool:
        """Whether all ticket numbers exist."""
        return self.made >= self.total


def _ignore_progress(_: int) -> None:
    """Ignore the progress."""


def generate_numbers(
    raffle_id: int,
    *,
    progress: Callable[[int], None] = _ignore_progress,
    chunk: int = MAX_CHUNK,
    pause: float = write_turns.PAUSE,
) -> int:
    """Create the ticket numbers that a raffle lacks; after an interruption the rest of them.

    Args:
        raffle_id: primary key of the raffle.
        progress: called with the number of ticket numbers that exist so far: at the beginning, if
            there are any, and after each transaction.
        chunk: ticket numbers per transaction at most.
        pause: seconds after a transaction on SQLite, so other writers get their turn.

    Returns:
        How many ticket numbers were created.

    Raises:
        Raffle.DoesNotExist: there is no such raffle.

    """
    before = measure_progress(Raffle.objects.get(pk=raffle_id))
    if before.made:
        progress(before.made)
    created = 0
    turns = WriteTurns(pause=pause)
    for added in _insert_missing_numbers(raffle_id, limit=before.total, chunk=chunk, turns=turns):
        created += added
        progress(before.made + created)
    if created:
        _analyze_table()
    return created


def measure_progress(raffle: Raffle) -> GenerationProgress:
    """Return the progress of a raffle's ticket numbers."""
    made = count_numbers_in_range(raffle.pk, first=raffle.first_number, last=raffle.last_number)
    return GenerationProgress(made=made, total=raffle.number_count)


def generate_next_numbers(raffle_id: int, *, count: int = NUMBERS_PER_STEP) -> GenerationProgress:
    """Create the next ticket numbers that a raffle lacks, in short transactions.

    Repeated calls create all of them. A concurrent call waits for the lock on the raffle and then
    creates the ticket numbers that follow.

    Args:
        raffle_id: primary key of the raffle.
        count: how many ticket numbers to create at most.

    Returns:
        The progress after this step; with `added` 0 if all existed before.

    Raises:
        Raffle.DoesNotExist: there is no such raffle.

    """
    added = sum(
        _insert_missing_numbers(raffle_id, limit=count, chunk=MAX_CHUNK, turns=WriteTurns())
    )
    after = measure_progress(Raffle.objects.get(pk=raffle_id))
    if added and after.done:
        _analyze_table()
    return GenerationProgress(made=after.made, total=after.total, added=added)


def count_numbers_in_range(raffle_id: int, *, first: int, last: int) -> int:
    """Return how many ticket numbers exist from `first` to `last`."""
    return TicketNumber.objects.filter(raffle_id=raffle_id, number__range=(first, last)).count()


def compute_next_chunk(size: int, *, seconds: float, largest: int) -> int:
    """Return how many ticket numbers the next transaction creates.

    Args:
        size: how many the last one created.
        seconds: how long it took.
        largest: the most.

    """
    wanted = int(size * min(SECONDS_PER_TRANSACTION / seconds, 2))
    return min(max(wanted, MIN_CHUNK), largest)


def _insert_missing_numbers(
    raffle_id: int, *, limit: int, chunk: int, turns: WriteTurns
) -> Iterator[int]:
    """Create at most `limit` ticket numbers and yield after each transaction how many it created.

    First those after the highest one, then any that are missing below it.
    """
    size = min(MIN_CHUNK, chunk)
    while limit > 0:
        with turns.take():
            added, seconds = _append_numbers(raffle_id, count=min(size, limit))
        if not added:
            yield from _fill_gaps(raffle_id, limit=limit, turns=turns)
            return
        yield added
        limit -= added
        size = compute_next_chunk(size, seconds=seconds, largest=chunk)


def _append_numbers(raffle_id: int, *, count: int) -> tuple[int, float]:
    """Create at most `count` ticket numbers after the highest one, in one transaction.

    Returns:
        How many were created, and the seconds that others had to wait.

    """
    with transaction.atomic(durable=True):
        raffle = Raffle.objects.select_for_update(no_key=True).get(pk=raffle_id)
        began = time.perf_counter()
        highest = TicketNumber.objects.filter(raffle=raffle).aggregate(highest=Max("number"))
        made_to = highest["highest"]
        first = raffle.first_number if made_to is None else made_to + 1
        last = min(first + count - 1, raffle.last_number)
        added = _insert_numbers(raffle, first=first, last=last) if first <= last else 0
    return added, time.perf_counter() - began


def _fill_gaps(raffle_id: int, *, limit: int, turns: WriteTurns) -> Iterator[int]:
    """Create ticket numbers that are missing between others, a transaction per range of them."""
    raffle = Raffle.objects.get(pk=raffle_id)
    if measure_progress(raffle).done:
        return
    size = min(MIN_CHUNK, limit)
    for first in range(raffle.first_number, raffle.last_number + 1, size):
        last = min(first + size - 1, raffle.last_number)
        if count_numbers_in_range(raffle_id, first=first, last=last) < last - first + 1:
            with turns.take(), transaction.atomic(durable=True):
                added = _insert_numbers(raffle, first=first, last=last)
            yield added
            limit -= added
            if limit <= 0:
                return


def _insert_numbers(raffle: Raffle, *, first: int, last: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT_SQL[connection.vendor], {"raffle": raffle.pk, "first": first, "last": last}
        )
        created: int = cursor.rowcount
        return created


def _analyze_table() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # else queries are planned for an empty table
            cursor.execute("ANALYZE raffles_ticketnumber")
