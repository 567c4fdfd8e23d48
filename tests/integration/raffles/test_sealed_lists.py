"""Tests of sealing: what it refuses, what it writes, and what happens at the same moment."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any, Final

import pytest
from django.db import DatabaseError, transaction

from shared.core.enums import (
    DrawMethod,
    OrderAction,
    OrderStatus,
    RaffleStatus,
    SourceKind,
    TicketStatus,
)
from shared.core.errors import DomainError
from shared.raffles.draws.draw_errors import (
    ChainBroken,
    DecisionsOpen,
    NothingSold,
    TooFewSold,
)
from shared.raffles.draws.draw_models import SealedList
from shared.raffles.errors import OrdersUnsettled
from shared.raffles.models import Order, OrderEvent, Raffle, TicketNumber
from shared.raffles.services import lifecycle, locks
from shared.raffles.services.draws import draw_rules, sealed_lists
from shared.raffles.services.draws.draw_rules import ChosenRules, ChosenSource
from shared.raffles.services.payment_decisions import payments, reversals
from shared.raffles.services.ticket_numbers import inventory
from tests import builders
from tests.builders import DRAW, MINUTE, NOON, build_staff_actor
from tests.integration.concurrency import run_at_once
from tests.integration.raffles import order_states
from tests.integration.raffles.draw_steps import replace_row

pytestmark = pytest.mark.django_db

BY_STAFF: Final[dict[str, Any]] = {"by": build_staff_actor(), "now": NOON}
DAY: Final = timedelta(days=1)
LOTTERY: Final = ChosenSource(
    SourceKind.LOTTERY, name="National lottery", at=DRAW, value_count=6, lowest=1, highest=49
)


def seal(raffle: Raffle, **terms: Any) -> SealedList:
    return sealed_lists.seal(raffle.pk, two_people=True, **BY_STAFF | terms)


def create_closed_raffle(*numbers: int, **fields: Any) -> Raffle:
    """Create a raffle that sold these numbers and closed."""
    raffle = builders.create_raffle(numbers=20, **fields)
    for number in numbers:
        order_states.create_paid_order(raffle, numbers=[number])
    return lifecycle.close(raffle.pk, **BY_STAFF)


def reverse(reversal: Callable[..., object], order_id: int, **terms: Any) -> None:
    paid = OrderEvent.objects.filter(order=order_id, action=OrderAction.PAID).latest("pk")
    with transaction.atomic():
        order = locks.lock_order_with_contacts(order_id)
        reversal(order, confirmation_id=paid.pk, **BY_STAFF, **terms)


undo = partial(reverse, reversals.undo_confirmation, reason="mistake")
refund = partial(reverse, reversals.refund_order, note="ill")


class TestRefusal:
    def test_names_the_orders_that_are_not_settled(self) -> None:
        raffle = builders.create_raffle(numbers=60)
        late = order_states.create_late_order(raffle, numbers=[1, 2])
        held = Order.objects.exclude(pk=late.pk).get()
        live = [held, order_states.create_order_under_review(raffle, numbers=[3])]
        live += [order_states.create_placed_order(raffle, numbers=[n]) for n in range(10, 30)]
        lifecycle.close(raffle.pk, **BY_STAFF)

        with pytest.raises(OrdersUnsettled) as unsettled:
            seal(raffle)
        Order.objects.filter(status__in=Order.LIVE).update(status=OrderStatus.CANCELLED)
        with pytest.raises(DecisionsOpen) as undecided:
            seal(raffle)

        named = live[: sealed_lists.MAX_NAMED_ORDERS]
        assert unsettled.value.details == {
            "count": 22,
            "orders": [order.code for order in named],
            "order_ids": [order.pk for order in named],
        }
        assert undecided.value.details == {
            "count": 1, "orders": [late.code], "order_ids": [late.pk]
        }  # fmt: skip

    def test_of_too_few_sold_numbers_leaves_only_calling_off(self) -> None:
        raffle = builders.create_raffle(numbers=20)
        draw_rules.save_rules(raffle.pk, ChosenRules(minimum_sold=3), **BY_STAFF)
        lifecycle.close(raffle.pk, **BY_STAFF)
        with pytest.raises(NothingSold):
            seal(raffle)
        Raffle.objects.filter(pk=raffle.pk).update(status=RaffleStatus.OPEN)
        order_states.create_paid_order(raffle, numbers=[4, 5])
        lifecycle.close(raffle.pk, **BY_STAFF)

        with pytest.raises(TooFewSold) as refusal:
            seal(raffle)

        assert refusal.value.details == {"sold": 2, "minimum": 3}

    @pytest.mark.parametrize(
        ("number", "status", "problem"),
        [
            (7, TicketStatus.SOLD, "number 07 is sold and no entry that counts has it"),
            (3, TicketStatus.AVAILABLE, "number 03 has an entry that counts and is not sold"),
        ],
    )
    def test_of_receipts_that_do_not_fit_says_where(
        self, number: int, status: TicketStatus, problem: str
    ) -> None:
        raffle = create_closed_raffle(3)
        TicketNumber.objects.filter(raffle=raffle, number=number).update(status=status)

        with pytest.raises(ChainBroken) as refusal:
            seal(raffle)

        assert refusal.value.details == {"problem": problem}
        assert problem in str(inventory.find_inventory_problems())

    @pytest.mark.parametrize(("minutes_before", "index"), [(6, 0), (5, 1), (1, 1), (0, 1), (-1, 1)])
    def test_shortly_before_a_source_speaks_leaves_it_to_the_next_date(
        self, minutes_before: int, index: int
    ) -> None:
        raffle = builders.create_raffle(numbers=20)
        draw_rules.save_rules(raffle.pk, ChosenRules(sources=[LOTTERY]), **BY_STAFF)
        order_states.create_paid_order(raffle, numbers=[3])
        lifecycle.close(raffle.pk, **BY_STAFF)
        now = DRAW - minutes_before * MINUTE

        (source,) = seal(raffle, now=now).sources

        assert (source["date_index"], source["at"]) == (index, (DRAW + index * DAY).isoformat())


class TestSealedList:
    def test_has_the_sold_numbers_and_the_end_of_the_chain(self) -> None:
        raffle = create_closed_raffle(14, 2, 9)
        undo(Order.objects.latest("pk").pk)
        payments.confirm_payment(locks.lock_order(Order.objects.latest("pk").pk), **BY_STAFF)
        refund(Order.objects.earliest("pk").pk)

        sealed = seal(raffle)

        assert bytes(sealed.numbers) == b"02\n09\n"
        assert (sealed.count, sealed.unsold, sealed.chain_length) == (2, 18, 6)
        assert sealed.chain_head == raffle.receipt_chain.head
        assert inventory.find_inventory_problems() == []

    def test_that_took_long_is_as_late_as_its_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A source may have spoken while past orders entered the chain."""
        raffle = create_closed_raffle(3)
        clock = iter([0.0, 600.0])
        monkeypatch.setattr(f"{sealed_lists.__name__}.monotonic", lambda: next(clock))

        sealed = seal(raffle, now=DRAW - 6 * MINUTE)

        assert sealed.sealed_at == DRAW + 4 * MINUTE
        assert sealed.sources[0]["at"] == (DRAW + DAY).isoformat()

    def test_never_changes(self) -> None:
        raffle = create_closed_raffle(3)
        seal(raffle)
        lists = SealedList.objects.filter(raffle=raffle)

        changes: list[Callable[[], object]]
        changes = [lists.delete, partial(lists.update, count=2), partial(replace_row, lists.get())]
        for change in changes:
            with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
                change()


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    @pytest.mark.parametrize("method", [DrawMethod.PUBLIC_VALUE, DrawMethod.RECORDED_DRUM])
    def test_whoever_comes_first_the_list_is_what_was_sold(self, method: DrawMethod) -> None:
        sources = draw_rules.ChosenRules().sources if method is DrawMethod.PUBLIC_VALUE else ()
        for _ in range(4):
            raffle = builders.create_raffle(numbers=20)
            draw_rules.save_rules(raffle.pk, ChosenRules(method, sources=sources), **BY_STAFF)
            with transaction.atomic():
                sold = [order_states.create_paid_order(raffle, numbers=[n]) for n in (1, 2, 3)]
                expired = order_states.create_expired_order(raffle, numbers=[9])
            lifecycle.close(raffle.pk, **BY_STAFF)

            def attempt(act: Callable[[], object]) -> None:
                with suppress(DomainError):
                    act()

            @transaction.atomic
            def pay(order_id: int = expired.pk) -> None:
                payments.confirm_payment(locks.lock_order_with_contacts(order_id), **BY_STAFF)

            run_at_once(
                [
                    partial(attempt, partial(seal, raffle)),
                    partial(attempt, pay),
                    partial(attempt, partial(undo, sold[0].pk)),
                    partial(attempt, partial(refund, sold[1].pk)),
                ]
            )

            raffle.refresh_from_db()
            assert raffle.status in {RaffleStatus.CLOSED, RaffleStatus.SEALED}
            assert inventory.find_inventory_problems() == []
