"""Tests of the reads of refunds: what must go back, what went back, and by which indexes."""

from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any, Final

import pytest
from django.db import connection

from shared.core.enums import ActorKind, LedgerKind, Mode, OrderAction, OrderStatus, RaffleStatus
from shared.raffles import sale_rules
from shared.raffles.errors import DrawTimeReached
from shared.raffles.models import LedgerEntry, Order, OrderEvent, Raffle
from shared.raffles.services.queries import refund_queries
from tests import builders
from tests.builders import MINUTE, NOON

pytestmark = pytest.mark.django_db

LATER: Final = NOON + 60 * MINUTE
_minutes = count()


def create_paid_order(raffle: Raffle, **fields: Any) -> Order:
    return builders.create_order_row(raffle, status=OrderStatus.PAID, **fields)


def create_late_order(raffle: Raffle) -> Order:
    return builders.create_order_row(raffle, status=OrderStatus.EXPIRED, needs_decision=True)


def add_ledger_entry(order: Order, kind: LedgerKind) -> LedgerEntry:
    at = NOON + next(_minutes) * MINUTE
    confirmation = None
    if kind is not LedgerKind.LATE_REFUNDED:
        confirmation = OrderEvent.objects.create(
            order=order, action=OrderAction.PAID, actor_kind=ActorKind.STAFF, at=at
        )
    return LedgerEntry.objects.create(
        raffle_id=order.raffle_id,
        order=order,
        kind=kind,
        confirmation=confirmation,
        amount=order.total,
        currency=order.currency,
        quantity=order.quantity,
        actor_kind=ActorKind.STAFF,
        at=at,
    )


class TestOrdersToRefund:
    def test_are_the_paid_orders_of_raffles_that_were_called_off(self) -> None:
        off = builders.create_raffle(with_numbers=False, status=RaffleStatus.CANCELLED)
        paid = create_paid_order(off)
        builders.create_order_row(off, status=OrderStatus.CANCELLED)
        create_paid_order(builders.create_raffle(with_numbers=False))

        assert list(refund_queries.query_orders_to_refund(now=NOON)) == [paid]
        assert list(refund_queries.query_orders_of_called_off_raffles().filter(raffle=off)) == [
            paid
        ]

    def test_are_no_orders_that_were_free(self) -> None:
        off = builders.create_raffle(
            with_numbers=False, status=RaffleStatus.CANCELLED, price=Decimal(0)
        )
        add_ledger_entry(create_paid_order(off), LedgerKind.CONFIRMED)

        assert not refund_queries.query_orders_to_refund(now=NOON).exists()
        assert not refund_queries.query_orders_of_called_off_raffles().exists()

    @pytest.mark.parametrize(
        ("fields", "now", "listed"),
        [
            ({"status": RaffleStatus.OPEN, "draw_at": LATER}, NOON, False),
            ({"status": RaffleStatus.OPEN, "draw_at": LATER}, LATER, True),
            ({"status": RaffleStatus.CLOSED, "draw_at": None}, LATER, False),
            ({"status": RaffleStatus.SEALED, "draw_at": LATER}, NOON, True),
            ({"status": RaffleStatus.DRAWN, "draw_at": None}, NOON, True),
            ({"status": RaffleStatus.CANCELLED, "draw_at": LATER}, NOON, True),
        ],
    )
    def test_are_late_payments_that_can_no_longer_be_settled(
        self, fields: dict[str, Any], now: datetime, listed: bool
    ) -> None:
        raffle = builders.create_raffle(with_numbers=False, **fields)
        late = create_late_order(raffle)

        found = list(refund_queries.query_orders_to_refund(now=now))

        assert found == ([late] if listed else [])
        assert sale_rules.may_still_settle(raffle, now=now) is not listed

    def test_are_not_those_that_were_refunded(self) -> None:
        off = builders.create_raffle(with_numbers=False, status=RaffleStatus.CANCELLED)
        done = create_paid_order(off)
        add_ledger_entry(done, LedgerKind.REFUNDED)

        assert not refund_queries.query_orders_to_refund(now=NOON).exists()

    def test_can_be_those_of_one_raffle(self) -> None:
        first, second = (
            builders.create_raffle(with_numbers=False, status=RaffleStatus.CANCELLED)
            for _ in range(2)
        )
        create_paid_order(first)
        wanted = [create_paid_order(second), create_late_order(second)]

        found = refund_queries.query_orders_to_refund(now=NOON, raffle_id=second.pk)

        assert list(found) == wanted

    def test_are_found_by_small_indexes(self) -> None:
        create_many_orders()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

        plan = refund_queries.query_orders_to_refund(now=NOON)[:50].explain()

        assert "order_deciding" in plan
        assert "order_by_raffle" in plan


