"""Tests of many buyers at once, each with a connection: no number is sold twice."""

from collections import Counter
from functools import partial
from itertools import count

import pytest
from django.db import transaction

from shared.core.enums import OrderStatus, TicketStatus
from shared.raffles.errors import NumbersTaken, TooFewLeft
from shared.raffles.models import Order, Raffle
from shared.raffles.results import AlreadySettled, Settled
from shared.raffles.services import locks, orders, reservations
from shared.raffles.services.payment_decisions import payments
from shared.raffles.services.ticket_numbers import inventory
from shared.whatsapp.models import WhatsAppContact
from tests import builders
from tests.builders import MINUTE, NOON, build_chat_actor, build_staff_actor
from tests.integration.concurrency import run_at_once
from tests.integration.raffles import order_states
from tests.integration.raffles.order_states import AFTER_THE_DEADLINE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.acceptance]

THREADS = 16
type Outcome = tuple[int, ...] | str


def hold_numbers(raffle: Raffle, contact: WhatsAppContact, *numbers: int) -> Outcome:
    """Hold numbers as the conversation does: lock the contact first, all in one transaction."""
    try:
        with transaction.atomic(durable=True):
            lock_contact(contact)
            order = reservations.hold_numbers(
                raffle, contact_id=contact.pk, numbers=numbers, now=NOON, by=build_chat_actor()
            )
    except NumbersTaken:
        return "taken"
    return tuple(order.list_ticket_numbers())


def hold_random(raffle: Raffle, *, quantity: int, pivot: int) -> list[int]:
    with transaction.atomic(durable=True):
        order = reservations.hold_random(
            raffle, contact_id=None, quantity=quantity, pivot=pivot, now=NOON, by=build_chat_actor()
        )
    return order.list_ticket_numbers()


def lock_contact(contact: WhatsAppContact) -> None:
    WhatsAppContact.objects.select_for_update(no_key=True).get(pk=contact.pk)


class TestTheSameNumber:
    def test_is_had_by_one_of_a_hundred_buyers(self) -> None:
        raffle = builders.create_raffle(numbers=10)
        buyers = [builders.create_contact() for _ in range(100)]

        outcomes = run_at_once(
            [partial(hold_numbers, raffle, buyer, 7) for buyer in buyers], threads=THREADS
        )

        assert Counter(outcomes) == {(7,): 1, "taken": 99}
        assert inventory.find_inventory_problems() == []

    def test_never_makes_two_wait_for_each_other(self) -> None:
        raffle = builders.create_raffle(numbers=12)
        buyers = [builders.create_contact() for _ in range(64)]

        def turn(at: int) -> Outcome:
            numbers = [1 + (at * step) % 12 for step in (1, 5, 7)]  # in every order, overlapping
            outcome = hold_numbers(raffle, buyers[at], *numbers[:: 1 if at % 2 else -1])
            if outcome != "taken" and at % 3 == 0:
                with transaction.atomic(durable=True):
                    lock_contact(buyers[at])
                    mine = Order.objects.get(contact=buyers[at], status=OrderStatus.DRAFT)
                    orders.cancel(locks.lock_order(mine.pk), by=build_chat_actor(), now=NOON)
            return outcome

        outcomes = run_at_once([partial(turn, at) for at in range(64)], threads=THREADS)

        assert len(outcomes) == 64
        assert inventory.find_inventory_problems() == []


class TestRandomNumbers:
    @pytest.mark.parametrize("quantity", [1, 3])
    def test_sell_out_to_the_last_and_none_twice(self, quantity: int) -> None:
        raffle = builders.create_raffle(numbers=60)

        def buy_until_sold_out(seed: int) -> list[int]:
            bought: list[int] = []
            for turn in count():
                pivot = (seed * 7919 + turn * 104_729_000) % 2**31
                try:
                    bought += hold_random(raffle, quantity=quantity, pivot=pivot)
                except TooFewLeft as refusal:
                    if refusal.details["available"] == 0:
                        break
            return bought

        shares = run_at_once(
            [partial(buy_until_sold_out, seed) for seed in range(THREADS)], threads=THREADS
        )

        assert sorted(number for share in shares for number in share) == list(range(1, 61))
        assert not raffle.numbers.filter(status=TicketStatus.AVAILABLE).exists()
        assert inventory.find_inventory_problems() == []


class TestOneOrder:
    def test_is_confirmed_once_by_two_reviewers(self) -> None:
        with transaction.atomic():
            order = order_states.create_placed_order(builders.create_raffle(numbers=10))

        def confirm() -> type:
            with transaction.atomic(durable=True):
                lock_contact(WhatsAppContact(pk=order.contact_id))
                return type(
                    payments.confirm_payment(
                        locks.lock_order(order.pk), by=build_staff_actor(), now=NOON
                    )
                )

        outcomes = run_at_once([confirm] * 8, threads=8)

        assert Counter(outcomes) == {Settled: 1, AlreadySettled: 7}
        assert order_states.list_actions(order).count("PAID") == 1
        assert inventory.find_inventory_problems() == []

    def test_is_either_paid_or_expired_when_both_come_at_once(self) -> None:
        raffle = builders.create_raffle(numbers=100)
        with transaction.atomic():
            pending = [
                order_states.create_placed_order(raffle, numbers=[number])
                for number in range(1, 17)
            ]

        def end(order: Order, way: str) -> str:
            with transaction.atomic(durable=True):
                lock_contact(WhatsAppContact(pk=order.contact_id))
                locked = locks.lock_order(order.pk)
                if way == "expire":
                    done = orders.expire(locked, now=AFTER_THE_DEADLINE)
                    return "expired" if done else "not due"
                outcome = payments.confirm_payment(
                    locked, by=build_staff_actor(), now=AFTER_THE_DEADLINE + MINUTE
                )
                return "late" if isinstance(outcome, Settled) and outcome.late else "paid"

        outcomes = run_at_once(
            [partial(end, order, way) for order in pending for way in ("expire", "confirm")],
            threads=THREADS,
        )

        counted = Counter(outcomes)
        assert counted["expired"] == counted["late"]
        assert counted["not due"] == counted["paid"]
        assert {order_states.reload_order(order).status for order in pending} == {OrderStatus.PAID}
        assert inventory.find_inventory_problems() == []
