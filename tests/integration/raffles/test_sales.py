"""Tests of the sums of sales: past days never change, and money is right to the cent.

`SALES_HISTORIES=200 uv run pytest tests/integration/raffles/test_sales.py` tries more and longer
histories.
"""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.core.enums import LedgerKind, OrderStatus, RaffleStatus
from shared.raffles.models import LedgerEntry, Order, Raffle
from shared.raffles.results import ProofSource
from shared.raffles.services import ledger_entries, locks, orders, reservations, sales
from shared.raffles.services.payment_decisions import late_payments, payments, reversals
from shared.raffles.services.proof_placement import proofs
from shared.raffles.services.sales import DaySums, MoneySums, SalesSums, add_amounts
from shared.raffles.services.ticket_numbers import inventory
from tests import builders
from tests.builders import NOON, build_staff_actor
from tests.integration.raffles import order_states

pytestmark = pytest.mark.django_db

ZONE: Final = "America/Bogota"
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
HISTORIES: Final = int(os.environ.get("SALES_HISTORIES", "1"))
STEPS: Final = 200 if HISTORIES > 1 else 80

steps = st.lists(
    st.tuples(
        st.sampled_from(["buy", "confirm", "undo", "undo", "refund"]),
        st.integers(min_value=0, max_value=1_000),
        st.integers(min_value=0, max_value=4),
    ),
    min_size=STEPS,
    max_size=STEPS,
)
"""What is tried, a number that picks the order, and the hours that pass before."""


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle(numbers=20, time_zone=ZONE)


def load_sums(now: datetime, **options: Any) -> SalesSums:
    return sales.load_sales_sums(now=now, zone=ZONE, days=3, **options)


def undo_confirmation(order: Order, *, now: datetime) -> None:
    """Undo the latest confirmation of an order."""
    locked = locks.lock_order(order.pk)
    reversals.undo_confirmation(
        locked,
        confirmation_id=ledger_entries.load_confirmation(locked).pk,
        reason="A mistake.",
        by=build_staff_actor(),
        now=now,
    )


def refund_order(order: Order, *, now: datetime) -> None:
    """Refund a paid order."""
    locked = locks.lock_order(order.pk)
    reversals.refund_order(
        locked,
        confirmation_id=ledger_entries.load_confirmation(locked).pk,
        note="By transfer.",
        by=build_staff_actor(),
        now=now,
    )


def confirm_payment(order: Order, *, now: datetime) -> None:
    """Confirm the payment of an order."""
    payments.confirm_payment(locks.lock_order(order.pk), by=build_staff_actor(), now=now)


