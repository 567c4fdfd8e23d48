"""Benchmark of holding five random numbers of a million, compared with `order_by("?")`.

There is one raffle for each share of taken numbers, up to all but a thousand. Both designs use one
transaction and write the same rows. One client process per core keeps the machine busy, so that
the work is measured and not the wake-up time of an idle machine.
"""

import os
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from statistics import median
from typing import TYPE_CHECKING, Final

from tests.benchmarks.support import databases
from tests.benchmarks.support.figures import (
    Figure,
    Options,
    Results,
    WrongResult,
    at_least,
    at_most,
)
from tests.benchmarks.support.rounds import compute_median, interleave

if TYPE_CHECKING:
    from shared.raffles.models import Raffle

NUMBERS: Final = 1_000_000
QUANTITY: Final = 5
ROUNDS: Final = 3
TAKEN_SHARES: Final = (0.0, 0.5, 0.9, 0.999)
HOLDS_PER_ROUND: Final = {"hold_random": 120, 'order_by("?")': 4}
"""Holds of all clients together; with all but a thousand numbers taken, they leave some free."""

CLIENTS: Final = min(os.cpu_count() or 1, 4)
RATIO: Final = 200.0
"""Goal of holds per second against the baseline, while all numbers are free."""
FLATNESS: Final = 1.5
"""Goal of the time of a hold at the slowest share of taken numbers against the fastest."""


@dataclass(frozen=True, slots=True)
class ClientRound:
    """Measurements of one client: seconds of each hold, and begin and end of the round."""

    seconds: list[float]
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one design in one raffle, over all clients."""

    clients: list[ClientRound]

    @property
    def holds_per_second(self) -> float:
        """Holds per second from the first client's begin to the last one's end."""
        took = max(each.ended for each in self.clients) - min(each.began for each in self.clients)
        return sum(len(each.seconds) for each in self.clients) / took

    @property
    def milliseconds(self) -> float:
        """Median time of a hold."""
        return median(second for each in self.clients for second in each.seconds) * 1000


def run(options: Options) -> list[Figure]:
    """Measure both designs at each share of taken numbers, in turns.

    Raises:
        WrongResult: a number was lost or held twice.

    """
    numbers = 20_000 if options.quick else NUMBERS
    with databases.create_database(options.database):
        raffles = {share: create_raffle(numbers, taken=share) for share in TAKEN_SHARES}
        _update_statistics()
        with _start_clients() as clients:
            measured = interleave(
                {
                    f"{design} {share}": partial(
                        _measure_round,
                        clients,
                        design=design,
                        raffle=raffle,
                        times=CLIENTS if options.quick else times,
                    )
                    for share, raffle in raffles.items()
                    for design, times in HOLDS_PER_ROUND.items()
                },
                rounds=1 if options.quick else ROUNDS,
            )
    results = Results("holds", options.database)
    times = {}
    for share in TAKEN_SHARES:
        ours, sorting = (measured[f"{design} {share}"] for design in HOLDS_PER_ROUND)
        times[share] = compute_median(ours, lambda each: each.milliseconds)
        results.compare(
            f"random holds of {QUANTITY}, {share:.1%} of {numbers:,} taken, {CLIENTS} clients",
            compute_median(ours, lambda each: each.holds_per_second),
            "per s",
            baseline='order_by("?"), skip locked',
            baseline_value=compute_median(sorting, lambda each: each.holds_per_second),
            goal=at_least(RATIO) if not share else None,
        )
    slowest, fastest = max(times, key=times.__getitem__), min(times, key=times.__getitem__)
    results.compare(
        f"a hold where it is slowest ({slowest:.1%} taken), p50",
        times[slowest],
        "ms",
        baseline=f"where it is fastest ({fastest:.1%} taken)",
        baseline_value=times[fastest],
        goal=at_most(FLATNESS),
    )
    return results.figures


def create_raffle(numbers: int, *, taken: float) -> "Raffle":
    """Create an open raffle of which one unpaid order has the first share of the numbers.

    The numbers say nothing about the order in which they are held, which is random.
    """
    from django.db import connection, transaction

    from shared.raffles.services.ticket_numbers import number_generation
    from tests import builders

    raffle = builders.create_raffle(numbers=numbers, with_numbers=False)
    number_generation.generate_numbers(raffle.pk, pause=0)
    quantity = int(numbers * taken)
    if quantity:
        with transaction.atomic(), connection.cursor() as cursor:
            order = builders.create_order_row(raffle, quantity=quantity)
            within = "raffle_id = %s AND number < %s"
            first_free = raffle.first_number + quantity
            cursor.execute(
                "INSERT INTO raffles_orderticket (order_id, ticket_id) "
                f"SELECT %s, id FROM raffles_ticketnumber WHERE {within}",
                [order.pk, raffle.pk, first_free],
            )
            cursor.execute(
                f"UPDATE raffles_ticketnumber SET status = 'RESERVED' WHERE {within}",
                [raffle.pk, first_free],
            )
    return raffle


def _update_statistics() -> None:
    """Do what PostgreSQL's autovacuum would have done in the months of the sale."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


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


