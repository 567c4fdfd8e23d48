"""Facts about a buyer, gathered from the database."""

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shared.conversation import facts
from shared.core.enums import OrderStatus, ProofStatus, RaffleStatus, Verdict
from shared.raffles.models import PaymentProof
from tests import builders
from tests.builders import MINUTE, NOON

pytestmark = pytest.mark.django_db


class TestReceipts:
    @pytest.mark.parametrize("verdict", Verdict)
    @pytest.mark.parametrize("status", ProofStatus)
    def test_count_unless_they_were_lost_or_turned_down(
        self, status: ProofStatus, verdict: Verdict
    ) -> None:
        order = builders.create_order_row(builders.create_raffle(with_numbers=False))
        PaymentProof.objects.create(order=order, status=status, verdict=verdict, arrived_at=NOON)

        known = facts.gather_order_facts(order, now=NOON)

        counts = status is not ProofStatus.FAILED and verdict in {
            Verdict.PENDING,
            Verdict.ACCEPTED,
        }
        assert known.has_receipt == counts

    def test_are_found_with_one_query_however_many_orders_there_are(self) -> None:
        buyer = builders.create_contact()
        raffle = builders.create_raffle(with_numbers=False)
        orders = [
            builders.create_order_row(
                raffle, contact=buyer, status=OrderStatus.PAID, expires_at=None
            )
            for _ in range(5)
        ]
        PaymentProof.objects.create(order=orders[3], arrived_at=NOON)

        with CaptureQueriesContext(
            connection,
        ) as queries:
            known = facts.gather_facts(buyer, now=NOON, pivot=0)

        asked = [query for query in queries if "raffles_paymentproof" in query["sql"]]
        assert len(asked) == 1
        assert [order.has_receipt for order in known.orders] == [False, False, False, True, False]


class TestOrders:
    def test_paid_ones_are_known_however_many_ended_later(self) -> None:
        buyer = builders.create_contact()
        raffle = builders.create_raffle(with_numbers=False)
        paid = [
            builders.create_order_row(
                raffle, contact=buyer, status=OrderStatus.PAID, expires_at=None
            )
            for _ in range(12)
        ]
        ended = [
            builders.create_order_row(raffle, contact=buyer, status=status, expires_at=None)
            for status in (OrderStatus.CANCELLED, OrderStatus.EXPIRED)
            for _ in range(10)
        ]

        known = facts.gather_facts(buyer, now=NOON, pivot=0)

        expected = [*paid, *ended[-facts.MAX_ENDED_ORDERS :]]
        assert [order.id for order in known.orders] == [order.pk for order in expected]


class TestDeadlines:
    @pytest.mark.parametrize(
        ("expires_at", "draw_at", "shown"),
        [
            (NOON + 30 * MINUTE, NOON + 20 * MINUTE, NOON + 20 * MINUTE),
            (NOON + 30 * MINUTE, NOON + 40 * MINUTE, NOON + 30 * MINUTE),
            (NOON + 30 * MINUTE, None, NOON + 30 * MINUTE),
            (None, NOON + 20 * MINUTE, None),
        ],
    )
    def test_are_never_after_the_draw(
        self, expires_at: datetime | None, draw_at: datetime | None, shown: datetime | None
    ) -> None:
        raffle = builders.create_raffle(with_numbers=False, draw_at=draw_at)
        status = OrderStatus.PENDING_PAYMENT if expires_at else OrderStatus.PAID
        order = builders.create_order_row(raffle, status=status, expires_at=expires_at)

        known = facts.gather_order_facts(order, now=NOON)

        assert known.expires_at == shown


class TestDraw:
    @pytest.mark.parametrize(
        ("fields", "reached"),
        [
            ({"draw_at": NOON}, True),
            ({"draw_at": NOON + MINUTE}, False),
            ({"draw_at": None}, False),
            ({"draw_at": None, "status": RaffleStatus.DRAWN}, True),
            ({"draw_at": NOON, "status": RaffleStatus.PAUSED}, True),
        ],
    )
    def test_is_reached_at_its_time_or_by_the_status(
        self, fields: dict[str, Any], reached: bool
    ) -> None:
        raffle = builders.create_raffle(with_numbers=False, **fields)

        known = facts.gather_order_facts(builders.create_order_row(raffle), now=NOON)

        assert known.raffle.draw_time_reached == reached