class TestLoadSalesSums:
    def test_puts_money_in_and_money_back_on_their_own_days(self, raffle: Raffle) -> None:
        mistaken = order_states.create_paid_order(raffle, numbers=[1, 2])
        refunded = order_states.create_paid_order(raffle, numbers=[3])
        order_states.create_paid_order(raffle, numbers=[4, 5, 6])
        undo_confirmation(mistaken, now=NOON + DAY)
        refund_order(refunded, now=NOON + DAY)
        confirm_payment(mistaken, now=NOON + 2 * DAY)

        first, second, third = load_sums(NOON + 2 * DAY).days

        assert first == DaySums(
            date(2026, 11, 22), MoneySums({"USD": Decimal("30.00")}), tickets=6, orders=3
        )
        assert (second.money.undone, second.money.refunded) == (
            {"USD": Decimal("10.00")},
            {"USD": Decimal("5.00")},
        )
        assert (second.money.confirmed, second.money.back) == ({}, {"USD": Decimal("15.00")})
        assert (second.tickets, second.tickets_back, second.orders_back) == (0, 3, 2)
        assert (third.orders, third.money.balance) == (1, {"USD": Decimal("10.00")})

    @pytest.mark.parametrize("everything", [False, True])
    def test_balances_a_raffle_and_counts_what_is_sold_now(
        self, raffle: Raffle, everything: bool
    ) -> None:
        undo_confirmation(order_states.create_paid_order(raffle, numbers=[1, 2]), now=NOON + DAY)
        refund_order(order_states.create_paid_order(raffle, numbers=[3]), now=NOON + DAY)
        order_states.create_paid_order(raffle, numbers=[4, 5, 6])
        order_states.create_held_order(raffle, numbers=[7])
        builders.create_raffle(numbers=1, currency="EUR")

        sums = load_sums(NOON + DAY, everything=everything)

        assert set(sums.raffles) == {raffle.pk}
        for found in (sums.overall, sums.raffles[raffle.pk]):
            assert (found.sold, found.held) == (3, 3)
            assert found.money.balance == {"USD": Decimal("15.00")}
            assert found.expected == {"USD": Decimal("10.00")}
        if everything:
            assert sums.overall.orders == {
                "PAID": 1,
                "PENDING_PAYMENT": 1,
                "CANCELLED": 1,
                "DRAFT": 1,
            }

    @pytest.mark.parametrize("everything", [False, True])
    def test_counts_numbers_as_sold_that_were_refunded_after_the_sealing(
        self, raffle: Raffle, everything: bool
    ) -> None:
        order = order_states.create_paid_order(raffle, numbers=[1, 2])
        order_states.create_paid_order(raffle, numbers=[3])
        Raffle.objects.update(status=RaffleStatus.SEALED)
        refund_order(order, now=NOON + DAY)

        overall = load_sums(NOON + DAY, everything=everything).overall

        assert (overall.sold, overall.held) == (3, 0)
        assert overall.money.balance == {"USD": Decimal("5.00")}

    def test_subtracts_late_refunds_from_nothing(self, raffle: Raffle) -> None:
        late = order_states.create_late_order(raffle, numbers=[1, 2])
        late_payments.note_refund(
            locks.lock_order(late.pk), note="Back.", by=build_staff_actor(), now=NOON + HOUR
        )

        sums = load_sums(NOON + HOUR)

        for money in (sums.overall.money, sums.days[-1].money):
            assert money.late_refunds == {"USD": Decimal("10.00")}
            assert (money.back, money.balance) == ({}, {})
        assert (sums.days[-1].tickets_back, sums.days[-1].orders_back) == (0, 0)

    def test_of_one_raffle_have_nothing_of_another(self, raffle: Raffle) -> None:
        order_states.create_paid_order(raffle, numbers=[1])
        other = builders.create_raffle(numbers=5, price=Decimal("0.10"), currency="EUR")
        undo_confirmation(order_states.create_paid_order(other, numbers=[1, 2, 3]), now=NOON)

        sums = load_sums(NOON, raffle_id=other.pk, everything=True)

        assert set(sums.raffles) == {other.pk}
        assert sums.overall == sums.raffles[other.pk]
        assert sums.overall.money == sums.days[-1].money
        assert sums.overall.money.balance == {"EUR": Decimal("0.00")}
        assert sums.overall.money.undone == {"EUR": Decimal("0.30")}


