"""Tests of the inventory check: it detects every inconsistency of numbers, orders and money."""

from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F

from shared.core.enums import LedgerKind, OrderAction, OrderStatus, RaffleStatus, TicketStatus
from shared.raffles import receipt_lines
from shared.raffles.draws.draw_models import ReceiptChain, SealedList
from shared.raffles.models import (
    LedgerEntry,
    Order,
    OrderEvent,
    OrderTicket,
    Raffle,
    TicketNumber,
)
from shared.raffles.services import ledger_entries, locks, tickets
from shared.raffles.services.payment_decisions import payments, reversals
from shared.raffles.services.ticket_numbers import inventory
from tests import builders
from tests.builders import NOON
from tests.cases import roll_back, walk_cases
from tests.integration.raffles import order_states

pytestmark = pytest.mark.django_db


def lose_a_number(raffle: Raffle) -> None:
    TicketNumber.objects.filter(raffle=raffle, number=20).delete()


def add_a_number(raffle: Raffle) -> None:
    TicketNumber.objects.create(raffle=raffle, number=21, shuffle_key=1)


def sell_a_number_to_nobody(raffle: Raffle) -> None:
    TicketNumber.objects.filter(raffle=raffle, number=20).update(status=TicketStatus.SOLD)


def free_a_number_that_is_held(raffle: Raffle) -> None:
    order_states.create_placed_order(raffle, numbers=[7])
    TicketNumber.objects.filter(raffle=raffle, number=7).update(status=TicketStatus.AVAILABLE)


def sell_a_number_that_is_not_paid(raffle: Raffle) -> None:
    order_states.create_placed_order(raffle, numbers=[7])
    TicketNumber.objects.filter(raffle=raffle, number=7).update(status=TicketStatus.SOLD)


def end_an_order_that_keeps_its_numbers(raffle: Raffle) -> None:
    order = order_states.create_placed_order(raffle, numbers=[7])
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.EXPIRED)


def release_a_number_of_a_paid_order(raffle: Raffle) -> None:
    order = order_states.create_paid_order(raffle, numbers=[7, 8])
    OrderTicket.objects.filter(order=order, ticket__number=8).update(released_at=NOON)


def hold_a_number_of_another_raffle(raffle: Raffle) -> None:
    order = order_states.create_placed_order(raffle, numbers=[7])
    other = builders.create_raffle(numbers=10).numbers.filter(number=7)
    other.update(status=TicketStatus.RESERVED)
    OrderTicket.objects.filter(order=order).update(ticket=other.get())


def confirm_without_ledger(raffle: Raffle) -> None:
    order = order_states.create_paid_order(raffle, numbers=[7])
    LedgerEntry.objects.filter(order=order).delete()


def confirm_with_the_ledger_of_an_earlier_confirmation(raffle: Raffle) -> None:
    order = order_states.create_paid_order(raffle, numbers=[7])
    first = OrderEvent.objects.get(order=order, action=OrderAction.PAID)
    OrderEvent.objects.create(
        order=order, action=OrderAction.PAID, actor_kind="STAFF", to_status="PAID", at=first.at
    )


def undo_in_the_ledger_alone(raffle: Raffle) -> None:
    take_back(order_states.create_paid_order(raffle, numbers=[7]), LedgerKind.UNDONE)


def refund_in_the_ledger_alone_before_the_sealing(raffle: Raffle) -> None:
    take_back(order_states.create_paid_order(raffle, numbers=[7]), LedgerKind.REFUNDED)


def end_a_paid_order_and_keep_its_money(raffle: Raffle) -> None:
    order = order_states.create_paid_order(raffle, numbers=[7])
    with transaction.atomic():
        tickets.release_order_tickets(order, now=NOON, current=TicketStatus.SOLD)
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.CANCELLED)


def take_back_what_never_came_in(raffle: Raffle) -> None:
    order = order_states.create_paid_order(raffle, numbers=[7])
    earlier = order.events.order_by("id")[0]
    LedgerEntry.objects.create(**build_entry(order, LedgerKind.UNDONE, confirmation=earlier))


