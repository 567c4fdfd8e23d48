"""Tests of the receipt chain: an entry per payment, a void per undo and refund, one head a time."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from shared.conversation import effects
from shared.conversation.values import PlaceOrder
from shared.core.enums import (
    DrawMethod,
    OrderStatus,
    RaffleAction,
    RaffleStatus,
    ReceiptKind,
)
from shared.raffles.draws.draw_errors import RulesMissing
from shared.raffles.draws.draw_models import DrawRules, ReceiptChain, ReceiptEntry
from shared.raffles.errors import RaffleSealed
from shared.raffles.models import Order, OrderEvent, Raffle, RaffleEvent
from shared.raffles.services import lifecycle, locks, orders, reservations
from shared.raffles.services.draws import draw_rules, receipt_chain, sealed_lists
from shared.raffles.services.draws.draw_rules import ChosenRules
from shared.raffles.services.payment_decisions import late_payments, payments, reversals
from shared.raffles.services.ticket_numbers import inventory
from shared.raffles.unchangeable_rows import create_triggers
from shared.whatsapp.models import InboundMessage
from shared.whatsapp.services.inbox import contacts
from tests import builders
from tests.builders import MINUTE, NOON, PHONE_NUMBER_ID, build_chat_actor, build_staff_actor
from tests.integration.concurrency import repeat_at_once, run_at_once
from tests.integration.raffles import order_states
from tests.integration.raffles.draw_steps import replace_row

pytestmark = pytest.mark.django_db

BY_STAFF: Final[dict[str, Any]] = {"by": build_staff_actor(), "now": NOON}
DRUM: Final = ChosenRules(method=DrawMethod.RECORDED_DRUM, sources=())


def compute_heads(raffle: Raffle, lines: Sequence[str]) -> list[str]:
    """Return the head after each line, as a stranger computes it."""
    rule_hash = DrawRules.objects.get(raffle=raffle).sha256
    text = f"raffle-chain-1\nraffle-{raffle.pk}\n{rule_hash}\n"
    heads = []
    for line in lines:
        text = f"{hashlib.sha256(text.encode()).hexdigest()}\n{line}\n"
        heads.append(hashlib.sha256(text.encode()).hexdigest())
    return heads


def assert_chain(raffle: Raffle, *lines: str) -> None:
    """Check the lines of a chain, the heads that lead through them, and the whole inventory."""
    heads = compute_heads(raffle, lines)
    entries = ReceiptEntry.objects.filter(raffle=raffle).order_by("number")
    chain = ReceiptChain.objects.get(raffle=raffle)
    assert list(receipt_chain.build_lines(raffle.pk)) == [f"{line}\n" for line in lines]
    assert [entry.head for entry in entries] == heads
    assert (chain.length, chain.head, chain.complete) == (len(lines), heads[-1], True)
    assert inventory.find_inventory_problems() == []


def sell_for_cash(raffle: Raffle, *numbers: int, now: datetime = NOON) -> Order:
    with transaction.atomic():
        held = reservations.hold_chosen_or_random(
            raffle,
            contact_id=None,
            numbers=numbers or None,
            quantity=1,
            pivot=1,
            by=build_staff_actor(),
            now=now,
        )
        order = orders.place(held, at=now, now=now, by=build_staff_actor())
        payments.sell_order(order, by=build_staff_actor(), now=now, late=False)
    return order


def get_confirmation(order: Order) -> int:
    return OrderEvent.objects.filter(order=order, action="PAID").latest("pk").pk


def undo(order: Order) -> None:
    locked = locks.lock_order(order.pk)
    confirmation_id = get_confirmation(order)
    reversals.undo_confirmation(
        locked, confirmation_id=confirmation_id, reason="mistake", **BY_STAFF
    )


def refund(order: Order) -> None:
    locked = locks.lock_order(order.pk)
    reversals.refund_order(locked, confirmation_id=get_confirmation(order), note="ill", **BY_STAFF)


def forget_chain(raffle: Raffle) -> None:
    """Leave the raffle as an older version did, which knew neither rules nor receipts."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
        else:
            cursor.execute("DROP TRIGGER raffles_receiptentry_refuse_delete")
        for table in ("receiptentry", "receiptchain", "drawsource", "prize", "drawrules"):
            cursor.execute(f"DELETE FROM raffles_{table} WHERE raffle_id = %s", [raffle.pk])
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    Order.objects.filter(raffle=raffle).update(receipt_entry=None, receipt_head=None)
    Raffle.objects.filter(pk=raffle.pk).update(draw_method="")
    RaffleEvent.objects.filter(raffle=raffle, action=RaffleAction.RULES_FROZEN).delete()