class History:
    """A history of two raffles over several days, with the figures of each day as of its end."""

    def __init__(self) -> None:
        self.now = NOON
        self.noted: dict[int | None, dict[date, DaySums]] = defaultdict(dict)
        self.raffles = [
            builders.create_raffle(numbers=2 * STEPS, price=Decimal(price), currency=currency)
            for price, currency in (("0.10", "USD"), ("7.35", "EUR"))
        ]

    def take_step(self, wish: str, *, pick: int, hours: int) -> None:
        """Let time pass, and do what is wished for, or sell if there is no order for it."""
        self.let_time_pass(hours * HOUR)
        waiting = self.list_orders(OrderStatus.PENDING_PAYMENT)
        paid = self.list_orders(OrderStatus.PAID)
        if wish == "confirm" and waiting:
            confirm_payment(waiting[pick % len(waiting)], now=self.now)
        elif wish == "undo" and paid:
            undo_confirmation(paid[pick % len(paid)], now=self.now)
        elif wish == "refund" and paid:
            refund_order(paid[pick % len(paid)], now=self.now)
        else:
            self.sell(self.raffles[pick % 2], quantity=1 + pick % 3)

    def sell(self, raffle: Raffle, *, quantity: int) -> None:
        """Sell some numbers to a new buyer."""
        buyer, chat = builders.create_contact(), builders.build_chat_actor()
        held = reservations.hold_random(
            raffle, contact_id=buyer.pk, quantity=quantity, pivot=1, now=self.now, by=chat
        )
        placed = orders.place(held, at=self.now, now=self.now, by=chat)
        source: ProofSource = order_states.build_proof_source(arrived_at=self.now)
        proofs.receive_proof(source, order=placed, contact_id=buyer.pk, by=chat, now=self.now)
        confirm_payment(placed, now=self.now)

    def let_time_pass(self, time: timedelta) -> None:
        """Let time pass; if a day ends, note its figures as they are."""
        before, after = self.today, (self.now + time).astimezone(ZoneInfo(ZONE)).date()
        if before != after:
            for raffle_id, days in self.load_days().items():
                self.noted[raffle_id][before] = days[-1]
        self.now += time

    def load_days(self) -> Mapping[int | None, Sequence[DaySums]]:
        """Return the sums by day up to today, overall and of each raffle."""
        count = (self.today - NOON.date()).days + 1
        return {
            raffle_id: sales.load_sales_sums(
                now=self.now, zone=ZONE, days=count, raffle_id=raffle_id
            ).days
            for raffle_id in (None, *(raffle.pk for raffle in self.raffles))
        }

    def list_orders(self, status: OrderStatus) -> list[Order]:
        """Return the orders with a status whose money did not go back."""
        found = Order.objects.filter(status=status).exclude(ledger__kind=LedgerKind.REFUNDED)
        return list(found.order_by("id"))

    @property
    def today(self) -> date:
        """The date in the zone."""
        return self.now.astimezone(ZoneInfo(ZONE)).date()


def sum_entries(*kinds: LedgerKind) -> dict[str, Decimal]:
    """Add up the rows of the ledger one by one, to the cent."""
    total: dict[str, Decimal] = defaultdict(Decimal)
    for entry in LedgerEntry.objects.filter(kind__in=kinds):
        total[entry.currency] += entry.amount
    return total


def assert_that_money_is_right(history: History) -> None:
    """Check the sums against the rows of the ledger and against the paid orders."""
    sums = sales.load_sales_sums(now=history.now, zone=ZONE, days=sales.MAX_DAYS)
    money = sums.overall.money
    assert money.confirmed == sum_entries(LedgerKind.CONFIRMED)
    assert money.back == sum_entries(LedgerKind.UNDONE, LedgerKind.REFUNDED)
    paid: dict[str, Decimal] = defaultdict(Decimal)
    for order in history.list_orders(OrderStatus.PAID):
        paid[order.currency] += order.total
    assert {currency: amount for currency, amount in money.balance.items() if amount} == paid
    for part in ("confirmed", "back"):
        total = getattr(money, part)
        assert total == add_amounts(*(getattr(day.money, part) for day in sums.days))
        assert total == add_amounts(*(getattr(of.money, part) for of in sums.raffles.values()))
    full = sales.load_sales_sums(now=history.now, zone=ZONE, days=1, everything=True).overall
    assert (full.sold, full.held, full.money) == (sums.overall.sold, sums.overall.held, money)
    assert inventory.find_inventory_problems() == []


@pytest.mark.acceptance
@pytest.mark.timeout(60 + 60 * HISTORIES)
def test_a_past_day_never_changes_and_money_is_right_to_the_cent() -> None:
    @settings(max_examples=HISTORIES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=steps)
    def follow_history(steps: list[tuple[str, int, int]]) -> None:
        with transaction.atomic():
            history = History()
            for wish, pick, hours in steps:
                history.take_step(wish, pick=pick, hours=hours)
            history.let_time_pass(DAY)
            Raffle.objects.filter(pk=history.raffles[0].pk).update(status=RaffleStatus.SEALED)
            for order in history.list_orders(OrderStatus.PAID)[:5]:
                refund_order(order, now=history.now)

            for raffle_id, days in history.load_days().items():
                now_known = {day.day: day for day in days}
                noted = history.noted[raffle_id]
                assert {day: now_known[day] for day in noted} == noted
            assert_that_money_is_right(history)
            transaction.set_rollback(True)

    follow_history()
