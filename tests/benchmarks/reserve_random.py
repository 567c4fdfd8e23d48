"""Benchmark of holding five random numbers of a million, compared with `order_by("?")`.

On PostgreSQL it also compares the shared lock on the raffle, which the product takes with every
hold, with the two alternatives: the row lock FOR SHARE, and no lock, which would be wrong.

All designs use one transaction and write the same rows. One client process per core keeps the
machine busy, so that the work is measured and not the wake-up time of an idle machine. The rounds
alternate, so that other load affects both designs equally. Only the ratio is comparable between
machines.
"""

import os
import secrets
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final
from unittest.mock import patch

from tests.benchmarks.support import databases, table

if TYPE_CHECKING:
    from shared.raffles.models import Raffle

NUMBERS: Final = 1_000_000
QUANTITY: Final = 5
ROUNDS: Final = 3
GOAL: Final = 100
"""Factor by which the product must be faster on PostgreSQL."""

CLIENTS: Final = os.cpu_count() or 1

LOCK_DESIGNS: Final = ("row share", "unlocked")
TITLES: Final = {
    "sorting": 'order_by("?"), skip locked',
    "product": "reservations.hold_random",
    "row share": "the same, raffle locked FOR SHARE",
    "unlocked": "the same, raffle not locked",
}

type Hold = Callable[[Raffle, int], None]


@dataclass(frozen=True, slots=True)
class Round:
    """Measurements of one client in one round: duration of each hold, begin and end, in seconds."""

    seconds: list[float]
    began: float
    ended: float


def run() -> None:
    """Measure on both databases.

    Raises:
        SystemExit: the product is less than `GOAL` times faster on PostgreSQL.

    """
    ratios = {kind: _measure_designs(kind) for kind in ("postgresql", "sqlite")}
    if ratios["postgresql"] < GOAL:
        raise SystemExit(f"only {ratios['postgresql']:.0f} times faster; the goal is {GOAL}")


def _measure_designs(kind: databases.Kind) -> float:
    with databases.create_database(kind):
        from shared.raffles.services.ticket_numbers import inventory

        began = time.perf_counter()
        raffle = _create_raffle()
        created_in = time.perf_counter() - began
        others = LOCK_DESIGNS if kind == "postgresql" else ()
        rounds: dict[str, list[list[Round]]] = {
            design: [] for design in ("sorting", "product", *others)
        }
        with _start_clients() as clients:
            for _ in range(ROUNDS):
                for design, done in rounds.items():
                    times = 2 if design == "sorting" else 100
                    done.append(_run_round(clients, design, raffle_id=raffle.pk, times=times))
        if problems := inventory.find_inventory_problems(raffle.pk):
            raise SystemExit(f"numbers were lost or sold twice: {problems}")
        baseline = _compute_holds_per_second(rounds["sorting"])
        ratio = _compute_holds_per_second(rounds["product"]) / baseline
    table.print_table(
        f"{QUANTITY} random numbers of {NUMBERS:,} on {kind}, {CLIENTS} clients at once "
        f"(created in {created_in:.1f} s)",
        columns=["design", "holds", "p50 ms", "slowest ms", "holds/s", "times faster"],
        rows=[
            [
                TITLES[design],
                *_format_results(done),
                f"{_compute_holds_per_second(done) / baseline:.0f}",
            ]
            for design, done in rounds.items()
        ],
    )
    return ratio


def _format_results(rounds: list[list[Round]]) -> list[str]:
    seconds = [each for one in rounds for client in one for each in client.seconds]
    return [
        str(len(seconds)),
        f"{statistics.median(seconds) * 1000:.2f}",
        f"{max(seconds) * 1000:.2f}",
        f"{_compute_holds_per_second(rounds):.1f}",
    ]


def _compute_holds_per_second(rounds: list[list[Round]]) -> float:
    """Return the median of the rounds' holds per second, over all clients."""
    return statistics.median(
        sum(len(client.seconds) for client in one)
        / (max(client.ended for client in one) - min(client.began for client in one))
        for one in rounds
    )


@contextmanager
def _start_clients() -> Iterator[ProcessPoolExecutor]:
    """Start the client processes."""
    context = get_context("spawn")
    with ProcessPoolExecutor(
        CLIENTS,
        mp_context=context,
        initializer=databases.use_as_default,
        initargs=(databases.get_default_settings(), context.Barrier(CLIENTS)),
    ) as clients:
        yield clients


