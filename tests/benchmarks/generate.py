"""Benchmark of a million ticket numbers, and of what else is written meanwhile."""

import random
import time
from typing import TYPE_CHECKING, Final

from tests.benchmarks.support import databases
from tests.benchmarks.support.databases import Kind
from tests.benchmarks.support.figures import Figure, Options, Results, WrongResult, at_most
from tests.benchmarks.support.other_writer import (
    MIN_WRITES,
    WRITES_PER_SECOND,
    Milliseconds,
    Writer,
    compute_p99,
    run_writer,
)
from tests.benchmarks.support.rounds import compute_median, interleave

if TYPE_CHECKING:
    from shared.raffles.models import Raffle

NUMBERS: Final = 1_000_000
BULK_CREATED: Final = 50_000
"""Ticket numbers of the baseline, which would need a minute for all of them."""

ROUNDS: Final = 3
SECONDS: Final[dict[Kind, float]] = {"sqlite": 8, "postgresql": 12}
"""Goal of a million; on PostgreSQL the check of the foreign key is half of it."""
OTHERS_P99_MS: Final = 250.0


def run(options: Options) -> list[Figure]:
    """Measure in turns: alone, beside a writer, and the baseline.

    Raises:
        WrongResult: not every number exists exactly once.

    """
    numbers, bulk = (10_000, 2_000) if options.quick else (NUMBERS, BULK_CREATED)
    with databases.create_database(options.database), run_writer() as writer:
        idle = writer.write_until_stopped(seconds=MIN_WRITES / WRITES_PER_SECOND)
        beside: list[Milliseconds] = []
        seconds = interleave(
            {
                "alone": lambda _: time_generation(numbers),
                "beside": lambda _: _generate_beside(writer, numbers=numbers, waits=beside),
                "bulk_create": lambda _: time_bulk_create(bulk),
            },
            rounds=1 if options.quick else ROUNDS,
        )
    middle = {name: compute_median(took, float) for name, took in seconds.items()}
    results = Results("generate", options.database)
    results.add(
        f"{numbers:,} numbers", middle["alone"], "s", goal=at_most(SECONDS[options.database])
    )
    results.add(f"{numbers:,} numbers beside another writer", middle["beside"], "s")
    results.compare(
        "numbers",
        numbers / middle["alone"],
        "per s",
        baseline=f"bulk_create of {bulk:,}, batches of 1,000",
        baseline_value=bulk / middle["bulk_create"],
    )
    results.add("another writer with nothing beside it, p99", compute_p99(idle), "ms")
    waits = [each for one in beside for each in one]
    results.add(
        "another writer meanwhile, p99", compute_p99(waits), "ms", goal=at_most(OTHERS_P99_MS)
    )
    results.add("another writer meanwhile, slowest", max(waits), "ms")
    return results.figures


def time_generation(numbers: int) -> float:
    """Generate the numbers of a new raffle and return the seconds.

    Raises:
        WrongResult: not every number exists exactly once.

    """
    from shared.raffles.services.ticket_numbers import number_generation

    raffle = _create_raffle(numbers)
    began = time.perf_counter()
    number_generation.generate_numbers(raffle.pk)
    seconds = time.perf_counter() - began
    if not number_generation.measure_progress(raffle).done or raffle.numbers.count() != numbers:
        raise WrongResult(f"not every one of the {numbers:,} numbers exists once")
    return seconds


def time_bulk_create(numbers: int) -> float:
    """Create the numbers of a new raffle in the textbook way and return the seconds."""
    from shared.raffles.models import TicketNumber

    raffle = _create_raffle(numbers)
    began = time.perf_counter()
    TicketNumber.objects.bulk_create(
        (
            TicketNumber(raffle=raffle, number=number, shuffle_key=random.getrandbits(31))
            for number in range(raffle.first_number, raffle.last_number + 1)
        ),
        batch_size=1_000,
    )
    return time.perf_counter() - began


def _create_raffle(numbers: int) -> "Raffle":
    from tests import builders

    return builders.create_raffle(numbers=numbers, with_numbers=False, status="DRAFT")


def _generate_beside(writer: Writer, *, numbers: int, waits: list[Milliseconds]) -> float:
    writer.start()
    try:
        return time_generation(numbers)
    finally:
        waits.append(writer.stop())
