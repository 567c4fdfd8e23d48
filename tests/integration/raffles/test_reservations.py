"""Tests of holding numbers: all or none, within the terms, and no writes when refused."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.core.enums import Mode, OrderStatus, RaffleStatus
from shared.raffles import codes
from shared.raffles.errors import (
    ContactLimitReached,
    CoolingDown,
    NumbersTaken,
    NumbersUnknown,
    OrderWantsPayment,
    QuantityOutOfBounds,
    RaffleNotSelling,
    TooFewLeft,
)
from shared.raffles.models import Order, OrderEvent, OrderTicket, Raffle
from shared.raffles.results import ChoiceHeld
from shared.raffles.services import draft_orders, locks, orders, reservations
from shared.raffles.services.queries import order_queries
from shared.raffles.services.ticket_numbers import inventory
from shared.whatsapp.models import WhatsAppContact
from tests import builders
from tests.builders import MINUTE, NOON, build_chat_actor
from tests.integration.raffles import order_states
from tests.integration.raffles.order_states import AFTER_THE_DEADLINE, PIVOT

pytestmark = pytest.mark.django_db


def hold_random(
    raffle: Raffle,
    *,
    quantity: int,
    contact: WhatsAppContact | None = None,
    pivot: int = PIVOT,
    now: datetime = NOON,
    keeping: Sequence[int] = (),
) -> Order:
    buyer = contact or builders.create_contact()
    return reservations.hold_random(
        raffle,
        contact_id=buyer.pk,
        quantity=quantity,
        pivot=pivot,
        now=now,
        by=build_chat_actor(),
        keeping=keeping,
    )


class TestHoldRandom:
    def test_makes_a_draft_with_its_own_numbers(self) -> None:
        raffle = builders.create_raffle(numbers=100, price=Decimal("1.10"))

        order = order_states.reload_order(hold_random(raffle, quantity=3))

        assert (order.status, order.mode, order.quantity) == (OrderStatus.DRAFT, Mode.RANDOM, 3)
        assert (order.unit_price, order.total) == (Decimal("1.10"), Decimal("3.30"))
        assert order.expires_at == NOON + 30 * MINUTE
        assert len(order.list_ticket_numbers()) == 3
        assert (
            order_states.list_ticket_statuses(raffle, *order.list_ticket_numbers())
            == ["RESERVED"] * 3
        )
        assert order_states.list_actions(order) == ["HELD"]
        assert inventory.find_inventory_problems() == []

    def test_gives_the_order_a_code_right_away(self) -> None:
        order = hold_random(builders.create_raffle(), quantity=1)

        assert order.code is not None
        assert codes.normalise_code(order.code) == order.code
        assert order_queries.find_order(order.code) == order.pk

    @pytest.mark.parametrize("pivot", [0, 2**31 - 1, PIVOT])
    def test_finds_the_last_free_numbers_wherever_it_starts(self, pivot: int) -> None:
        raffle = builders.create_raffle(numbers=10)
        hold_random(raffle, quantity=7)

        last = hold_random(raffle, quantity=3, pivot=pivot)

        assert len(last.list_ticket_numbers()) == 3
        assert order_states.list_ticket_statuses(raffle, *range(1, 11)) == ["RESERVED"] * 10
        assert inventory.find_inventory_problems() == []

    def test_says_how_many_are_left_and_takes_none_of_them(self) -> None:
        raffle = builders.create_raffle(numbers=10)
        hold_random(raffle, quantity=8)

        with pytest.raises(TooFewLeft) as refusal:
            hold_random(raffle, quantity=3)

        assert refusal.value.details == {"available": 2}
        assert order_states.list_ticket_statuses(raffle, *range(1, 11)).count("AVAILABLE") == 2
        assert inventory.find_inventory_problems() == []

    def test_starts_elsewhere_with_another_pivot(self) -> None:
        raffle = builders.create_raffle(numbers=100)

        first = hold_random(raffle, quantity=5, pivot=0)
        second = hold_random(raffle, quantity=5, pivot=2**30)

        assert not set(first.list_ticket_numbers()) & set(second.list_ticket_numbers())

    def test_holds_for_a_buyer_without_a_contact(self) -> None:
        raffle = builders.create_raffle(numbers=10)

        order = reservations.hold_random(
            raffle,
            contact_id=None,
            quantity=2,
            pivot=PIVOT,
            now=NOON,
            by=builders.build_staff_actor(),
        )

        assert order.contact_id is None
        assert len(order.list_ticket_numbers()) == 2


class TestHoldNumbers:
    def test_holds_exactly_the_numbers_asked_for(self) -> None:
        raffle = builders.create_raffle(numbers=100)

        order = order_states.create_held_order(raffle, numbers=[45, 7, 13, 7])

        assert order.list_ticket_numbers() == [7, 13, 45]
        assert (order.mode, order.quantity) == (Mode.PICK, 3)
        assert inventory.find_inventory_problems() == []

    def test_holds_none_when_one_is_taken_and_names_those_taken(self) -> None:
        raffle = builders.create_raffle(numbers=100)
        order_states.create_held_order(raffle, numbers=[7, 8])
        before = count_rows()

        with pytest.raises(NumbersTaken) as refusal:
            order_states.create_held_order(raffle, numbers=[6, 7, 8, 9])

        assert refusal.value.details == {"taken": [7, 8], "free": [6, 9]}
        assert count_rows() == before
        assert order_states.list_ticket_statuses(raffle, 6, 9) == ["AVAILABLE"] * 2

    @pytest.mark.parametrize(("first_number", "unknown"), [(1, [0, 101]), (0, [100, 101])])
    def test_names_numbers_the_raffle_does_not_have(
        self, first_number: int, unknown: list[int]
    ) -> None:
        raffle = builders.create_raffle(numbers=100, first_number=first_number)

        with pytest.raises(NumbersUnknown) as refusal:
            order_states.create_held_order(raffle, numbers=[*unknown, 5])

        assert refusal.value.details == {
            "unknown": unknown,
            "first": first_number,
            "last": first_number + 99,
        }

    def test_never_takes_a_number_of_another_raffle(self) -> None:
        one, other = builders.create_raffle(numbers=10), builders.create_raffle(numbers=10)
        order_states.create_held_order(one, numbers=[1])

        order = order_states.create_held_order(other, numbers=[1])

        assert order.list_ticket_numbers() == [1]
        assert inventory.find_inventory_problems() == []


class TestChoices:
    def test_the_first_one_is_held_while_it_is_free(self) -> None:
        raffle = builders.create_raffle(numbers=10)

        held = hold_first_free(raffle, [7, 3], [5])

        assert (held.order.list_ticket_numbers(), held.taken) == ([3, 7], ())
        assert (held.order.mode, held.order.quantity) == (Mode.PICK, 2)
        assert order_states.list_ticket_statuses(raffle, 5) == ["AVAILABLE"]

    def test_the_next_one_is_held_if_a_number_of_the_first_is_taken(self) -> None:
        raffle = builders.create_raffle(numbers=10)
        order_states.create_held_order(raffle, numbers=[7, 8])

        held = hold_first_free(raffle, [7, 3], [8], [5, 3, 1])

        assert (held.order.list_ticket_numbers(), held.taken) == ([1, 3, 5], (7, 8))
        assert held.order.total == Decimal("15.00")
        assert inventory.find_inventory_problems() == []

    def test_none_is_held_if_numbers_of_each_are_taken(self) -> None:
        raffle, contact = builders.create_raffle(numbers=10), builders.create_contact()
        order_states.create_held_order(raffle, numbers=[7, 8])
        older = order_states.create_held_order(raffle, numbers=[1], contact=contact)

        with pytest.raises(NumbersTaken) as refusal:
            hold_first_free(raffle, [1, 7], [1, 2, 8], contact=contact)

        assert refusal.value.details == {"taken": [7, 8], "free": [1, 2]}
        assert order_states.reload_order(older).status == OrderStatus.DRAFT
        assert Order.objects.count() == 2

    def test_what_the_buyer_holds_is_free_for_each_of_them(self) -> None:
        raffle, contact = builders.create_raffle(numbers=10), builders.create_contact()
        order_states.create_held_order(raffle, numbers=[7])
        older = order_states.create_held_order(raffle, numbers=[1, 2], contact=contact)

        held = hold_first_free(raffle, [1, 7], [1, 2], contact=contact)

        assert (held.order.list_ticket_numbers(), held.taken) == ([1, 2], (7,))
        assert order_states.reload_order(older).status == OrderStatus.CANCELLED
        assert inventory.find_inventory_problems() == []

    @pytest.mark.parametrize("choices", [([1, 99], [2]), ([1], [99])])
    def test_all_of_their_numbers_must_exist(self, choices: tuple[list[int], ...]) -> None:
        raffle = builders.create_raffle(numbers=10)

        with pytest.raises(NumbersUnknown) as refusal:
            hold_first_free(raffle, *choices)

        assert refusal.value.details["unknown"] == [99]
        assert not Order.objects.exists()

    @pytest.mark.parametrize(
        ("terms", "refusal"),
        [
            ({"max_per_order": 2}, QuantityOutOfBounds),
            ({"max_per_contact": 2}, ContactLimitReached),
        ],
    )
    def test_the_one_that_is_held_is_within_the_terms(
        self, terms: dict[str, Any], refusal: type[Exception]
    ) -> None:
        raffle = builders.create_raffle(numbers=10, **terms)
        order_states.create_held_order(raffle, numbers=[7])

        with pytest.raises(refusal):
            hold_first_free(raffle, [7], [1, 2, 3])

        assert Order.objects.count() == 1


class TestKeeping:
    def test_adds_random_numbers_to_those_of_a_draft(self) -> None:
        raffle, contact = builders.create_raffle(numbers=10), builders.create_contact()
        older = order_states.create_held_order(raffle, numbers=[2, 7], contact=contact)

        newer = hold_random(raffle, quantity=4, contact=contact, keeping=[2, 7])

        numbers = newer.list_ticket_numbers()
        assert len(numbers) == 4
        assert {2, 7} <= set(numbers)
        assert newer.mode == Mode.PICK
        assert order_states.reload_order(older).status == OrderStatus.CANCELLED
        assert inventory.find_inventory_problems() == []

    def test_replaces_the_other_numbers_of_a_draft(self) -> None:
        raffle, contact = builders.create_raffle(numbers=10), builders.create_contact()
        had = hold_random(raffle, quantity=3, contact=contact).list_ticket_numbers()

        newer = hold_random(raffle, quantity=3, contact=contact, keeping=had[:2])

        assert set(newer.list_ticket_numbers()) & set(had) == set(had[:2])
        assert newer.mode == Mode.RANDOM
        assert inventory.find_inventory_problems() == []

    def test_changes_nothing_if_too_few_are_left(self) -> None:
        raffle, contact = builders.create_raffle(numbers=4), builders.create_contact()
        older = order_states.create_held_order(raffle, numbers=[2, 4], contact=contact)
        order_states.create_held_order(raffle, numbers=[1])

        with pytest.raises(TooFewLeft) as refusal:
            hold_random(raffle, quantity=4, contact=contact, keeping=[2, 4])

        assert refusal.value.details == {"available": 3}
        assert order_states.reload_order(older).status == OrderStatus.DRAFT
        assert older.list_ticket_numbers() == [2, 4]

    @pytest.mark.parametrize("holds", [[], [2]])
    def test_keeps_only_numbers_that_the_buyer_holds(self, holds: list[int]) -> None:
        raffle, contact = builders.create_raffle(numbers=10), builders.create_contact()
        if holds:
            order_states.create_held_order(raffle, numbers=holds, contact=contact)

        with pytest.raises(NumbersTaken) as refusal:
            hold_random(raffle, quantity=3, contact=contact, keeping=[2, 7])

        assert refusal.value.details == {"taken": sorted({2, 7} - set(holds)), "free": holds}
        assert Order.objects.count() == len(holds)


def hold_first_free(
    raffle: Raffle, *choices: list[int], contact: WhatsAppContact | None = None
) -> ChoiceHeld:
    buyer = contact or builders.create_contact()
    return reservations.hold_first_free(
        raffle, contact_id=buyer.pk, choices=choices, now=NOON, by=build_chat_actor()
    )


class TestReplacing:
    def test_gives_the_numbers_of_the_older_draft_back_in_the_same_step(self) -> None:
        raffle, contact = builders.create_raffle(numbers=10), builders.create_contact()
        older = order_states.create_held_order(raffle, numbers=[1, 2, 3], contact=contact)

        newer = order_states.create_held_order(raffle, numbers=[4, 5], contact=contact)

        assert order_states.reload_order(older).status == OrderStatus.CANCELLED
        assert order_states.list_actions(older) == ["HELD", "CANCELLED"]
        assert newer.list_ticket_numbers() == [4, 5]
        assert order_states.list_ticket_statuses(raffle, 1, 2, 3) == ["AVAILABLE"] * 3
        assert inventory.find_inventory_problems() == []

    def test_counts_its_own_numbers_as_free(self) -> None:
        raffle, contact = builders.create_raffle(numbers=10), builders.create_contact()
        older = order_states.create_held_order(raffle, numbers=[1, 2, 3], contact=contact)

        newer = order_states.create_held_order(raffle, numbers=[2, 3, 4], contact=contact)

        assert newer.list_ticket_numbers() == [2, 3, 4]
        assert order_states.reload_order(older).list_ticket_numbers() == [1, 2, 3]
        assert order_states.list_ticket_statuses(raffle, 1) == ["AVAILABLE"]
        assert inventory.find_inventory_problems() == []

    def test_keeps_the_older_draft_when_the_new_choice_is_refused(self) -> None:
        raffle, contact = builders.create_raffle(numbers=10), builders.create_contact()
        order_states.create_held_order(raffle, numbers=[9])
        older = order_states.create_held_order(raffle, numbers=[1, 2], contact=contact)

        with pytest.raises(NumbersTaken) as refusal:
            order_states.create_held_order(raffle, numbers=[1, 9], contact=contact)

        assert refusal.value.details == {"taken": [9], "free": [1]}
        assert order_states.reload_order(older).status == OrderStatus.DRAFT
        assert older.list_ticket_numbers() == [1, 2]

    def test_gives_other_random_numbers_while_there_are_some(self) -> None:
        raffle, contact = builders.create_raffle(numbers=10), builders.create_contact()
        older = hold_random(raffle, quantity=5, contact=contact)
        had = older.list_ticket_numbers()

        newer = hold_random(raffle, quantity=5, contact=contact)

        assert not set(had) & set(newer.list_ticket_numbers())
        assert inventory.find_inventory_problems() == []

    def test_gives_its_own_numbers_again_when_nothing_else_is_left(self) -> None:
        raffle, contact = builders.create_raffle(numbers=6), builders.create_contact()
        hold_random(raffle, quantity=3, contact=contact)

        newer = hold_random(raffle, quantity=5, contact=contact)

        assert len(newer.list_ticket_numbers()) == 5
        assert inventory.find_inventory_problems() == []

    def test_counts_its_own_numbers_among_those_left(self) -> None:
        raffle, contact = builders.create_raffle(numbers=6), builders.create_contact()
        hold_random(raffle, quantity=2)
        hold_random(raffle, quantity=3, contact=contact)

        with pytest.raises(TooFewLeft) as refusal:
            hold_random(raffle, quantity=5, contact=contact)

        assert refusal.value.details == {"available": 4}

    def test_replaces_a_draft_without_a_contact_only_when_it_is_named(self) -> None:
        raffle = builders.create_raffle(numbers=10)
        older = hold_for_cash(raffle, numbers=[1])
        other = hold_for_cash(raffle, numbers=[2])

        newer = hold_for_cash(raffle, numbers=[1, 3], replacing=older)

        assert newer.list_ticket_numbers() == [1, 3]
        assert order_states.reload_order(older).status == OrderStatus.CANCELLED
        assert order_states.reload_order(other).status == OrderStatus.DRAFT

    def test_ignores_a_draft_that_ended_meanwhile(self) -> None:
        raffle, contact = builders.create_raffle(numbers=10), builders.create_contact()
        older = order_states.create_held_order(raffle, numbers=[1], contact=contact)
        orders.cancel(locks.lock_order(older.pk), by=build_chat_actor(), now=NOON)

        newer = reservations.hold_numbers(
            raffle,
            contact_id=contact.pk,
            numbers=[1],
            now=NOON,
            by=build_chat_actor(),
            replacing=older,
        )

        assert newer.list_ticket_numbers() == [1]
        assert inventory.find_inventory_problems() == []

    def test_refuses_to_replace_a_draft_of_somebody_else(self) -> None:
        raffle = builders.create_raffle(numbers=10)
        theirs = order_states.create_held_order(raffle, numbers=[1])

        with pytest.raises(ValueError, match="its own buyer"):
            reservations.hold_numbers(
                raffle,
                contact_id=builders.create_contact().pk,
                numbers=[1],
                now=NOON,
                by=build_chat_actor(),
                replacing=theirs,
            )


class TestTerms:
    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"status": RaffleStatus.DRAFT}, "draft"),
            ({"status": RaffleStatus.PAUSED}, "paused"),
            ({"status": RaffleStatus.CLOSED}, "closed"),
            ({"status": RaffleStatus.DRAWN}, "drawn"),
            ({"sales_open_at": NOON + MINUTE}, "not_yet"),
            ({"sales_close_at": NOON}, "over"),
        ],
    )
    def test_sells_nothing_while_the_raffle_does_not_sell(
        self, fields: dict[str, Any], reason: str
    ) -> None:
        raffle = builders.create_raffle(**fields)

        with pytest.raises(RaffleNotSelling) as refusal:
            order_states.create_held_order(raffle)

        assert refusal.value.details == {"reason": reason}

    @pytest.mark.parametrize("quantity", [0, 1, 6])
    def test_bounds_the_numbers_of_an_order(self, quantity: int) -> None:
        raffle = builders.create_raffle(min_per_order=2, max_per_order=5)

        with pytest.raises(QuantityOutOfBounds) as refusal:
            hold_random(raffle, quantity=quantity)

        assert refusal.value.details == {"minimum": 2, "maximum": 5}

    def test_bounds_what_a_buyer_holds_and_has_bought_together(self) -> None:
        raffle, contact = builders.create_raffle(max_per_contact=5), builders.create_contact()
        order_states.create_paid_order(raffle, numbers=[1, 2], contact=contact)
        order_states.create_order_under_review(raffle, numbers=[3], contact=contact)

        with pytest.raises(ContactLimitReached) as refusal:
            hold_random(raffle, quantity=3, contact=contact)

        assert refusal.value.details == {"limit": 5, "remaining": 2}
        assert hold_random(raffle, quantity=2, contact=contact).quantity == 2

    def test_does_not_count_the_draft_that_is_replaced(self) -> None:
        raffle, contact = builders.create_raffle(max_per_contact=5), builders.create_contact()
        hold_random(raffle, quantity=5, contact=contact)

        assert hold_random(raffle, quantity=4, contact=contact).quantity == 4

    def test_asks_for_the_payment_of_the_last_order_first(self) -> None:
        raffle, contact = builders.create_raffle(), builders.create_contact()
        owed = order_states.create_placed_order(raffle, contact=contact)

        with pytest.raises(OrderWantsPayment) as refusal:
            hold_random(raffle, quantity=1, contact=contact)

        assert refusal.value.details == {"order_id": owed.pk, "code": owed.code}

    def test_sells_more_while_the_last_order_is_under_review(self) -> None:
        raffle, contact = builders.create_raffle(), builders.create_contact()
        order_states.create_order_under_review(raffle, contact=contact)

        assert hold_random(raffle, quantity=1, contact=contact).status == OrderStatus.DRAFT

    def test_sells_in_another_raffle_while_one_order_wants_payment(self) -> None:
        contact = builders.create_contact()
        order_states.create_placed_order(builders.create_raffle(), contact=contact)

        assert hold_random(builders.create_raffle(), quantity=1, contact=contact).quantity == 1


class TestCoolingDown:
    def test_makes_a_buyer_wait_who_let_three_holds_in_a_row_run_out(self) -> None:
        raffle, contact = builders.create_raffle(), builders.create_contact()
        for _ in range(3):
            order_states.create_expired_order(raffle, contact=contact)

        with pytest.raises(CoolingDown) as refusal:
            hold_random(raffle, quantity=1, contact=contact, now=AFTER_THE_DEADLINE + MINUTE)

        assert refusal.value.details == {"until": AFTER_THE_DEADLINE + 30 * MINUTE}

    def test_lets_them_buy_again_afterwards(self) -> None:
        raffle, contact = builders.create_raffle(), builders.create_contact()
        for _ in range(3):
            order_states.create_expired_order(raffle, contact=contact)

        later = AFTER_THE_DEADLINE + 30 * MINUTE
        assert hold_random(raffle, quantity=1, contact=contact, now=later).quantity == 1

    def test_is_not_for_two(self) -> None:
        raffle, contact = builders.create_raffle(), builders.create_contact()
        for _ in range(2):
            order_states.create_expired_order(raffle, contact=contact)

        assert hold_random(raffle, quantity=1, contact=contact).quantity == 1

    def test_is_not_for_who_paid_in_between(self) -> None:
        raffle, contact = builders.create_raffle(), builders.create_contact()
        order_states.create_expired_order(raffle, contact=contact)
        order_states.create_expired_order(raffle, contact=contact)
        order_states.create_paid_order(raffle, numbers=[50], contact=contact)
        order_states.create_expired_order(raffle, contact=contact)

        assert hold_random(raffle, quantity=1, contact=contact).quantity == 1

    def test_is_not_for_who_sent_a_proof(self) -> None:
        raffle, contact = builders.create_raffle(), builders.create_contact()
        for _ in range(2):
            order_states.create_expired_order(raffle, contact=contact)
        order = order_states.reject_proofs(
            order_states.create_order_under_review(raffle, contact=contact)
        )
        orders.expire(order, now=AFTER_THE_DEADLINE)

        assert hold_random(raffle, quantity=1, contact=contact).quantity == 1

    def test_is_not_cured_by_cancelling_in_between(self) -> None:
        raffle, contact = builders.create_raffle(), builders.create_contact()
        for _ in range(3):
            orders.cancel(
                order_states.create_held_order(raffle, contact=contact),
                by=build_chat_actor(),
                now=NOON,
            )
            order_states.create_expired_order(raffle, contact=contact)

        with pytest.raises(CoolingDown):
            hold_random(raffle, quantity=1, contact=contact, now=AFTER_THE_DEADLINE)

    def test_is_of_one_raffle_only(self) -> None:
        raffle, contact = builders.create_raffle(), builders.create_contact()
        for _ in range(3):
            order_states.create_expired_order(raffle, contact=contact)

        other = builders.create_raffle()
        assert hold_random(other, quantity=1, contact=contact, now=AFTER_THE_DEADLINE).quantity == 1


class TestCode:
    def test_passes_over_a_code_that_a_former_key_gave_away(self) -> None:
        raffle = builders.create_raffle()
        first = order_states.create_held_order(raffle, numbers=[1])
        key = draft_orders._derive_code_key("only-for-tests-" + "x" * 40)
        Order.objects.filter(pk=first.pk).update(code=codes.build_order_code(first.pk + 1, key=key))

        second = order_states.create_held_order(raffle, numbers=[2])

        assert second.pk == first.pk + 1
        assert second.code == codes.build_order_code(second.pk, key=key, tweak=1)
        assert order_states.reload_order(second).code == second.code


def hold_for_cash(raffle: Raffle, *, numbers: list[int], replacing: Order | None = None) -> Order:
    return reservations.hold_numbers(
        raffle,
        contact_id=None,
        numbers=numbers,
        now=NOON,
        by=builders.build_staff_actor(),
        replacing=replacing,
    )


def count_rows() -> tuple[int, int, int]:
    return Order.objects.count(), OrderTicket.objects.count(), OrderEvent.objects.count()