def _measure_round(
    clients: ProcessPoolExecutor, number: int, *, design: str, raffle: "Raffle", times: int
) -> Round:
    """Let all clients hold numbers at once, check them, and give them back."""
    share = times // CLIENTS
    rounds = [clients.submit(_run_client, design, raffle.pk, share) for _ in range(CLIENTS)]
    done = Round([each.result() for each in rounds])
    if not number:
        _check_inventory(raffle)
    _give_back(raffle, holds=share * CLIENTS)
    return done


def _run_client(design: str, raffle_id: int, times: int) -> ClientRound:
    """Hold numbers `times` times in a client process, once every client is ready."""
    from shared.raffles.models import Raffle
    from tests import builders

    holds: dict[str, Callable[[Raffle, int], None]] = {
        "hold_random": hold_as_the_product,
        'order_by("?")': hold_by_sorting,
    }
    raffle = Raffle.objects.get(pk=raffle_id)
    buyers = [
        builders.create_contact(wa_id=str(15550100000 + secrets.randbelow(10**9))).pk
        for _ in range(times)
    ]
    databases.wait_for_all_processes()
    began, seconds = time.time(), []
    for buyer in buyers:
        held_at = time.perf_counter()
        holds[design](raffle, buyer)
        seconds.append(time.perf_counter() - held_at)
    return ClientRound(seconds, began=began, ended=time.time())


def hold_as_the_product(raffle: "Raffle", contact_id: int) -> None:
    """Hold numbers as the chat does."""
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


def hold_by_sorting(raffle: "Raffle", contact_id: int) -> None:
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


def _give_back(raffle: "Raffle", *, holds: int) -> None:
    """Check that each hold has numbers of its own, and free them for the next round.

    Raises:
        WrongResult: a number was lost or held twice.

    """
    from django.db import transaction

    from shared.raffles.models import Order, OrderEvent, OrderTicket, TicketNumber

    orders = Order.objects.filter(raffle=raffle, contact__isnull=False)
    held = OrderTicket.objects.filter(order__in=orders).values_list("ticket_id", flat=True)
    ids = list(held)
    if not len(ids) == len(set(ids)) == holds * QUANTITY:
        raise WrongResult(f"{holds} holds have {len(set(ids))} numbers, {len(ids)} times held")
    with transaction.atomic():
        OrderEvent.objects.filter(order__in=orders).delete()
        OrderTicket.objects.filter(order__in=orders).delete()
        orders.delete()
        TicketNumber.objects.filter(pk__in=ids).update(status="AVAILABLE")


def _check_inventory(raffle: "Raffle") -> None:
    from shared.raffles.services.ticket_numbers import inventory

    if problems := inventory.find_inventory_problems(raffle.pk):
        raise WrongResult(f"numbers were lost or held twice: {problems[0].description}")
