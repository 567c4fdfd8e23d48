"""Holds five random numbers of a million: the product's way against `order_by("?")`.

Both hold in one transaction and write the same rows. The rounds of the two alternate, so that
whatever else the machine does meets both alike; only the ratio travels to other machines.
"""

import secrets
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tests.benchmarks.support import databases, table

if TYPE_CHECKING:
    from shared.raffles.models import Raffle

NUMBERS: Final = 1_000_000
QUANTITY: Final = 5
ROUNDS: Final = 3
GOAL: Final = 100
"""How many times faster the product must be on PostgreSQL."""

type Hold = Callable[[Raffle, int], None]


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
        from shared.raffles.services import inventory

        began = time.perf_counter()
        raffle = _a_million()
        created_in = time.perf_counter() - began
        product: list[float] = []
        baseline: list[float] = []
        for _ in range(ROUNDS):
            product += _timed(_hold_as_the_product, raffle=raffle, times=100)
            baseline += _timed(_hold_by_sorting, raffle=raffle, times=2)
        if problems := inventory.check(raffle.pk):
            raise SystemExit(f"numbers were lost or sold twice: {problems}")
        ratio = statistics.median(baseline) / statistics.median(product)
    table.show(
        f"{QUANTITY} random numbers of {NUMBERS:,} on {kind} (created in {created_in:.1f} s)",
        columns=["design", "holds", "p50 ms", "slowest ms", "holds/s", "times faster"],
        rows=[
            ['order_by("?"), skip locked', *_figures(baseline), "1"],
            ["reservations.hold_random", *_figures(product), f"{ratio:.0f}"],
        ],
    )
    return ratio


def _figures(seconds: list[float]) -> list[str]:
    return [
        str(len(seconds)),
        f"{statistics.median(seconds) * 1000:.2f}",
        f"{max(seconds) * 1000:.2f}",
        f"{len(seconds) / sum(seconds):.1f}",
    ]


def _a_million() -> "Raffle":
    from shared.raffles.services import lifecycle, numbers
    from tests import builders

    raffle = builders.raffle(numbers=NUMBERS, with_numbers=False, status="DRAFT")
    numbers.generate(raffle.pk)
    return lifecycle.open_raffle(raffle.pk, now=datetime.now(UTC))


def _timed(hold: Hold, *, raffle: "Raffle", times: int) -> list[float]:
    from tests import builders

    buyers = [builders.contact().pk for _ in range(times)]
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
            by=builders.a_buyer(),
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
        order = builders.order(raffle, quantity=QUANTITY, contact_id=contact_id, expires_at=now)
        ids = [ticket.pk for ticket in chosen]
        TicketNumber.objects.filter(pk__in=ids).update(status=TicketStatus.RESERVED)
        OrderTicket.objects.bulk_create(OrderTicket(order=order, ticket=each) for each in chosen)
        OrderEvent.objects.create(order=order, action="HELD", actor_kind="CHAT", at=now)