def _run_round(
    clients: ProcessPoolExecutor, design: str, *, raffle_id: int, times: int
) -> list[Round]:
    rounds = [clients.submit(_run_client_round, design, raffle_id, times) for _ in range(CLIENTS)]
    return [each.result() for each in rounds]


def _run_client_round(design: str, raffle_id: int, times: int) -> Round:
    """Hold numbers `times` times in a client process, once every client is ready."""
    from shared.raffles.models import Raffle

    holds: dict[str, Hold] = {
        "product": _hold_as_the_product,
        "sorting": _hold_by_sorting,
        "row share": partial(_hold_with_other_lock, lock=_lock_row_shared),
        "unlocked": partial(_hold_with_other_lock, lock=_load_raffle),
    }
    raffle = Raffle.objects.get(pk=raffle_id)
    buyers = [_create_buyer() for _ in range(times)]
    databases.wait_for_all_processes()
    began = time.time()
    seconds = _time_holds(holds[design], raffle=raffle, buyers=buyers)
    return Round(seconds, began=began, ended=time.time())


def _create_buyer() -> int:
    from tests import builders

    return builders.create_contact(wa_id=str(15550100000 + secrets.randbelow(10**9))).pk


def _create_raffle() -> "Raffle":
    from shared.raffles.services import lifecycle
    from shared.raffles.services.ticket_numbers import number_generation
    from tests import builders

    raffle = builders.create_raffle(numbers=NUMBERS, with_numbers=False, status="DRAFT")
    number_generation.generate_numbers(raffle.pk)
    return lifecycle.open_raffle(raffle.pk, by=builders.build_staff_actor(), now=datetime.now(UTC))


def _time_holds(hold: Hold, *, raffle: "Raffle", buyers: list[int]) -> list[float]:
    seconds = []
    for buyer in buyers:
        began = time.perf_counter()
        hold(raffle, buyer)
        seconds.append(time.perf_counter() - began)
    return seconds


def _hold_as_the_product(raffle: "Raffle", contact_id: int) -> None:
    from django.db import transaction

    from shared.raffles.services import reservations
    from tests import builders

    with transaction.atomic():
        reservations.hold_random(
            raffle,
            contact_id=contact_id,
            quantity=QUANTITY,
            pivot=secrets.randbelow(2**31),
            now=datetime.now(UTC),
            by=builders.build_chat_actor(),
        )


def _hold_with_other_lock(
    raffle: "Raffle", contact_id: int, *, lock: Callable[[int], "Raffle"]
) -> None:
    """Hold numbers as the product does, with another lock on the raffle."""
    from shared.raffles.services import locks

    with patch.object(locks, "lock_raffle_shared", lock):
        _hold_as_the_product(raffle, contact_id)


def _lock_row_shared(raffle_id: int) -> "Raffle":
    from shared.raffles.models import Raffle

    statement = "SELECT * FROM raffles_raffle WHERE id = %s FOR SHARE"
    return Raffle.objects.raw(statement, [raffle_id])[0]


def _load_raffle(raffle_id: int) -> "Raffle":
    from shared.raffles.models import Raffle

    return Raffle.objects.get(pk=raffle_id)


def _hold_by_sorting(raffle: "Raffle", contact_id: int) -> None:
    """Hold numbers in the textbook way: sort the free ones randomly and take the first."""
    from django.db import connection, transaction

    from shared.core.enums import TicketStatus
    from shared.raffles.models import OrderEvent, OrderTicket, TicketNumber
    from tests import builders

    now = datetime.now(UTC)
    free = TicketNumber.objects.filter(raffle=raffle, status=TicketStatus.AVAILABLE)
    if connection.features.has_select_for_update_skip_locked:
        free = free.select_for_update(skip_locked=True)
    with transaction.atomic():
        chosen = list(free.order_by("?")[:QUANTITY])
        order = builders.create_order_row(
            raffle, quantity=QUANTITY, contact_id=contact_id, expires_at=now
        )
        ids = [ticket.pk for ticket in chosen]
        TicketNumber.objects.filter(pk__in=ids).update(status=TicketStatus.RESERVED)
        OrderTicket.objects.bulk_create(OrderTicket(order=order, ticket=each) for each in chosen)
        OrderEvent.objects.create(order=order, action="HELD", actor_kind="CHAT", at=now)
