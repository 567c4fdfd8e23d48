"""Generation of a raffle's ticket numbers: a million within seconds, in short transactions."""

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
    chunk: int = 50_000,
    pause: float = 0.01,
) -> int:
    """Create the ticket numbers that a raffle lacks; after an interruption the rest of them.

    Args:
        raffle_id: primary key of the raffle.
        progress: called after each chunk with the number of ticket numbers that exist so far.
        chunk: ticket numbers per transaction.
        pause: seconds between transactions on SQLite, so other writers get their turn.

    Returns:
        How many ticket numbers were created.

    Raises:
        Raffle.DoesNotExist: there is no such raffle.

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
    """Return the progress of a raffle's ticket numbers."""
    made = count_numbers_in_range(raffle.pk, first=raffle.first_number, last=raffle.last_number)
    return GenerationProgress(made=made, total=raffle.number_count)


def generate_next_numbers(raffle_id: int, *, chunk: int = 50_000) -> GenerationProgress:
    """Create the next ticket numbers that a raffle lacks, in one transaction of about a second.

    Repeated calls create all of them. A concurrent call waits for the lock on the raffle and then
    creates the ticket numbers that follow.

    Args:
        raffle_id: primary key of the raffle.
        chunk: how many ticket numbers to create at most.

    Returns:
        The progress after this step; with `added` 0 if all existed before.

    Raises:
        Raffle.DoesNotExist: there is no such raffle.

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
    """Return first and last of the first range of at most `chunk` ticket numbers with a gap."""
    for first in range(raffle.first_number, raffle.last_number + 1, chunk):
        last = min(first + chunk - 1, raffle.last_number)
        if count_numbers_in_range(raffle.pk, first=first, last=last) < last - first + 1:
            return first, last
    raise RuntimeError(f"raffle {raffle.pk} lacks numbers and no gap is found")


def _analyze_table() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # else queries are planned for an empty table
            cursor.execute("ANALYZE raffles_ticketnumber")


def count_numbers_in_range(raffle_id: int, *, first: int, last: int) -> int:
    """Return how many ticket numbers exist from `first` to `last`."""
    return TicketNumber.objects.filter(raffle_id=raffle_id, number__range=(first, last)).count()


@transaction.atomic
def _insert_numbers(raffle_id: int, *, first: int, last: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT_SQL[connection.vendor], {"raffle": raffle_id, "first": first, "last": last}
        )
        created: int = cursor.rowcount
        return created