class TestEntries:
    def test_follow_each_payment_undo_and_refund(self) -> None:
        raffle = builders.create_raffle(numbers=100)
        paid = order_states.create_paid_order(raffle, numbers=[57, 7, 31])
        cash = sell_for_cash(raffle, 100)
        late = order_states.create_expired_order(raffle, numbers=[8])
        payments.confirm_payment(locks.lock_order(late.pk), **BY_STAFF)
        replaced = order_states.create_late_order(raffle, numbers=[9])
        late_payments.replace_numbers(
            locks.lock_order(replaced.pk), numbers=[10], pivot=1, **BY_STAFF
        )
        assert_chain(raffle, "entry 1 007,031,057", "entry 2 100", "entry 3 008", "entry 4 010")
        cash.refresh_from_db()
        head = compute_heads(raffle, ["entry 1 007,031,057", "entry 2 100"])[1]
        assert (cash.receipt_entry, cash.receipt_head) == (2, head[:8])

        undo(paid)
        paid.refresh_from_db()
        assert (paid.receipt_entry, paid.receipt_head) == (None, None)
        payments.confirm_payment(locks.lock_order(paid.pk), **BY_STAFF)
        refund(cash)
        assert_chain(
            raffle,
            *("entry 1 007,031,057", "entry 2 100", "entry 3 008", "entry 4 010"),
            *("void 5 1", "entry 6 007,031,057", "void 7 2"),
        )
        paid.refresh_from_db()
        assert paid.receipt_entry == 6
        frozen = RaffleEvent.objects.get(action=RaffleAction.RULES_FROZEN)
        assert frozen.raffle_id == raffle.pk

    def test_are_none_after_the_sealing(self) -> None:
        raffle = builders.create_raffle(numbers=10)
        order = order_states.create_paid_order(raffle, numbers=[3])
        lifecycle.close(raffle.pk, **BY_STAFF)
        sealed_lists.seal(raffle.pk, two_people=False, **BY_STAFF)

        refund(order)

        assert_chain(raffle, "entry 1 03")
        order.refresh_from_db()
        assert (order.status, order.receipt_entry) == (OrderStatus.PAID, 1)
        with pytest.raises(RaffleSealed):
            receipt_chain.enter_orders(raffle.pk, now=NOON)

    def test_never_change(self) -> None:
        raffle = builders.create_raffle(numbers=10)
        order_states.create_paid_order(raffle, numbers=[3])
        entries = ReceiptEntry.objects.filter(raffle=raffle)

        entry = entries.get()
        with_another_id = ReceiptEntry.objects.get(pk=entry.pk)
        with_another_id.pk += 1
        for change in (
            *(entries.delete, partial(entries.update, number=2)),
            *(partial(replace_row, entry), partial(replace_row, with_another_id)),
        ):
            with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
                change()

    def test_of_usual_payments_cost_three_statements(self) -> None:
        raffle = builders.create_raffle(numbers=10)
        for number in (1, 2):
            order_states.create_paid_order(raffle, numbers=[number])
        order = order_states.create_order_under_review(raffle, numbers=[3])

        with CaptureQueriesContext(connection) as captured:
            payments.confirm_payment(locks.lock_order(order.pk), **BY_STAFF)

        about = [query["sql"] for query in captured if "receipt" in query["sql"]]
        changed = [sql for sql in about if sql.startswith('UPDATE "raffles_order"')]
        sent_together = connection.vendor == "postgresql"
        assert len(changed) == 1, "the order's own update writes its receipt, too"
        writes = [sql for sql in about if "raffles_receipt" in sql]
        assert len(writes) == (2 if sent_together else 3)


