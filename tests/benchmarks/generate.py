"""Benchmark of a million ticket numbers, and of what else is written meanwhile.

The writer is a process of its own: it stores one message in each transaction, as a gateway does
that gets 50 messages a second, and its times count from when a message was due. So a wait that
delays the following messages counts for these, too.
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from statistics import quantiles
from typing import TYPE_CHECKING, Any, Final

from tests.benchmarks.support import databases
from tests.benchmarks.support.databases import Kind
from tests.benchmarks.support.figures import Figure, Options, Results, WrongResult, at_most
from tests.benchmarks.support.rounds import compute_median, interleave

if TYPE_CHECKING:
    from shared.raffles.models import Raffle

NUMBERS: Final = 1_000_000
BULK_CREATED: Final = 50_000
"""Ticket numbers of the baseline, which would need a minute for all of them."""

ROUNDS: Final = 3
WRITES_PER_SECOND: Final = 50
MIN_WRITES: Final = 100

SECONDS: Final[dict[Kind, float]] = {"sqlite": 8, "postgresql": 12}
"""Goal of a million; on PostgreSQL the check of the foreign key is half of it."""
OTHERS_P99_MS: Final = 250.0

type Milliseconds = list[float]


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


def compute_p99(waits: Milliseconds) -> float:
    """Return the 99th percentile."""
    return quantiles(waits, n=100)[-1]


def _create_raffle(numbers: int) -> "Raffle":
    from tests import builders

    return builders.create_raffle(numbers=numbers, with_numbers=False, status="DRAFT")


def _generate_beside(writer: "Writer", *, numbers: int, waits: list[Milliseconds]) -> float:
    writer.start()
    try:
        return time_generation(numbers)
    finally:
        waits.append(writer.stop())


class Writer:
    """Another process that stores messages on request."""

    def __init__(self, pipe: Any, stopped: Event) -> None:
        self._pipe = pipe
        self._stopped = stopped

    def write_until_stopped(self, *, seconds: float) -> Milliseconds:
        """Let it write for some time and return how long each transaction took."""
        self.start()
        time.sleep(seconds)
        return self.stop()

    def start(self) -> None:
        """Let it begin."""
        self._stopped.clear()
        self._pipe.send(True)

    def stop(self) -> Milliseconds:
        """Let it end, and return how long each transaction took from when it was due."""
        self._stopped.set()
        waits: Milliseconds = self._pipe.recv()
        return waits


@contextmanager
def run_writer() -> Iterator[Writer]:
    """Start the process of the writer on the default database."""
    context = get_context("spawn")
    stopped = context.Event()
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_serve_writes, args=(databases.get_default_settings(), theirs, stopped), daemon=True
    )
    process.start()
    try:
        yield Writer(ours, stopped)
    finally:
        ours.send(False)
        process.join(timeout=30)


def _serve_writes(settings: dict[str, Any], pipe: Any, stopped: Event) -> None:
    databases.use_as_default(settings, get_context("spawn").Barrier(1))
    from django.db import connections

    from tests import builders

    contact_id = builders.create_contact().pk
    serials = count()
    _store_message(contact_id, serial=next(serials))  # connects
    while pipe.recv():
        waits: Milliseconds = []
        due = time.perf_counter()
        while not stopped.is_set() or len(waits) < MIN_WRITES:
            _store_message(contact_id, serial=next(serials))
            waits.append((time.perf_counter() - due) * 1000)
            due += 1 / WRITES_PER_SECOND
            time.sleep(max(0.0, due - time.perf_counter()))
        pipe.send(waits)
    connections.close_all()


def _store_message(contact_id: int, *, serial: int) -> None:
    """Store a message in one transaction."""
    from django.db import transaction

    from shared.whatsapp.models import InboundMessage, WhatsAppContact
    from tests.builders import PHONE_NUMBER_ID

    now = datetime.now(UTC)
    with transaction.atomic():
        InboundMessage.objects.create(
            phone_number_id=PHONE_NUMBER_ID,
            wa_message_id=f"wamid.{serial}",
            dedupe_key=f"wamid.{serial}",
            contact_id=contact_id,
            type="text",
            text="3 random",
            payload={},
            sent_at=now,
            received_at=now,
        )
        WhatsAppContact.objects.filter(pk=contact_id).update(last_inbound_at=now)
