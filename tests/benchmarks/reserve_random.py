"""Holds five random numbers of a million: the product's way against `order_by("?")`.

Both hold in one transaction and write the same rows, asked for by as many processes at once as the
machine has cores, so that it is the work that is measured and not how fast an idle machine wakes.
The rounds of the two alternate, so that whatever else the machine does meets both alike; only the
ratio travels to other machines.
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
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

from tests.benchmarks.support import databases, table

if TYPE_CHECKING:
    from shared.raffles.models import Raffle

NUMBERS: Final = 1_000_000
QUANTITY: Final = 5
ROUNDS: Final = 3
GOAL: Final = 100
"""How many times faster the product must be on PostgreSQL."""

CLIENTS: Final = os.cpu_count() or 1

type Hold = Callable[[Raffle, int], None]


@dataclass(frozen=True, slots=True)
class Round:
    """What one client did in one round: how long each hold took, and from when to when, in s."""

    seconds: list[float]
    began: float
    ended: float


def run() -> None:
    """Measure on both databases.

    Raises:
        SystemExit: if the product is less than `GOAL` times faster on PostgreSQL.

    """
    ratios = {kind: _measure(kind) for kind in ("postgresql", "sqlite")}
    if ratios["postgresql"] < GOAL:
        raise SystemExit(f"only {ratios['postgresql']:.0f} times faster; the goal is {GOAL}")


def _measure(kind: databases.Kind) -> float:
    with databases.fresh(kind):
        from shared.raffles.services.ticket_numbers import inventory

        began = time.perf_counter()
        raffle = _a_million()
        created_in = time.perf_counter() - began
        with _clients() as clients:
            product, baseline = [], []
            for _ in range(ROUNDS):
                product.append(_together(clients, "product", raffle_id=raffle.pk, times=100))
                baseline.append(_together(clients, "sorting", raffle_id=raffle.pk, times=2))
        if problems := inventory.find_inventory_problems(raffle.pk):
            raise SystemExit(f"numbers were lost or sold twice: {problems}")
        ratio = _per_second(product) / _per_second(baseline)
    table.print_table(
        f"{QUANTITY} random numbers of {NUMBERS:,} on {kind}, {CLIENTS} clients at once "
        f"(created in {created_in:.1f} s)",
        columns=["design", "holds", "p50 ms", "slowest ms", "holds/s", "times faster"],
        rows=[
            ['order_by("?"), skip locked', *_figures(baseline), "1"],
            ["reservations.hold_random", *_figures(product), f"{ratio:.0f}"],
        ],
    )
    return ratio


def _figures(rounds: list[list[Round]]) -> list[str]:
    seconds = [each for one in rounds for client in one for each in client.seconds]
    return [
        str(len(seconds)),
        f"{statistics.median(seconds) * 1000:.2f}",
        f"{max(seconds) * 1000:.2f}",
        f"{_per_second(rounds):.1f}",
    ]


def _per_second(rounds: list[list[Round]]) -> float:
    """Give the median of the rounds' holds a second, all clients together."""
    return statistics.median(
        sum(len(client.seconds) for client in one)
        / (max(client.ended for client in one) - min(client.began for client in one))
        for one in rounds
    )


@contextmanager
def _clients() -> Iterator[ProcessPoolExecutor]:
    """Start the clients; each round begins when all are ready."""
    context = get_context("spawn")
    with ProcessPoolExecutor(
        CLIENTS,
        mp_context=context,
        initializer=databases.use_as_default,
        initargs=(databases.current(), context.Barrier(CLIENTS)),
    ) as clients:
        yield clients


def _together(
    clients: ProcessPoolExecutor, design: str, *, raffle_id: int, times: int
) -> list[Round]:
    rounds = [clients.submit(_round, design, raffle_id, times) for _ in range(CLIENTS)]
    return [each.result() for each in rounds]


def _round(design: str, raffle_id: int, times: int) -> Round:
    """Hold so often, in a client's process, once every client is ready."""
    from shared.raffles.models import Raffle

    hold = {"product": _hold_as_the_product, "sorting": _hold_by_sorting}[design]
    raffle = Raffle.objects.get(pk=raffle_id)
    buyers = [_buyer() for _ in range(times)]
    databases.wait_for_the_others()
    began = time.time()
    seconds = _timed(hold, raffle=raffle, buyers=buyers)
    return Round(seconds, began=began, ended=time.time())


def _buyer() -> int:
    from tests import builders

    return builders.create_contact(wa_id=str(15550100000 + secrets.randbelow(10**9))).pk


def _a_million() -> "Raffle":
    from shared.raffles.services import lifecycle
    from shared.raffles.services.ticket_numbers import number_generation
    from tests import builders

    raffle = builders.create_raffle(numbers=NUMBERS, with_numbers=False, status="DRAFT")
    number_generation.generate_numbers(raffle.pk)
    return lifecycle.open_raffle(raffle.pk, now=datetime.now(UTC))


def _timed(hold: Hold, *, raffle: "Raffle", buyers: list[int]) -> list[float]:
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


def _hold_by_sorting(raffle: "Raffle", contact_id: int) -> None:
    """Do what a tutorial would: sort what is free at random, take the first, write the rows."""
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
