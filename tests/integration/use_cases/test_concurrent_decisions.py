"""Tests of concurrent decisions about the same money: one succeeds, the others are refused."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from shared.conversation import button_ids
from shared.conversation.answering import waiting_messages
from shared.core.enums import OrderAction, OrderStatus
from shared.core.errors import DomainError
from shared.raffles.errors import DecisionMade
from shared.raffles.models import Order, OrderEvent
from shared.raffles.results import AlreadySettled
from shared.raffles.services.ticket_numbers import inventory
from shared.use_cases import cash_sales, late_payments, order_endings, orphan_proofs, payments
from shared.whatsapp.models import OutboundMessage
from tests import builders
from tests.builders import NOON, build_staff_actor
from tests.integration.concurrency import run_at_once
from tests.integration.conversation.chat import BuyerChat
from tests.integration.raffles import order_states

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.acceptance]

LATER = order_states.AFTER_THE_DEADLINE
BY_STAFF: dict[str, Any] = {"by": build_staff_actor(), "now": LATER}
CALLS_PER_DECISION = 3
"""Number of simultaneous calls of the same decision."""

type Act = Callable[[], object]


def count_outcomes(*acts: Act) -> Counter[str]:
    """Run each call several times at once and count the outcomes: "done" or the refusal's code."""

    def one(act: Act) -> str:
        try:
            act()
        except DomainError as refusal:
            return refusal.code
        return "done"

    tasks: list[Callable[[], str]] = [
        partial(one, act) for act in acts for _ in range(CALLS_PER_DECISION)
    ]
    return Counter(run_at_once(tasks, threads=len(tasks)))


def count_actions(*actions: OrderAction) -> int:
    return OrderEvent.objects.filter(action__in=actions).count()


def count_messages(*keys: str) -> int:
    return OutboundMessage.objects.filter(key__in=keys).count()


def test_an_orphan_proof_gets_one_home() -> None:
    with transaction.atomic():
        raffle = builders.create_raffle(numbers=20)
        proof = order_states.receive_orphan_proof()
        mine, friends = (
            order_states.create_placed_order(raffle),
            order_states.create_placed_order(raffle, numbers=[9]),
        )

    def attach(order: Order) -> object:
        return orphan_proofs.attach_proof(proof.pk, order_id=order.pk, **BY_STAFF)

    def make_order() -> object:
        terms: Any = {"raffle_id": raffle.pk, "numbers": [7], "quantity": 1, "pivot": 0}
        return orphan_proofs.create_order_from_proof(proof.pk, **terms, **BY_STAFF)

    def dismiss() -> object:
        return orphan_proofs.dismiss_proof(proof.pk, note="", tell_buyer=True, **BY_STAFF)

    came = count_outcomes(partial(attach, mine), partial(attach, friends), make_order, dismiss)

    assert came == {"done": 1, "proof_settled": 4 * CALLS_PER_DECISION - 1}
    assert count_actions(OrderAction.PROOF_RECEIVED) <= 1
    assert count_messages("proof_attached", "order_made", "proof_dismissed") == 1
    assert inventory.find_inventory_problems() == []


def test_an_orphan_proof_that_its_sender_claims_meanwhile_pays_one_order() -> None:
    builders.create_raffle(numbers=100)
    buyer = BuyerChat(now=LATER)
    mine = buyer.buys()
    with transaction.atomic():
        proof = order_states.receive_orphan_proof(buyer.contact)
        friends = order_states.create_placed_order(mine.raffle, numbers=[90])
    tap = button_ids.build_button_id(button_ids.ButtonAction.PROOF, proof.pk, mine.pk)
    reply = {"type": "button_reply", "button_reply": {"id": tap, "title": "Mine"}}
    buyer.receives("interactive", {"interactive": reply})

    came = count_outcomes(
        lambda: orphan_proofs.attach_proof(proof.pk, order_id=friends.pk, **BY_STAFF),
        lambda: waiting_messages.answer_waiting_messages(buyer.contact.pk, now=LATER, pivot=0),
    )

    assert came["proof_settled"] in {CALLS_PER_DECISION - 1, CALLS_PER_DECISION}
    assert count_actions(OrderAction.PROOF_RECEIVED) == 1
    assert Order.objects.filter(under_review_since=LATER).count() == 1