def create_many_orders() -> None:
    """Create orders of ten raffles, one of which was called off."""
    statuses = [RaffleStatus.CANCELLED, *[RaffleStatus.DRAWN] * 9]
    raffles = [builders.create_raffle(with_numbers=False, status=status) for status in statuses]
    Order.objects.bulk_create(
        Order(
            raffle=raffle,
            status=OrderStatus.PAID if serial % 2 else OrderStatus.EXPIRED,
            mode=Mode.RANDOM,
            quantity=1,
            unit_price=raffle.price,
            total=raffle.price,
            currency=raffle.currency,
            created_at=NOON,
            needs_decision=serial % 100 == 0,
        )
        for raffle in raffles
        for serial in range(200)
    )


class TestRefunds:
    def test_are_the_refunds_newest_first_and_nothing_else(self) -> None:
        raffle = builders.create_raffle(with_numbers=False)
        order = create_paid_order(raffle)
        entries = [add_ledger_entry(order, kind) for kind in LedgerKind]

        found = list(refund_queries.query_refunds())

        assert found == [
            entry for entry in reversed(entries) if entry.kind in refund_queries.REFUND_KINDS
        ]

    def test_can_be_those_of_one_raffle(self) -> None:
        first, second = (builders.create_raffle(with_numbers=False) for _ in range(2))
        add_ledger_entry(create_paid_order(first), LedgerKind.REFUNDED)
        wanted = add_ledger_entry(create_paid_order(second), LedgerKind.LATE_REFUNDED)

        assert list(refund_queries.query_refunds(raffle_id=second.pk)) == [wanted]


class TestARefundedOrder:
    @pytest.mark.parametrize(
        ("kind", "fields", "refunded"),
        [
            (LedgerKind.CONFIRMED, {"status": OrderStatus.PAID}, False),
            (LedgerKind.UNDONE, {"status": OrderStatus.CANCELLED}, False),
            (LedgerKind.REFUNDED, {"status": OrderStatus.CANCELLED}, True),
            (LedgerKind.REFUNDED, {"status": OrderStatus.PAID}, True),
            (LedgerKind.LATE_REFUNDED, {"status": OrderStatus.EXPIRED}, True),
            (LedgerKind.LATE_REFUNDED, {"status": OrderStatus.PAID}, False),
            (
                LedgerKind.LATE_REFUNDED,
                {"status": OrderStatus.EXPIRED, "needs_decision": True},
                False,
            ),
        ],
    )
    def test_has_its_money_back(
        self, kind: LedgerKind, fields: dict[str, Any], refunded: bool
    ) -> None:
        order = builders.create_order_row(builders.create_raffle(with_numbers=False), **fields)
        add_ledger_entry(order, kind)

        assert refund_queries.is_refunded(order) is refunded
        found = Order.objects.filter(refund_queries.build_refunded_condition())
        assert list(found) == ([order] if refunded else [])


class TestAReviewAfterTheDraw:
    @pytest.mark.parametrize(
        ("first_proof_at", "allowed"),
        [(LATER - MINUTE, True), (LATER, False), (LATER + MINUTE, False), (None, False)],
    )
    def test_may_end_in_a_confirmation_if_the_first_proof_was_in_time(
        self, first_proof_at: datetime | None, allowed: bool
    ) -> None:
        raffle = builders.create_raffle(with_numbers=False, draw_at=LATER)

        refusal = sale_rules.find_review_refusal(
            raffle, first_proof_at=first_proof_at, now=LATER + 5 * MINUTE
        )

        assert isinstance(refusal, DrawTimeReached) is not allowed

    def test_never_does_in_a_raffle_that_was_called_off(self) -> None:
        raffle = builders.create_raffle(with_numbers=False, status=RaffleStatus.CANCELLED)

        assert sale_rules.find_review_refusal(raffle, first_proof_at=NOON, now=NOON)
