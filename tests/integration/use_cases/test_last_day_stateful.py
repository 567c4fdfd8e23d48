"""Stateful test of the last day: whatever happens in whatever order, nothing moves after the draw.

`LAST_DAY_HISTORIES=2000` runs more histories than the few of each run.
"""

import functools
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shared.conversation import effects
from shared.conversation.values import (
    CancelOwnOrder,
    Effect,
    HoldNumbers,
    HoldRandom,
    KeepProof,
    PlaceOrder,
)
from shared.core.enums import DrawMethod, OrderAction, OrderStatus, RaffleStatus, RejectReason
from shared.core.errors import DomainError
from shared.raffles import sale_rules
from shared.raffles.actor import Actor
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.services import lifecycle
from shared.raffles.services.draws import draw_rules, sealed_lists
from shared.raffles.services.draws.draw_rules import ChosenRules
from shared.use_cases import (
    cash_sales,
    late_payments,
    order_endings,
    orphan_proofs,
    payments,
    raffle_changes,
    reversals,
)
from shared.whatsapp.models import InboundMessage, WhatsAppContact
from tests import builders
from tests.builders import MINUTE, NOON, PHONE_NUMBER_ID, build_staff_actor, build_token_actor
from tests.integration.raffles import order_states
from tests.integration.use_cases import last_day_checks

HISTORIES: Final = int(os.environ.get("LAST_DAY_HISTORIES", "6"))
STEPS_PER_HISTORY: Final = 25
NUMBERS: Final = 6

picks = st.integers(min_value=0, max_value=50)
actors = st.sampled_from([build_staff_actor(), build_token_actor()])
some_numbers = st.sets(st.integers(min_value=1, max_value=NUMBERS), min_size=1, max_size=3)
minutes_ago = st.sampled_from([0, 0, 1, 10, 45, 200])
ORDER_BUILDERS: Final[list[Callable[[Raffle], Order]]] = [
    lambda raffle: order_states.create_held_order(raffle, numbers=[1]),
    lambda raffle: order_states.create_placed_order(raffle, numbers=[2]),
    lambda raffle: order_states.create_order_under_review(raffle, numbers=[3]),
    lambda raffle: order_states.create_paid_order(raffle, numbers=[4, 5]),
    lambda raffle: order_states.create_cancelled_order(raffle, numbers=[6]),
]
DRUM: Final = ChosenRules(method=DrawMethod.RECORDED_DRUM, sources=())
NEXT_STATUS: Final[dict[str, Callable[..., object]]] = {
    "pause": lifecycle.pause,
    "resume": lifecycle.open_raffle,
    "close": lifecycle.close,
    "seal": functools.partial(sealed_lists.seal, two_people=False),
}


