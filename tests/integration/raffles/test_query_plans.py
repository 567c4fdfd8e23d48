"""Tests that queries use the partial indexes and never scan all the numbers."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from shared.raffles.models import Order, PaymentProof, Raffle, TicketNumber
from shared.raffles.predicates import (
    AVAILABLE_TICKETS,
    EXPIRING_ORDERS,
    HASHED_PROOFS,
    PENDING_PROOFS,
    PROOFS_TO_FETCH,
)
from shared.raffles.services import locks, orders, tickets
from shared.raffles.services.draws import due_draws, receipt_chain
from shared.raffles.services.ticket_numbers import number_generation
from tests import builders
from tests.integration.raffles import order_states

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

QUERIES: list[tuple[str, Callable[[Raffle], QuerySet[Any]]]] = [
    (
        "ticket_available",
        lambda raffle: (
            tickets.query_free_tickets(raffle.pk)
            .filter(shuffle_key__gte=2**30)
            .order_by("shuffle_key")[:5]
        ),
    ),
    (
        "ticket_available",
        lambda raffle: tickets.query_free_tickets(raffle.pk).order_by("shuffle_key")[:5],
    ),
    (
        "ticket_taken",
        lambda raffle: (
            TicketNumber.objects.filter(raffle=raffle).exclude(AVAILABLE_TICKETS).values("status")
        ),
    ),
    (
        "ticket_number_unique",
        lambda raffle: TicketNumber.objects.filter(raffle=raffle, number__in=[1, 5, 777]).order_by(
            "number"
        ),
    ),
    (
        "proof_to_fetch",
        lambda _: PaymentProof.objects.filter(PROOFS_TO_FETCH, fetch_at__lte=LONG_AGO).order_by(
            "fetch_at"
        )[:5],
    ),
    (
        "proof_same_bytes",
        lambda _: PaymentProof.objects.filter(HASHED_PROOFS, sha256="5f" * 32).order_by(),
    ),
    (
        "proof_pending",
        lambda _: PaymentProof.objects.filter(PENDING_PROOFS, order=5).order_by(),
    ),
    (
        "proof_once_an_order",
        lambda _: PaymentProof.objects.filter(shared_from=5).order_by(),
    ),
    (
        "order_without_entry",
        lambda raffle: receipt_chain.query_orders_without_entry(raffle.pk),
    ),
    (
        "order_expiring",
        lambda _: Order.objects.filter(EXPIRING_ORDERS, expires_at__lt=LONG_AGO).order_by(
            "expires_at"
        )[:5],
    ),
]


@pytest.mark.parametrize(("index", "query"), QUERIES)
def test_goes_through_the_index(
    index: str, query: Callable[[Raffle], QuerySet[Any]], vendor: str
) -> None:
    raffle = builders.create_raffle(numbers=20_000, with_numbers=False)
    number_generation.generate_numbers(raffle.pk, pause=0)

    if vendor == "postgresql" and not index.startswith("ticket"):
        with connection.cursor() as cursor:  # an empty table would not need an index
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")

    plan = query(raffle).explain()

    assert "SCAN" not in plan
    assert "Seq Scan" not in plan
    assert uses_index(plan, index=index, vendor=vendor)


def test_sold_out_raffles_are_found_without_reading_their_numbers(vendor: str) -> None:
    raffle = builders.create_raffle(
        numbers=20_000, with_numbers=False, draw_at=None, draw_when_sold_out=True
    )
    number_generation.generate_numbers(raffle.pk, pause=0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # which autovacuum does in an installation

    plan = due_draws.query_due_raffles(now=LONG_AGO).explain()

    if vendor == "postgresql":
        assert "Seq Scan on raffles_ticketnumber" not in plan
        return
    for index in ("ticket_available", "ticket_taken"):
        lines = [line for line in plan.splitlines() if index in line]
        assert lines
        assert all("SCAN" not in line for line in lines)


def test_orders_find_their_numbers_without_reading_all() -> None:
    raffle = builders.create_raffle(numbers=20_000, with_numbers=False)
    number_generation.generate_numbers(raffle.pk, pause=0)
    buyer = builders.create_contact()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    with CaptureQueriesContext(connection) as captured:
        order_states.create_held_order(raffle, numbers=[5, 77, 777], contact=buyer)
        order = order_states.create_held_order(raffle, numbers=[5, 888], contact=buyer)
        locks.lock_tickets_by_raffle({raffle.pk: [5, 888]})
        orders.cancel(order, by=builders.build_chat_actor(), now=builders.NOON)
        tickets.find_free_tickets(raffle.pk, quantity=5, pivot=2**30)

    statements = [sql for query in captured for sql in query["sql"].split(";\n")]
    plans = [explain(sql) for sql in statements if "raffles_ticketnumber" in sql]
    assert len(plans) >= 8
    for plan in plans:
        assert "SCAN raffles_ticketnumber" not in plan
        assert "Seq Scan on raffles_ticketnumber" not in plan


def explain(statement: str) -> str:
    words = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{words} {statement}")
        return "\n".join(str(row) for row in cursor.fetchall())


def uses_index(plan: str, *, index: str, vendor: str) -> bool:
    """Whether a plan names the index; SQLite names unique indexes itself."""
    if vendor == "sqlite" and index == "ticket_number_unique":
        return "sqlite_autoindex_raffles_ticketnumber" in plan
    if vendor == "sqlite" and index == "order_expiring":
        return "raffles_order USING INDEX" in plan  # it may prefer the index of live orders
    assert connection.vendor == vendor
    return index in plan
