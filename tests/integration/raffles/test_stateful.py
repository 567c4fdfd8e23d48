"""Stateful test of buyers, reviewers and time in random order: the inventory always adds up."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shared.core.enums import (
    OrderAction,
    OrderStatus,
    ProofStatus,
    RejectReason,
    TicketStatus,
    UnplacedReason,
    Verdict,
)
from shared.core.errors import DomainError
from shared.raffles.actor import SWEEPER
from shared.raffles.models import (
    Order,
    OrderEvent,
    OrderTicket,
    PaymentProof,
    Raffle,
    TicketNumber,
)
from shared.raffles.results import NeedsDecision, Settled
from shared.raffles.services import availability, locks, orders, reservations
from shared.raffles.services.payment_decisions import late_payments, payments, proof_rejections
from shared.raffles.services.payment_proofs import orphan_proofs, proof_fetching, review_clock
from shared.raffles.services.proof_placement import proof_moves, proofs
from shared.raffles.services.queries import order_queries
from shared.raffles.services.ticket_numbers import inventory
from shared.whatsapp.models import WhatsAppContact
from tests import builders
from tests.builders import MINUTE, NOON, build_chat_actor, build_staff_actor
from tests.integration.raffles import order_states

NUMBERS = 4
STORIES = {"sqlite": 10, "postgresql": 4}
"""Stories per database: they look for errors of the rules, and one connection races nobody."""
some_numbers = st.sets(st.integers(min_value=0, max_value=NUMBERS + 1), min_size=1, max_size=4)
picks = st.integers(min_value=0, max_value=50)
pivots = st.integers(min_value=0, max_value=2**31 - 1)


class RaffleMachine(RuleBasedStateMachine):
    """State machine of a small raffle, three buyers, a reviewer and time; refusals are allowed."""

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.now: datetime = NOON
        self.raffle: Raffle
        self.buyers: list[WhatsAppContact] = []
        self.sold: dict[int, int] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    @initialize(limit=st.sampled_from([None, 3]), late=st.booleans())
    def open_a_raffle(self, limit: int | None, late: bool) -> None:
        self.raffle = builders.create_raffle(
            numbers=NUMBERS, max_per_order=3, max_per_contact=limit
        )
        self.buyers = [builders.create_contact() for _ in range(3)]
        if late:  # rarely happens by itself
            order_states.create_late_order(self.raffle, numbers=[1, 2])
            self.now = order_states.AFTER_THE_DEADLINE + 2 * MINUTE

    @rule(buyer=picks, quantity=st.integers(min_value=1, max_value=4), pivot=pivots)
    def hold_random(self, buyer: int, quantity: int, pivot: int) -> None:
        contact = self.buyers[buyer % 3]
        self.attempt(
            lambda: reservations.hold_random(
                self.raffle,
                contact_id=contact.pk,
                quantity=quantity,
                pivot=pivot,
                now=self.now,
                by=build_chat_actor(),
            )
        )

    @rule(
        buyer=picks,
        numbers=some_numbers,
    )
    def hold_numbers(self, buyer: int, numbers: set[int]) -> None:
        contact = self.buyers[buyer % 3]
        order = self.attempt(
            lambda: reservations.hold_numbers(
                self.raffle,
                contact_id=contact.pk,
                numbers=numbers,
                now=self.now,
                by=build_chat_actor(),
            )
        )
        assert order is None or order.list_ticket_numbers() == sorted(numbers)

    @rule(buyer=picks, first=some_numbers, second=some_numbers)
    def hold_first_free(self, buyer: int, first: set[int], second: set[int]) -> None:
        contact = self.buyers[buyer % 3]
        held = self.attempt(
            lambda: reservations.hold_first_free(
                self.raffle,
                contact_id=contact.pk,
                choices=[first, second],
                now=self.now,
                by=build_chat_actor(),
            )
        )
        if held is not None:
            wanted = second if held.taken else first
            assert held.order.list_ticket_numbers() == sorted(wanted)
            assert set(held.taken) <= first

    @precondition(lambda self: self.list_drafts())
    @rule(pick=picks, pivot=pivots)
    def add_random(self, pick: int, pivot: int) -> None:
        drafts = self.list_drafts()
        draft = drafts[pick % len(drafts)]
        kept = draft.list_ticket_numbers()
        order = self.attempt(
            lambda: reservations.hold_random(
                self.raffle,
                contact_id=draft.contact_id,
                quantity=len(kept) + 1,
                pivot=pivot,
                now=self.now,
                by=build_chat_actor(),
                replacing=draft,
                keeping=kept,
            )
        )
        assert order is None or set(kept) < set(order.list_ticket_numbers())

    @rule(numbers=st.sets(st.integers(min_value=1, max_value=NUMBERS), min_size=1, max_size=3))
    def hold_for_cash(self, numbers: set[int]) -> None:
        self.attempt(
            lambda: reservations.hold_numbers(
                self.raffle, contact_id=None, numbers=numbers, now=self.now, by=build_staff_actor()
            )
        )

    @precondition(lambda self: self.list_orders())
    @rule(pick=picks)
    def place(self, pick: int) -> None:
        order = self.lock_one_order(pick)
        self.attempt(lambda: orders.place(order, at=self.now, now=self.now, by=build_chat_actor()))

    @precondition(lambda self: self.list_orders())
    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        order = self.lock_one_order(pick)
        self.attempt(lambda: orders.cancel(order, by=build_chat_actor(), now=self.now))

    @precondition(lambda self: self.list_orders())
    @rule(pick=picks)
    def confirm(self, pick: int) -> None:
        order = self.lock_one_order(pick)
        outcome = self.attempt(
            lambda: payments.confirm_payment(order, by=build_staff_actor(), now=self.now)
        )
        self.note_if_sold(outcome)
        assert not isinstance(outcome, NeedsDecision) or outcome.taken

    @precondition(lambda self: self.list_undecided_orders())
    @rule(pick=picks, mixed=st.none() | st.permutations(range(1, NUMBERS + 1)), pivot=pivots)
    def replace_numbers(self, pick: int, mixed: list[int] | None, pivot: int) -> None:
        order = self.lock_one_order(pick, of=self.list_undecided_orders())
        numbers = None if mixed is None else mixed[: order.quantity]
        self.note_if_sold(
            self.attempt(
                lambda: late_payments.replace_numbers(
                    order, numbers=numbers, pivot=pivot, by=build_staff_actor(), now=self.now
                )
            )
        )

    @precondition(lambda self: self.list_undecided_orders())
    @rule(pick=picks)
    def note_refund(self, pick: int) -> None:
        order = self.lock_one_order(pick, of=self.list_undecided_orders())
        self.attempt(
            lambda: late_payments.note_refund(order, note="", by=build_staff_actor(), now=self.now)
        )

    @precondition(lambda self: self.list_orders())
    @rule(pick=picks)
    def reject(self, pick: int) -> None:
        order = self.lock_one_order(pick)
        self.attempt(
            lambda: proof_rejections.reject_proofs(
                order, reason=RejectReason.REPEATED, note="", by=build_staff_actor(), now=self.now
            )
        )

    @precondition(lambda self: self.list_orders())
    @rule(pick=picks)
    def send_a_proof(self, pick: int) -> None:
        order = self.lock_one_order(pick)
        proofs.receive_proof(
            order_states.build_proof_source(arrived_at=self.now),
            order=order,
            contact_id=order.contact_id or self.buyers[0].pk,
            by=build_chat_actor(),
            now=self.now,
        )

    @rule(buyer=picks)
    def send_a_proof_that_fits_several_orders(self, buyer: int) -> None:
        contact = self.buyers[buyer % 3]
        orders_ = locks.lock_orders(Order.objects.filter(contact=contact))
        proofs.receive_proof(
            order_states.build_proof_source(arrived_at=self.now),
            order=None,
            contact_id=contact.pk,
            by=build_chat_actor(),
            now=self.now,
            candidates=orders_,
            unplaced_reason=UnplacedReason.SEVERAL_ORDERS,
        )

    @precondition(lambda self: self.list_orders())
    @rule(pick=picks)
    def lose_the_files_of_an_order(self, pick: int) -> None:
        order = self.lock_one_order(pick)
        for proof in order.proofs.filter(status=ProofStatus.FETCHING):
            proof_fetching.record_fetch_failure(proof.pk, error="gone", retry_at=None, now=self.now)
        review_clock.leave_review_if_empty(order, by=SWEEPER, now=self.now)

    @precondition(lambda self: self.list_orders())
    @rule(pick=picks)
    def ask_again(self, pick: int) -> None:
        order = self.lock_one_order(pick)
        self.attempt(
            lambda: proof_rejections.ask_for_better_proof(
                order, note="", by=build_staff_actor(), now=self.now
            )
        )

    @precondition(lambda self: self.list_orders())
    @rule(pick=picks, buyer=picks, dismissed=st.booleans())
    def decide_about_orphan_proof(self, pick: int, buyer: int, dismissed: bool) -> None:
        proof = orphan_proofs.lock_pending_proof(
            order_states.receive_orphan_proof(self.buyers[buyer % 3], arrived_at=self.now).pk,
            order_id=None,
        )
        if dismissed:
            orphan_proofs.dismiss_proof(
                proof, order=None, note="", by=build_staff_actor(), now=self.now
            )
        else:
            proofs.assign_proofs(
                [proof], order=self.lock_one_order(pick), by=build_staff_actor(), now=self.now
            )

    @precondition(lambda self: self.list_pending_proofs())
    @rule(proof=picks, pick=picks)
    def move_proof(self, proof: int, pick: int) -> None:
        pending = self.list_pending_proofs()
        moved = pending[proof % len(pending)]
        assert moved.order_id is not None
        target = self.lock_one_order(pick)
        source = locks.lock_order(moved.order_id)
        self.attempt(
            lambda: proof_moves.move_proof(
                moved, source=source, target=target, by=build_staff_actor(), now=self.now
            )
        )

    @precondition(lambda self: self.list_pending_proofs())
    @rule(proof=picks, refunded=st.booleans())
    def settle_second_proof(self, proof: int, refunded: bool) -> None:
        pending = self.list_pending_proofs()
        settled = pending[proof % len(pending)]
        assert settled.order_id is not None
        decision: dict[str, Any] = {
            "order": locks.lock_order(settled.order_id),
            "note": "sent back",
            "by": build_staff_actor(),
            "now": self.now,
        }
        if refunded:
            self.attempt(
                lambda: orphan_proofs.refund_second_payment(settled, amount=None, **decision)
            )
        else:
            self.attempt(lambda: orphan_proofs.dismiss_proof(settled, **decision))

    @rule(minutes=st.sampled_from([1, 10, 31, 33, 45]))
    def let_time_pass(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def sweep(self) -> None:
        for order_id, _ in order_queries.list_orders_to_expire(now=self.now, limit=100):
            assert orders.expire(locks.lock_order(order_id), now=self.now)
        assert order_queries.list_orders_to_expire(now=self.now, limit=100) == []

    @invariant()
    def the_stock_adds_up(self) -> None:
        if not self.buyers:
            return
        assert inventory.find_inventory_problems() == []
        counts = availability.count_tickets(self.raffle.pk)
        assert (counts.total, counts.sold) == (NUMBERS, len(self.sold))
        assert counts.available == count_free_tickets(self.raffle)

    @invariant()
    def a_buyer_has_one_draft_at_most(self) -> None:
        for buyer in self.buyers:
            drafts = Order.objects.filter(contact=buyer, status=OrderStatus.DRAFT)
            assert drafts.count() <= 1

    @invariant()
    def the_history_ends_where_the_order_is(self) -> None:
        for order in self.list_orders():
            last = order.events.order_by("-id").first()
            assert last is not None
            assert last.to_status == order.status

    @invariant()
    def only_who_ended_waits_for_a_decision_and_only_who_is_reviewed_is_asked_again(self) -> None:
        for order in self.list_orders():
            assert not order.needs_decision or order.status not in Order.HOLDING
            assert not order.asked_again_at or order.under_review
            assert not order.under_review or order.status == OrderStatus.PENDING_PAYMENT

    @invariant()
    def no_clock_stands_still_for_a_proof_that_nobody_can_see(self) -> None:
        for order in self.list_orders():
            assert not order.under_review or review_clock.has_pending_proof(order)

    @invariant()
    def no_clock_is_extended_twice(self) -> None:
        for order in self.list_orders():
            assert order_states.list_actions(order).count(OrderAction.TIME_EXTENDED) <= 1

    def note_if_sold(self, outcome: object) -> None:
        if isinstance(outcome, Settled):
            numbers = order_states.reload_order(outcome.order).list_ticket_numbers()
            assert not set(numbers) & set(self.sold), "sold twice"
            self.sold |= dict.fromkeys(numbers, outcome.order.pk)

    def attempt(self, act: Any) -> Any:
        """Call `act`; a refusal must leave the database unchanged."""
        before = take_snapshot()
        try:
            return act()
        except DomainError:
            assert take_snapshot() == before, "a refusal has written something"
            return None

    def list_orders(self) -> list[Order]:
        return list(Order.objects.order_by("id"))

    def list_drafts(self) -> list[Order]:
        return [order for order in self.list_orders() if order.status == OrderStatus.DRAFT]

    def list_pending_proofs(self) -> list[PaymentProof]:
        pending = PaymentProof.objects.filter(verdict=Verdict.PENDING, order__isnull=False)
        return list(pending.order_by("id"))

    def list_undecided_orders(self) -> list[Order]:
        return [order for order in self.list_orders() if order.needs_decision]

    def lock_one_order(self, pick: int, *, of: list[Order] | None = None) -> Order:
        every = of or self.list_orders()
        return locks.lock_order(every[pick % len(every)].pk)


def take_snapshot() -> list[Any]:
    everything: list[Any] = [Order, TicketNumber, OrderTicket, OrderEvent, PaymentProof]
    return [list(table.objects.order_by("id").values()) for table in everything]


def count_free_tickets(raffle: Raffle) -> int:
    return raffle.numbers.filter(status=TicketStatus.AVAILABLE).count()


@pytest.mark.acceptance
@pytest.mark.django_db
@pytest.mark.timeout(600)
def test_adds_up_after_any_story(vendor: str) -> None:
    run_state_machine_as_test(
        RaffleMachine,
        settings=settings(
            max_examples=STORIES[vendor],
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
