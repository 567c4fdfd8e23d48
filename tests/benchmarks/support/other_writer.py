"""Another process that writes while a benchmark measures, and how long its transactions wait.

It stores one message in each transaction, as a gateway does that gets 50 messages a second, and
its times count from when a message was due. So a wait that delays the following messages counts
for these, too.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from statistics import quantiles
from typing import Any, Final

from tests.benchmarks.support import databases

WRITES_PER_SECOND: Final = 50
MIN_WRITES: Final = 100

type Milliseconds = list[float]


def compute_p99(waits: Milliseconds) -> float:
    """Return the 99th percentile."""
    return quantiles(waits, n=100)[-1]


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
def run_writer(*, raffle_id: int | None = None) -> Iterator[Writer]:
    """Start the process of the writer on the default database.

    Args:
        raffle_id: a raffle whose shared lock each transaction takes, as a payment does; None: no
            lock of a raffle.

    """
    context = get_context("spawn")
    stopped = context.Event()
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_serve_writes,
        args=(databases.get_default_settings(), theirs, stopped, raffle_id),
        daemon=True,
    )
    process.start()
    try:
        yield Writer(ours, stopped)
    finally:
        ours.send(False)
        process.join(timeout=30)


def _serve_writes(
    settings: dict[str, Any], pipe: Any, stopped: Event, raffle_id: int | None
) -> None:
    databases.use_as_default(settings, get_context("spawn").Barrier(1))
    from django.db import connections

    from tests import builders

    contact_id = builders.create_contact(wa_id=f"1555020{raffle_id or 0:04d}").pk
    serials = count()
    _store_message(contact_id, serial=next(serials), raffle_id=raffle_id)  # connects
    while pipe.recv():
        waits: Milliseconds = []
        due = time.perf_counter()
        while not stopped.is_set() or len(waits) < MIN_WRITES:
            _store_message(contact_id, serial=next(serials), raffle_id=raffle_id)
            waits.append((time.perf_counter() - due) * 1000)
            due += 1 / WRITES_PER_SECOND
            time.sleep(max(0.0, due - time.perf_counter()))
        pipe.send(waits)
    connections.close_all()


def _store_message(contact_id: int, *, serial: int, raffle_id: int | None) -> None:
    """Store a message in one transaction."""
    from django.db import transaction

    from shared.raffles.services import locks
    from shared.whatsapp.models import InboundMessage, WhatsAppContact
    from tests.builders import PHONE_NUMBER_ID

    now = datetime.now(UTC)
    key = f"wamid.{raffle_id or 0}.{serial}"
    with transaction.atomic():
        if raffle_id is not None:
            locks.lock_raffle_shared(raffle_id)
        InboundMessage.objects.create(
            phone_number_id=PHONE_NUMBER_ID,
            wa_message_id=key,
            dedupe_key=key,
            contact_id=contact_id,
            type="text",
            text="3 random",
            payload={},
            sent_at=now,
            received_at=now,
        )
        WhatsAppContact.objects.filter(pk=contact_id).update(last_inbound_at=now)
