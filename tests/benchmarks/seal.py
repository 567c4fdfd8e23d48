"""Benchmark of sealing a raffle of a million sold numbers, and of who waits for it.

The list is sealed alone and beside two writers: one stores messages, the other takes the raffle's
shared lock as well, as a payment does. The longest wait of the second one is about as long as the
raffle was locked.
"""

import hashlib
import time
from typing import TYPE_CHECKING, Final

from tests.benchmarks.support import databases, memory
from tests.benchmarks.support.figures import Figure, Options, Results, WrongResult, at_most
from tests.benchmarks.support.other_writer import Milliseconds, compute_p99, run_writer
from tests.benchmarks.support.rounds import compute_median, interleave
from tests.benchmarks.support.sold_raffle import SOLD_AT, create_sold_raffle

if TYPE_CHECKING:
    from shared.raffles.models import Raffle

NUMBERS: Final = 1_000_000
ROUNDS: Final = 3
SECONDS: Final = 10.0
OTHERS_P99_MS: Final = 250.0
"""As for the generation of a million numbers."""


def run(options: Options) -> list[Figure]:
    """Seal the same raffle several times, alone and beside two writers.

    Raises:
        WrongResult: the sealed list is not that of all numbers.

    """
    numbers = 10_000 if options.quick else NUMBERS
    rounds = 1 if options.quick else ROUNDS
    with databases.create_database(options.database):
        raffle = create_sold_raffle(numbers, prizes=["a motorbike"])
        others: list[Milliseconds] = []
        payments: list[Milliseconds] = []
        with run_writer() as writer, run_writer(raffle_id=raffle.pk) as payer:

            def seal_beside(_: int) -> float:
                writer.start()
                payer.start()
                try:
                    return time_seal(raffle)
                finally:
                    payments.append(payer.stop())
                    others.append(writer.stop())

            seconds = interleave(
                {"alone": lambda _: time_seal(raffle), "beside": seal_beside}, rounds=rounds
            )
        peak = memory.measure_peak(lambda: time_seal(raffle))
    results = Results("seal", options.database)
    results.add(
        f"{numbers:,} sold numbers",
        compute_median(seconds["alone"], float),
        "s",
        goal=at_most(SECONDS),
    )
    results.add(
        f"{numbers:,} sold numbers beside other writers",
        compute_median(seconds["beside"], float),
        "s",
    )
    waits = [each for one in others for each in one]
    results.add(
        "another writer meanwhile, p99", compute_p99(waits), "ms", goal=at_most(OTHERS_P99_MS)
    )
    results.add("another writer meanwhile, slowest", max(waits), "ms")
    results.add("a payment of the raffle meanwhile, slowest", max(map(max, payments)), "ms")
    results.add("memory on top, at most", peak, "MiB")
    return results.figures


def time_seal(raffle: "Raffle") -> float:
    """Seal the raffle and return the seconds; afterwards it is as it was.

    Raises:
        WrongResult: the sealed list is not that of all numbers.

    """
    from shared.raffles.services.draws import sealed_lists
    from tests.builders import build_staff_actor

    actor = build_staff_actor()
    began = time.perf_counter()
    sealed = sealed_lists.seal(raffle.pk, two_people=False, by=actor, now=SOLD_AT)
    seconds = time.perf_counter() - began
    numbers = range(raffle.first_number, raffle.last_number + 1)
    expected = "".join(f"{number:0{raffle.width}d}\n" for number in numbers).encode()
    if sealed.sha256 != hashlib.sha256(expected).hexdigest():
        raise WrongResult("the sealed list is not that of all numbers")
    _unseal(raffle)
    return seconds


def _unseal(raffle: "Raffle") -> None:
    """Undo the sealing, which the product never does."""
    from django.db import connection, transaction

    from shared.core.enums import RaffleStatus
    from shared.raffles import unchangeable_rows
    from shared.raffles.draws.draw_models import SealedList
    from shared.raffles.models import Raffle

    with transaction.atomic():
        unchangeable_rows.drop_triggers(connection)
        SealedList.objects.filter(raffle=raffle).delete()
        Raffle.objects.filter(pk=raffle.pk).update(status=RaffleStatus.CLOSED)
        unchangeable_rows.create_triggers(connection)