def change_an_amount(raffle: Raffle) -> None:
    order = order_states.create_paid_order(raffle, numbers=[7])
    LedgerEntry.objects.filter(order=order).update(amount=F("amount") + Decimal("0.01"))


def lose_a_receipt(raffle: Raffle) -> None:
    order = order_states.create_paid_order(raffle, numbers=[7])
    Order.objects.filter(pk=order.pk).update(receipt_entry=None, receipt_head=None)


def hold_the_receipt_of_another(raffle: Raffle) -> None:
    order = order_states.create_paid_order(raffle, numbers=[7])
    order_states.create_paid_order(raffle, numbers=[8])
    Order.objects.filter(pk=order.pk).update(receipt_entry=2)


def lose_the_end_of_the_chain(raffle: Raffle) -> None:
    order_states.create_paid_order(raffle, numbers=[7])
    ReceiptChain.objects.filter(raffle=raffle).update(head="0" * 64)


def seal_another_list(raffle: Raffle) -> None:
    order_states.create_paid_order(raffle, numbers=[7])
    chain = ReceiptChain.objects.get(raffle=raffle)
    SealedList.objects.create(
        raffle=raffle,
        numbers=b"08\n",
        sha256=receipt_lines.hash_list(b"08\n"),
        count=1,
        unsold=19,
        chain_head=chain.head,
        chain_length=chain.length,
        two_people=False,
        sealed_at=NOON,
        by_kind="STAFF",
    )


def take_back(order: Order, kind: LedgerKind) -> None:
    """Add an entry that takes back the confirmation of an order, without changing the order."""
    entry = LedgerEntry.objects.get(order=order)
    LedgerEntry.objects.create(**build_entry(order, kind, confirmation=entry.confirmation))


def build_entry(order: Order, kind: LedgerKind, **fields: Any) -> dict[str, Any]:
    return {
        "raffle_id": order.raffle_id,
        "order": order,
        "kind": kind,
        "amount": order.total,
        "currency": order.currency,
        "quantity": order.quantity,
        "actor_kind": "STAFF",
        "at": NOON,
        **fields,
    }


BROKEN: list[tuple[Callable[[Raffle], None], set[str]]] = [
    (lose_a_number, {"numbers_do_not_add_up"}),
    (add_a_number, {"numbers_do_not_add_up"}),
    (sell_a_number_to_nobody, {"number_without_order"}),
    (free_a_number_that_is_held, {"number_and_order_disagree"}),
    (sell_a_number_that_is_not_paid, {"number_and_order_disagree"}),
    (end_an_order_that_keeps_its_numbers, {"number_and_order_disagree"}),
    (release_a_number_of_a_paid_order, {"number_without_order", "order_without_its_numbers"}),
    (hold_a_number_of_another_raffle, {"number_of_another_raffle", "number_without_order"}),
    (confirm_without_ledger, {"payment_not_in_ledger"}),
    (
        confirm_with_the_ledger_of_an_earlier_confirmation,
        {"payment_not_in_ledger", "confirmation_still_in_force"},
    ),
    (undo_in_the_ledger_alone, {"payment_taken_back"}),
    (refund_in_the_ledger_alone_before_the_sealing, {"payment_taken_back"}),
    (
        end_a_paid_order_and_keep_its_money,
        {"confirmation_still_in_force", "order_and_receipt_disagree", "receipt_chain_broken"},
    ),
    (take_back_what_never_came_in, {"reversal_without_confirmation"}),
    (change_an_amount, {"ledger_and_order_disagree"}),
    (lose_a_receipt, {"payment_not_in_chain"}),
    (hold_the_receipt_of_another, {"order_and_receipt_disagree"}),
    (lose_the_end_of_the_chain, {"receipt_chain_broken"}),
    (seal_another_list, {"sealed_list_broken"}),
]


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle(numbers=20)


def reverse_payment(order: Order, *, undone: bool) -> None:
    """Undo or refund the confirmation of an order."""
    locked = locks.lock_order(order.pk)
    confirmation_id, by = ledger_entries.load_confirmation(locked).pk, builders.build_staff_actor()
    if undone:
        reversals.undo_confirmation(
            locked, confirmation_id=confirmation_id, reason="A mistake.", by=by, now=NOON
        )
        payments.confirm_payment(locks.lock_order(order.pk), by=by, now=NOON)
    else:
        reversals.refund_order(
            locked, confirmation_id=confirmation_id, note="Back.", by=by, now=NOON
        )


