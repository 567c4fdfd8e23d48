"""Creates the numbers of a raffle: a million within seconds, in short transactions of its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction

from shared.raffles.models import Raffle, TicketNumber

_INSERT_SQL: Final = {
    "postgresql": """
        INSERT INTO raffles_ticketnumber (raffle_id, number, status, shuffle_key)
        SELECT %(raffle)s, number, 'AVAILABLE', floor(random() * 2147483648)::integer
        FROM generate_series(%(first)s, %(last)s) AS number
        ON CONFLICT (raffle_id, number) DO NOTHING
    """,
    "sqlite": """
        INSERT INTO raffles_ticketnumber (raffle_id, number, status, shuffle_key)
        WITH RECURSIVE series(number) AS (
            SELECT %(first)s UNION ALL SELECT number + 1 FROM series WHERE number < %(last)s
        )
        SELECT %(raffle)s, number, 'AVAILABLE', random() & 2147483647 FROM series WHERE true
        ON CONFLICT (raffle_id, number) DO NOTHING
    """,
}


@dataclass(frozen=True, slots=True)
class GenerationProgress:
    """How far the numbers of a raffle have come.

    Attributes:
        made: how many exist now.
        total: how many there shall be.
        added: how many of them this step made.

    """

    made: int
    total: int
    added: int = 0

    @property
    def done(self) -> bool:
        """Whether all of them exist."""
        return self.made >= self.total


def _ignore_progress(_: int) -> None:
    """Show no progress."""


def generate_numbers(
    raffle_id: int,
    *,
    progress: Callable[[int], None] = _ignore_progress,
    chunk: int = 50_000,
    pause: float = 0.01,
) -> int:
    """Create the numbers a raffle still lacks; where it was broken off, it goes on.

    Args:
        raffle_id: whose numbers.
        progress: is told after each chunk how many numbers exist so far.
        chunk: numbers a transaction.
        pause: seconds between transactions on SQLite, whose waiting writers get no turn otherwise.

    Returns:
        How many were created.

    Raises:
        Raffle.DoesNotExist: if there is no such raffle.

    """
    raffle = Raffle.objects.get(pk=raffle_id)
    created = 0
    for first in range(raffle.first_number, raffle.last_number + 1, chunk):
        last = min(first + chunk - 1, raffle.last_number)
        if count_numbers_in_range(raffle_id, first=first, last=last) < last - first + 1:
            created += _insert_numbers(raffle_id, first=first, last=last)
            if connection.vendor == "sqlite":
                time.sleep(pause)
        progress(last - raffle.first_number + 1)
    if created:
        _analyze_table()
    return created


def measure_progress(raffle: Raffle) -> GenerationProgress:
    """Count how many of a raffle's numbers exist."""
    made = count_numbers_in_range(raffle.pk, first=raffle.first_number, last=raffle.last_number)
    return GenerationProgress(made=made, total=raffle.number_count)


def generate_next_numbers(raffle_id: int, *, chunk: int = 50_000) -> GenerationProgress:
    """Create the next numbers a raffle lacks, in one transaction of about a second.

    Called again and again it comes to all of them; broken off, it goes on. Whoever calls it at the
    same moment waits for the raffle's row and makes the numbers that follow.

    Args:
        raffle_id: whose numbers.
        chunk: how many numbers at most.

    Raises:
        Raffle.DoesNotExist: if there is no such raffle.

    """
    with transaction.atomic(durable=True):
        raffle = Raffle.objects.select_for_update(no_key=True).get(pk=raffle_id)
        before = measure_progress(raffle)
        if before.done:
            return before
        first, last = _find_next_gap(raffle, chunk=chunk)
        added = _insert_numbers(raffle_id, first=first, last=last)
    after = GenerationProgress(made=before.made + added, total=before.total, added=added)
    if after.done:
        _analyze_table()
    return after


def _find_next_gap(raffle: Raffle, *, chunk: int) -> tuple[int, int]:
    """Give the first stretch of at most `chunk` numbers that is not complete."""
    for first in range(raffle.first_number, raffle.last_number + 1, chunk):
        last = min(first + chunk - 1, raffle.last_number)
        if count_numbers_in_range(raffle.pk, first=first, last=last) < last - first + 1:
            return first, last
    raise RuntimeError(f"raffle {raffle.pk} lacks numbers and no gap is found")


def _analyze_table() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # or plans are made for a table believed empty
            cursor.execute("ANALYZE raffles_ticketnumber")


def count_numbers_in_range(raffle_id: int, *, first: int, last: int) -> int:
    """Count the numbers that exist from `first` to `last`."""
    return TicketNumber.objects.filter(raffle_id=raffle_id, number__range=(first, last)).count()


@transaction.atomic
def _insert_numbers(raffle_id: int, *, first: int, last: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT_SQL[connection.vendor], {"raffle": raffle_id, "first": first, "last": last}
        )
        created: int = cursor.rowcount
        return created