def test_a_late_payment_is_decided_once() -> None:
    with transaction.atomic():
        order = order_states.create_late_order(builders.create_raffle(numbers=20))

    def replace(*numbers: int) -> object:
        return late_payments.replace_numbers(order.pk, numbers=numbers or None, pivot=0, **BY_STAFF)

    def refund() -> object:
        return late_payments.note_refund(order.pk, note="By bank transfer.", **BY_STAFF)

    came = count_outcomes(partial(replace, 7, 8, 9), replace, refund)

    assert came == {"done": 1, "decision_made": 3 * CALLS_PER_DECISION - 1}
    assert count_actions(OrderAction.PAID, OrderAction.REFUND_NOTED) == 1
    assert count_messages("numbers_replaced", "refund_noted") == 1
    assert inventory.find_inventory_problems() == []


def test_money_that_goes_back_buys_nothing_and_what_is_sold_does_not_go_back() -> None:
    with transaction.atomic():
        raffle = builders.create_raffle(numbers=20)
        order = order_states.create_late_order(raffle)
        other = Order.objects.get(raffle=raffle, status=OrderStatus.DRAFT)
    order_endings.cancel_order(other.pk, **BY_STAFF)

    def refund() -> object:
        return late_payments.note_refund(order.pk, note="By bank transfer.", **BY_STAFF)

    def confirm() -> object:
        outcome = payments.confirm_payment(order.pk, **BY_STAFF)
        if isinstance(outcome, AlreadySettled):
            raise DecisionMade(by=outcome.by, at=outcome.at)
        return outcome

    came = count_outcomes(confirm, refund)

    assert came == {"done": 1, "decision_made": 2 * CALLS_PER_DECISION - 1}
    assert count_actions(OrderAction.PAID, OrderAction.REFUND_NOTED) == 1
    assert count_messages("paid", "refund_noted") == 1
    assert inventory.find_inventory_problems() == []


def test_two_late_payments_never_get_the_same_numbers() -> None:
    with transaction.atomic():
        raffle = builders.create_raffle(numbers=8)
        late = [
            order_states.create_late_order(raffle, numbers=numbers) for numbers in ([1, 2], [3, 4])
        ]

    def replace(order: Order, *numbers: int) -> object:
        return late_payments.replace_numbers(order.pk, numbers=numbers or None, pivot=0, **BY_STAFF)

    came = count_outcomes(partial(replace, late[0], 7, 8), partial(replace, late[1], 8, 7))

    assert came["done"] == 1
    assert inventory.find_inventory_problems() == []


def test_the_same_numbers_are_sold_for_cash_once() -> None:
    raffle = builders.create_raffle(numbers=20)

    def sell(*numbers: int) -> object:
        return sell_for_cash(raffle.pk, numbers=numbers, request_key=UUID(int=next(keys)))

    keys = iter(range(1, 100))
    came = count_outcomes(partial(sell, 7, 8), partial(sell, 8, 9))

    assert came == {"done": 1, "numbers_taken": 2 * CALLS_PER_DECISION - 1}
    assert Order.objects.count() == 1
    assert inventory.find_inventory_problems() == []


@pytest.mark.parametrize("numbers", [[7, 8], None])
def test_a_form_sent_many_times_at_once_sells_once(numbers: list[int] | None) -> None:
    raffle = builders.create_raffle(numbers=20)

    def sell() -> cash_sales.CashSale:
        return sell_for_cash(raffle.pk, numbers=numbers, request_key=UUID(int=1))

    came = run_at_once([sell] * 4, threads=4)

    assert Counter(one.repeated for one in came) == {False: 1, True: 3}
    assert {one.order for one in came} == {Order.objects.get()}
    assert inventory.find_inventory_problems() == []


def test_a_buyer_is_asked_again_once() -> None:
    with transaction.atomic():
        order = order_states.create_order_under_review(builders.create_raffle(numbers=20))

    came = count_outcomes(lambda: payments.ask_for_better_proof(order.pk, note="", **BY_STAFF))

    assert came == {"done": 1, "asked_just_now": CALLS_PER_DECISION - 1}
    assert (count_actions(OrderAction.ASKED_AGAIN), count_messages("asked_again")) == (1, 1)


def sell_for_cash(raffle_id: int, **terms: Any) -> cash_sales.CashSale:
    usual: dict[str, Any] = {"quantity": 2, "buyer_name": "Inés", "buyer_phone": "", "pivot": 0}
    return cash_sales.sell_for_cash(raffle_id, **usual | terms | BY_STAFF | {"now": NOON})