class TestCheck:
    def test_finds_nothing_where_all_is_well(self, raffle: Raffle) -> None:
        order_states.create_paid_order(raffle, numbers=[1])
        order_states.create_order_under_review(raffle, numbers=[2])
        order_states.create_held_order(raffle, numbers=[3])
        order_states.create_expired_order(raffle, numbers=[4])
        order_states.create_cancelled_order(raffle, numbers=[5])
        reverse_payment(order_states.create_paid_order(raffle, numbers=[6]), undone=True)
        reverse_payment(order_states.create_paid_order(raffle, numbers=[7]), undone=False)

        assert inventory.find_inventory_problems() == []
        assert inventory.find_inventory_problems(raffle.pk) == []

    def test_finds_nothing_in_a_refund_after_the_sealing(self, raffle: Raffle) -> None:
        order = order_states.create_paid_order(raffle, numbers=[1])
        Raffle.objects.update(status=RaffleStatus.SEALED)
        reverse_payment(order, undone=False)

        assert order_states.reload_order(order).status == OrderStatus.PAID
        assert inventory.find_inventory_problems() == []

    @walk_cases(("breakage", "codes"), BROKEN)
    @roll_back
    def test_finds_what_must_not_be(
        self, breakage: Callable[[Raffle], None], codes: set[str]
    ) -> None:
        raffle = builders.create_raffle(numbers=20)
        breakage(raffle)

        problems = inventory.find_inventory_problems()

        assert {problem.code for problem in problems} == codes
        assert {problem.raffle_id for problem in inventory.find_inventory_problems(raffle.pk)} == {
            raffle.pk
        }

    def test_looks_at_one_raffle_if_asked(self, raffle: Raffle) -> None:
        lose_a_number(builders.create_raffle(numbers=20))

        assert inventory.find_inventory_problems(raffle.pk) == []

    def test_says_what_is_wrong_in_words(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle, numbers=[7])
        TicketNumber.objects.filter(raffle=raffle, number=7).update(status=TicketStatus.SOLD)

        words = [problem.description for problem in inventory.find_inventory_problems()]

        held_by = f"order {order.pk}, which holds it, is PENDING_PAYMENT"
        assert words == [f"number 7 is SOLD and {held_by}"]

    def test_lets_a_draft_grow_its_numbers(self) -> None:
        raffle = builders.create_raffle(numbers=20, status=RaffleStatus.DRAFT)
        lose_a_number(raffle)

        assert inventory.find_inventory_problems() == []

    def test_tells_no_more_than_a_hundred_of_a_kind(self) -> None:
        raffle = builders.create_raffle(numbers=150)
        raffle.numbers.update(status=TicketStatus.SOLD)

        assert len(inventory.find_inventory_problems()) == inventory.MAX_PROBLEMS_PER_KIND


class TestSnapshot:
    @pytest.mark.django_db(transaction=True)
    def test_is_taken_outside_of_a_transaction_too_and_leaves_none_open(self) -> None:
        raffle = builders.create_raffle(numbers=20)
        with transaction.atomic():
            order_states.create_paid_order(raffle, numbers=[1])

        assert inventory.find_inventory_problems() == []
        assert not connection.in_atomic_block
        with transaction.atomic(durable=True):
            order_states.create_held_order(raffle, numbers=[2])


class TestCommand:
    def test_says_that_all_is_well(self, raffle: Raffle) -> None:
        output = StringIO()

        call_command("check_inventory", stdout=output)

        assert "exactly once" in output.getvalue()

    def test_fails_where_it_does_not_add_up_and_says_why(self, raffle: Raffle) -> None:
        lose_a_number(raffle)
        output = StringIO()

        with pytest.raises(CommandError, match="1 problem"):
            call_command("check_inventory", str(raffle.pk), stderr=output)

        assert f"raffle {raffle.pk}: 19 numbers exist" in output.getvalue()