class LastDayMachine(RuleBasedStateMachine):
    """State machine of a raffle's last day: buyers, staff, a program and the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo._from_testcase = True  # type: ignore[attr-defined]  # durable ones run in it
        self.undo.__enter__()
        self.now: datetime = NOON
        self.serial = 0
        self.raffle: Raffle
        self.buyers: list[WhatsAppContact] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    @initialize(
        price=st.sampled_from([Decimal("3.33"), Decimal("3.33"), Decimal(0)]),
        minutes=st.sampled_from([20, 65, 120]),
        chosen_end=st.booleans(),
        begun=st.sets(st.sampled_from(range(len(ORDER_BUILDERS)))),
        rules=st.sampled_from([None, ChosenRules(), DRUM, DRUM]),
    )
    def open_a_raffle(
        self,
        price: Decimal,
        minutes: int,
        chosen_end: bool,
        begun: set[int],
        rules: ChosenRules | None,
    ) -> None:
        draw_at = NOON + minutes * MINUTE
        self.raffle = builders.create_raffle(
            numbers=NUMBERS,
            price=price,
            draw_at=draw_at,
            sales_close_at=draw_at if chosen_end or minutes < 60 else None,
        )
        if rules is not None:
            draw_rules.save_rules(self.raffle.pk, rules, by=build_staff_actor(), now=NOON)
        for place in sorted(begun):
            ORDER_BUILDERS[place](self.raffle)
        self.buyers = [builders.create_contact() for _ in range(2)]
        last_day_checks.assert_consistent(self.raffle.pk)

    @rule(minutes=st.sampled_from([1, 10, 25, 33]))
    def let_time_pass(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule(end=st.sampled_from(["sales", "draw"]), seconds=st.sampled_from([-60, -1, 0, 60, 600]))
    def jump_to_an_end(self, end: str, seconds: int) -> None:
        self.raffle.refresh_from_db()
        if self.raffle.draw_at is not None:
            at = self.raffle.draw_at - (60 * MINUTE if end == "sales" else 0 * MINUTE)
            self.now = max(self.now, at + timedelta(seconds=seconds))

    @rule(buyer=picks, numbers=some_numbers, pivot=st.none() | picks)
    def hold(self, buyer: int, numbers: set[int], pivot: int | None) -> None:
        if pivot is None:
            self.chat(HoldNumbers(self.raffle.pk, tuple(sorted(numbers))), buyer=buyer)
        else:
            self.chat(HoldRandom(self.raffle.pk, len(numbers)), buyer=buyer)

    @precondition(lambda self: Order.objects.exists())
    @rule(pick=picks, sent=minutes_ago)
    def place(self, pick: int, sent: int) -> None:
        self.chat(PlaceOrder(self.choose(pick).pk), order=self.choose(pick), sent=sent)

    @precondition(lambda self: Order.objects.exists())
    @rule(pick=picks)
    def cancel_by_chat(self, pick: int) -> None:
        self.chat(CancelOwnOrder(self.choose(pick).pk), order=self.choose(pick))

    @precondition(lambda self: Order.objects.exists())
    @rule(pick=picks, sent=minutes_ago)
    def send_a_receipt(self, pick: int, sent: int) -> None:
        self.chat(KeepProof(self.choose(pick).pk), order=self.choose(pick), sent=sent)

    @rule(buyer=picks, sent=minutes_ago)
    def send_a_receipt_for_no_order(self, buyer: int, sent: int) -> None:
        self.chat(KeepProof(None), buyer=buyer, sent=sent)

    @precondition(lambda self: self.list_orphans())
    @rule(pick=picks, way=st.sampled_from(["attach", "order", "dismiss"]))
    def decide_about_a_receipt_for_no_order(self, pick: int, way: str) -> None:
        orphans = self.list_orphans()
        proof_id = orphans[pick % len(orphans)].pk
        terms: dict[str, Any] = {"by": build_staff_actor(), "now": self.now}
        if way == "dismiss":
            self.attempt(orphan_proofs.dismiss_proof, proof_id, note="", tell_buyer=True, **terms)
        elif way == "attach" and Order.objects.exists():
            order_id = self.choose(pick).pk
            self.attempt(orphan_proofs.attach_proof, proof_id, order_id=order_id, **terms)
        else:
            terms |= {"raffle_id": self.raffle.pk, "numbers": None, "quantity": 1, "pivot": pick}
            self.attempt(orphan_proofs.create_order_from_proof, proof_id, **terms)

    @rule(numbers=some_numbers)
    def sell_for_cash(self, numbers: set[int]) -> None:
        self.serial += 1
        self.attempt(
            cash_sales.sell_for_cash,
            self.raffle.pk,
            numbers=numbers,
            quantity=1,
            buyer_name="Cara",
            buyer_phone="",
            request_key=UUID(int=self.serial),
            pivot=1,
            by=build_staff_actor(),
            now=self.now,
        )

    @precondition(lambda self: Order.objects.exists())
    @rule(pick=picks, by=actors, reviewed=st.booleans())
    def confirm(self, pick: int, by: Actor, reviewed: bool) -> None:
        self.decide(payments.confirm_payment, pick, by=by, reviewed=reviewed)

    @precondition(lambda self: Order.objects.exists())
    @rule(pick=picks, by=actors)
    def reject(self, pick: int, by: Actor) -> None:
        self.decide(
            payments.reject_payment, pick, by=by, reason=RejectReason.REPEATED, note="twice"
        )

    @precondition(lambda self: Order.objects.exists())
    @rule(pick=picks)
    def ask_again(self, pick: int) -> None:
        self.decide(payments.ask_for_better_proof, pick, note="")

    @precondition(lambda self: Order.objects.exists())
    @rule(pick=picks)
    def cancel_by_staff(self, pick: int) -> None:
        self.decide(order_endings.cancel_order, pick, reason="asked for")

    @precondition(lambda self: Order.objects.filter(needs_decision=True).exists())
    @rule(pick=picks, way=st.sampled_from(["take back", "replace", "refund"]))
    def decide_about_a_late_payment(self, pick: int, way: str) -> None:
        match way:
            case "take back":
                self.decide(late_payments.take_back_numbers, pick, flagged=True)
            case "replace":
                self.decide(
                    late_payments.replace_numbers, pick, flagged=True, numbers=None, pivot=pick
                )
            case _:
                self.decide(late_payments.note_refund, pick, flagged=True, note="sent back")

    @precondition(lambda self: self.list_confirmations())
    @rule(pick=picks, by=actors)
    def undo_a_confirmation(self, pick: int, by: Actor) -> None:
        confirmation_id, order_id = self.list_confirmations()[pick % len(self.list_confirmations())]
        self.attempt(
            reversals.undo_confirmation,
            order_id,
            confirmation_id=confirmation_id,
            reason="mistake",
            by=by,
            now=self.now,
        )

    @precondition(lambda self: self.list_confirmations())
    @rule(pick=picks)
    def refund(self, pick: int) -> None:
        confirmation_id, order_id = self.list_confirmations()[pick % len(self.list_confirmations())]
        self.attempt(
            reversals.refund_order,
            order_id,
            confirmation_id=confirmation_id,
            note="ill",
            by=build_staff_actor(),
            now=self.now,
        )

    @rule(name=st.sampled_from(sorted(NEXT_STATUS)))
    def change_raffle(self, name: str) -> None:
        self.attempt(NEXT_STATUS[name], self.raffle.pk, by=build_staff_actor(), now=self.now)

    @rule(dice=picks)
    def call_off(self, dice: int) -> None:
        if dice % 4 == 0:  # most histories would end here otherwise
            self.attempt(
                lifecycle.call_off,
                self.raffle.pk,
                reason="storm",
                by=build_staff_actor(),
                now=self.now,
            )

    @precondition(lambda self: self.reload_raffle().status in {"OPEN", "PAUSED", "CLOSED"})
    @rule(confirmed=st.booleans(), dice=picks)
    def settle_and_seal(self, confirmed: bool, dice: int) -> None:
        if dice % 3 and not sale_rules.is_draw_due(self.reload_raffle(), now=self.now):
            return
        terms: dict[str, Any] = {"by": build_staff_actor(), "now": self.now}
        self.attempt(lifecycle.close, self.raffle.pk, **terms)
        for order in Order.objects.filter(status__in=Order.LIVE).order_by("pk"):
            if confirmed:
                self.attempt(payments.confirm_payment, order.pk, **terms)
            self.attempt(order_endings.cancel_order, order.pk, **terms)
        for order in Order.objects.filter(needs_decision=True).order_by("pk"):
            self.attempt(late_payments.note_refund, order.pk, note="sent back", **terms)
        self.attempt(sealed_lists.seal, self.raffle.pk, two_people=False, **terms)
        is_sealed = self.reload_raffle().status == RaffleStatus.SEALED
        assert is_sealed == Order.objects.filter(status=OrderStatus.PAID).exists()

    @rule(minutes=st.sampled_from([None, -5, 5, 20, 90, 180]))
    def move_draw(self, minutes: int | None) -> None:
        self.attempt(
            lifecycle.move_draw,
            self.raffle.pk,
            draw_at=None if minutes is None else self.now + minutes * MINUTE,
            reason="rain",
            by=build_staff_actor(),
            now=self.now,
        )

    @precondition(lambda self: self.reload_raffle().status == RaffleStatus.SEALED)
    @rule()
    def draw(self) -> None:
        Raffle.objects.filter(pk=self.raffle.pk).update(status=RaffleStatus.DRAWN)

    @rule(limit=st.sampled_from([1, 3, 100]))
    def work_off_raffle_changes(self, limit: int) -> None:
        self.attempt(raffle_changes.continue_raffle_changes, now=self.now, limit=limit)

    @rule()
    def expire_due_orders(self) -> None:
        self.attempt(order_endings.expire_due_orders, now=self.now)

    def chat(
        self, effect: Effect, *, buyer: int = 0, order: Order | None = None, sent: int = 0
    ) -> None:
        """Carry out what a buyer's message of `sent` minutes ago asks for."""
        contact = self.buyers[buyer % 2] if order is None else order.contact
        if contact is None:
            return  # nobody chats about a sale for cash
        self.serial += 1
        message = InboundMessage(
            phone_number_id=PHONE_NUMBER_ID,
            wa_message_id=f"wamid.last{self.serial}",
            payload={"type": "image", "image": {"id": "media", "mime_type": "image/jpeg"}},
            sent_at=self.now - sent * MINUTE,
        )
        turn = effects.InboundTurn(contact, message, self.now, pivot=self.serial)
        self.attempt(effects.carry_out_effect, effect, turn)

    def decide(
        self, use_case: Callable[..., object], pick: int, *, flagged: bool = False, **terms: Any
    ) -> None:
        terms = {"by": build_staff_actor(), "now": self.now, **terms}
        self.attempt(use_case, self.choose(pick, flagged=flagged).pk, **terms)

    def attempt(self, act: Callable[..., object], *args: Any, **terms: Any) -> None:
        """Call `act`, which may refuse, and check what changed."""
        before = last_day_checks.take_snapshot(self.raffle.pk)
        try:
            act(*args, **terms)
        except DomainError:
            assert last_day_checks.take_snapshot(self.raffle.pk) == before, "a refusal wrote"
            return
        after = last_day_checks.take_snapshot(self.raffle.pk)
        last_day_checks.assert_change_allowed(before, after, now=self.now)
        last_day_checks.assert_consistent(self.raffle.pk)

    def choose(self, pick: int, *, flagged: bool = False) -> Order:
        orders = Order.objects.order_by("-pk")
        found = list(orders.filter(needs_decision=True) if flagged else orders)
        return found[pick % len(found)]

    def list_orphans(self) -> list[PaymentProof]:
        return list(PaymentProof.objects.filter(order=None, verdict="PENDING").order_by("pk"))

    def list_confirmations(self) -> list[tuple[int, int]]:
        events = Order.objects.filter(events__action=OrderAction.PAID).order_by("-events__pk")
        return list(events.values_list("events__pk", "pk"))

    def reload_raffle(self) -> Raffle:
        return Raffle.objects.get(pk=self.raffle.pk)


@pytest.mark.acceptance
@pytest.mark.django_db
@pytest.mark.timeout(3600)
def test_nothing_moves_after_the_draw_in_any_history() -> None:
    run_state_machine_as_test(
        LastDayMachine,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS_PER_HISTORY,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
