"""Tests of the database's own constraints on orders and tickets."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from shared.core.enums import OrderStatus
from tests import builders
from tests.cases import walk_cases

pytestmark = pytest.mark.django_db


class TestOrder:
    @walk_cases("price", ["0.10", "1.10", "5.00", "0.07", "9999999999.99"])
    @walk_cases("quantity", [1, 3, 7, 100])
    def test_accepts_a_total_of_price_times_quantity(self, price: str, quantity: int) -> None:
        raffle = builders.create_raffle(price=Decimal(price))

        order = builders.create_order_row(
            raffle, quantity=quantity, total=Decimal(price) * quantity
        )

        order.refresh_from_db()
        assert order.total == Decimal(price) * quantity

    def test_refuses_a_total_that_is_off_by_a_cent(self) -> None:
        raffle = builders.create_raffle(price=Decimal("1.10"))

        with pytest.raises(IntegrityError), transaction.atomic():
            builders.create_order_row(raffle, quantity=3, total=Decimal("3.31"))

    def test_refuses_a_status_that_does_not_exist(self) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            builders.create_order_row(builders.create_raffle(), status="SOMETHING")

    def test_refuses_a_pending_order_without_a_clock_or_a_review(self) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            builders.create_order_row(
                builders.create_raffle(), status=OrderStatus.PENDING_PAYMENT, expires_at=None
            )


class TestOrderTicket:
    def test_lets_one_live_order_hold_a_ticket(self) -> None:
        raffle = builders.create_raffle(numbers=1)
        ticket = raffle.numbers.get()
        builders.create_order_row(raffle).order_tickets.create(ticket=ticket)

        with pytest.raises(IntegrityError), transaction.atomic():
            builders.create_order_row(raffle).order_tickets.create(ticket=ticket)