class TestRaffleFromBeforeTheRules:
    def test_gets_entries_once_a_person_has_chosen_them(self) -> None:
        raffle = builders.create_raffle(numbers=100)
        third = sell_for_cash(raffle, 3, now=NOON + 3 * MINUTE)
        first = order_states.create_paid_order(raffle, numbers=[1, 2])
        second = sell_for_cash(raffle, 5, now=NOON + MINUTE)
        forget_chain(raffle)
        assert draw_rules.need_rules(raffle.pk)

        latest = order_states.create_paid_order(raffle, numbers=[6])
        latest.refresh_from_db()
        assert latest.receipt_entry is None, "nobody has said how it is drawn"
        with pytest.raises(RulesMissing):
            receipt_chain.complete_chain(raffle.pk, now=NOON)
        assert receipt_chain.list_incomplete_chains() == []
        draw_rules.save_rules(raffle.pk, DRUM, **BY_STAFF)
        meanwhile = sell_for_cash(raffle, 7, now=NOON + 9 * MINUTE)
        assert receipt_chain.list_incomplete_chains() == [raffle.pk]

        assert receipt_chain.enter_orders(raffle.pk, now=NOON, limit=2) == 2
        chain = ReceiptChain.objects.get(raffle=raffle)
        assert (chain.length, chain.complete) == (2, False)
        undo(first)
        sell_for_cash(raffle, 8, now=NOON + 10 * MINUTE)
        assert receipt_chain.complete_chain(raffle.pk, now=NOON) == 4
        assert receipt_chain.complete_chain(raffle.pk, now=NOON) == 0
        sell_for_cash(raffle, 9)

        assert_chain(
            raffle,
            *("entry 1 001,002", "entry 2 006", "void 3 1", "entry 4 005", "entry 5 003"),
            *("entry 6 007", "entry 7 008", "entry 8 009"),
        )
        for order, entry in ((first, None), (second, 4), (third, 5), (meanwhile, 6)):
            order.refresh_from_db()
            assert order.receipt_entry == entry
        assert receipt_chain.list_incomplete_chains() == []


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_first_payments_freeze_the_rules_once_and_follow_one_another(self) -> None:
        raffle = builders.create_raffle(numbers=60)

        repeat_at_once(6, lambda turn: [sell_for_cash(raffle, 6 * turn + n) for n in range(1, 7)])

        assert RaffleEvent.objects.filter(action=RaffleAction.RULES_FROZEN).count() == 1
        assert list(
            ReceiptEntry.objects.filter(kind=ReceiptKind.SALE)
            .order_by("number")
            .values_list("number", flat=True)
        ) == list(range(1, 37))
        assert inventory.find_inventory_problems() == []

    def test_payments_undos_and_completion_leave_no_order_out(self) -> None:
        raffle = builders.create_raffle(numbers=60)
        with transaction.atomic():
            paid = [order_states.create_paid_order(raffle, numbers=[n]) for n in range(1, 25)]
            forget_chain(raffle)
        create_triggers(connection)
        draw_rules.save_rules(raffle.pk, DRUM, **BY_STAFF)

        def complete() -> None:
            while receipt_chain.enter_orders(raffle.pk, now=NOON, limit=3):
                pass

        def sell() -> None:
            for number in range(40, 48):
                sell_for_cash(raffle, number)

        def reverse(place: int) -> None:
            for order in paid[place::6]:
                with transaction.atomic():
                    locks.lock_order_with_contacts(order.pk)
                    undo(order)

        calls: list[Callable[[], None]] = [complete, complete, sell]
        calls += [partial(reverse, 0), partial(reverse, 3)]
        run_at_once(calls)
        receipt_chain.complete_chain(raffle.pk, now=NOON)

        inside = Order.objects.filter(receipt_entry__isnull=False)
        assert inside.count() == Order.objects.filter(status=OrderStatus.PAID).count() == 24
        assert inventory.find_inventory_problems() == []

    def test_batches_with_free_orders_of_two_raffles_wait_for_each_other_in_turn(self) -> None:
        raffles = [builders.create_raffle(numbers=100, price=0) for _ in range(2)]

        @transaction.atomic
        def place(turn: int, place: int) -> None:
            """Place a free order of each raffle in one batch, every second one the other way."""
            steps = []
            for raffle in raffles if turn % 2 else reversed(raffles):
                contact = contacts.lock_contact(builders.create_contact().pk)
                order = reservations.hold_numbers(
                    raffle,
                    contact_id=contact.pk,
                    numbers=[10 * turn + place + 1],
                    now=NOON,
                    by=build_chat_actor(),
                )
                message = InboundMessage(phone_number_id=PHONE_NUMBER_ID, payload={}, sent_at=NOON)
                turned = effects.InboundTurn(contact, message, NOON, pivot=1)
                steps.append((PlaceOrder(order.pk), turned))
            effects.carry_out_effects(steps)

        repeat_at_once(4, lambda turn: [place(turn, n) for n in range(8)])

        for raffle in raffles:
            chain = ReceiptChain.objects.get(raffle=raffle)
            assert chain.length == 32
            assert raffle.status == RaffleStatus.OPEN
        assert inventory.find_inventory_problems() == []
