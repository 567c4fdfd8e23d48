"""Tests of an order's life: held, placed, paid, cancelled, expired or paid too late."""

from collections.abc import Callable

import pytest

from shared.core.enums import (
    OrderAction,
    OrderStatus,
    ProofStatus,
    RaffleStatus,
    RejectReason,
    Verdict,
)
from shared.core.errors import DomainError
from shared.core.statements.row_count import WrongRowCount
from shared.raffles.actor import Actor
from shared.raffles.errors import (
    NothingToReview,
    OrderAlreadyPaid,
    OrderEnded,
    OrderExpired,
    OrderNotDraft,
    OrderNotFound,
    OrderNotPlaced,
    RaffleDrawn,
    RejectionNoteMissing,
    TransitionNotAllowed,
)
from shared.raffles.models import Order, OrderEvent, PaymentProof, Raffle
from shared.raffles.proof_errors import ProofUnseen
from shared.raffles.results import AlreadySettled, NeedsDecision, Settled
from shared.raffles.services import history, locks, orders, tickets
from shared.raffles.services.payment_decisions import payments, proof_rejections
from shared.raffles.services.payment_proofs import proof_fetching
from shared.raffles.services.queries import order_queries
from shared.raffles.services.ticket_numbers import inventory
from shared.raffles.transitions import ORDER_TRANSITIONS
from tests import builders
from tests.builders import MINUTE, NOON, build_chat_actor, build_staff_actor, build_token_actor
from tests.cases import walk_cases
from tests.integration.raffles import order_states
from tests.integration.raffles.order_states import AFTER_THE_DEADLINE

pytestmark = pytest.mark.django_db

ENDED = [order_states.create_expired_order, order_states.create_cancelled_order]


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle(numbers=20)


class TestFind:
    def test_knows_an_order_by_id_and_by_code_in_any_spelling(self, raffle: Raffle) -> None:
        order = order_states.create_held_order(raffle)
        assert order.code is not None

        for reference in (str(order.pk), f"#{order.pk}", order.code, order.code[2:].lower()):
            assert order_queries.find_order(reference) == order.pk

    @pytest.mark.parametrize(
        "reference", ["", "R-ZZZZZ", "999999", "9" * 30, "9" * 5000, "-1", "1.0", "R-7K3F9'--"]
    )
    def test_says_so_when_there_is_none(self, reference: str) -> None:
        with pytest.raises(OrderNotFound):
            order_queries.find_order(reference)


class TestLock:
    def test_says_so_when_there_is_no_such_order(self) -> None:
        with pytest.raises(OrderNotFound):
            locks.lock_order_with_contacts(0)
        with pytest.raises(OrderNotFound):
            locks.lock_order(0)


class TestPlace:
    def test_starts_the_clock_anew(self, raffle: Raffle) -> None:
        order = order_states.create_held_order(raffle)
        later = NOON + 5 * MINUTE

        orders.place(order, at=later, now=later, by=build_chat_actor())

        order = order_states.reload_order(order)
        assert order.status == OrderStatus.PENDING_PAYMENT
        assert order.placed_at == later
        assert order.expires_at == later + 30 * MINUTE
        assert order_states.list_actions(order) == ["HELD", "PLACED"]

    def test_judges_the_deadline_by_the_message_with_a_short_grace(self, raffle: Raffle) -> None:
        order = order_states.create_held_order(raffle)

        orders.place(order, at=NOON + 32 * MINUTE, now=NOON + 60 * MINUTE, by=build_chat_actor())

        assert order.expires_at == NOON + 90 * MINUTE

    def test_refuses_a_confirmation_after_the_grace(self, raffle: Raffle) -> None:
        order = order_states.create_held_order(raffle)

        with pytest.raises(OrderExpired):
            orders.place(
                order, at=AFTER_THE_DEADLINE, now=AFTER_THE_DEADLINE, by=build_chat_actor()
            )

        assert order_states.reload_order(order).status == OrderStatus.DRAFT

    @pytest.mark.parametrize(
        ("status", "refusal"),
        [
            (OrderStatus.EXPIRED, OrderExpired),
            (OrderStatus.PENDING_PAYMENT, OrderNotDraft),
            (OrderStatus.PAID, OrderNotDraft),
            (OrderStatus.CANCELLED, OrderNotDraft),
        ],
    )
    def test_refuses_what_is_no_draft(
        self, raffle: Raffle, status: OrderStatus, refusal: type[Exception]
    ) -> None:
        order = order_states.create_order_in_status(raffle, status)

        with pytest.raises(refusal):
            orders.place(order, at=NOON, now=NOON, by=build_chat_actor())

    def test_refuses_after_the_draw(self, raffle: Raffle) -> None:
        order = order_states.create_held_order(raffle)
        mark_drawn(order)

        with pytest.raises(RaffleDrawn):
            orders.place(order, at=NOON, now=NOON, by=build_chat_actor())


class TestCancel:
    @pytest.mark.parametrize(
        "make",
        [
            order_states.create_held_order,
            order_states.create_placed_order,
            order_states.create_order_under_review,
        ],
    )
    def test_gives_the_numbers_back(self, raffle: Raffle, make: Callable[[Raffle], Order]) -> None:
        order = make(raffle)

        orders.cancel(order, by=build_staff_actor(), now=NOON, reason="asked by phone")

        order = order_states.reload_order(order)
        assert (order.status, order.closed_at) == (OrderStatus.CANCELLED, NOON)
        assert not order.under_review
        assert order_states.list_ticket_statuses(raffle, 1, 2, 3) == ["AVAILABLE"] * 3
        assert order.list_ticket_numbers() == [1, 2, 3]
        event = history.find_last_event(order, OrderAction.CANCELLED)
        assert event is not None
        assert (event.reason, event.actor_label) == ("asked by phone", "rita")
        assert inventory.find_inventory_problems() == []

    @pytest.mark.parametrize("by", [build_staff_actor(), build_chat_actor()])
    def test_under_review_leaves_its_payment_to_decide_about(
        self, raffle: Raffle, by: Actor
    ) -> None:
        order = order_states.create_order_under_review(raffle)

        orders.cancel(order, by=by, now=NOON)

        assert order_states.reload_order(order).needs_decision

    @pytest.mark.parametrize(
        "make", [order_states.create_held_order, order_states.create_placed_order]
    )
    def test_without_a_receipt_leaves_nothing_to_decide_about(
        self, raffle: Raffle, make: Callable[[Raffle], Order]
    ) -> None:
        order = make(raffle)

        orders.cancel(order, by=build_chat_actor(), now=NOON)

        assert not order_states.reload_order(order).needs_decision

    @pytest.mark.parametrize(
        ("status", "refusal"),
        [
            (OrderStatus.PAID, OrderAlreadyPaid),
            (OrderStatus.CANCELLED, OrderEnded),
            (OrderStatus.EXPIRED, OrderEnded),
        ],
    )
    def test_refuses_what_is_over(
        self, raffle: Raffle, status: OrderStatus, refusal: type[Exception]
    ) -> None:
        order = order_states.create_order_in_status(raffle, status)
        before = order_states.list_actions(order)

        with pytest.raises(refusal):
            orders.cancel(order, by=build_chat_actor(), now=NOON)

        assert order_states.list_actions(order) == before


class TestExpire:
    @pytest.mark.parametrize(
        "make", [order_states.create_held_order, order_states.create_placed_order]
    )
    def test_frees_the_numbers_after_deadline_and_grace(
        self, raffle: Raffle, make: Callable[[Raffle], Order]
    ) -> None:
        order = make(raffle)

        assert not orders.expire(order, now=NOON + 32 * MINUTE)
        assert orders.expire(order, now=AFTER_THE_DEADLINE)

        order = order_states.reload_order(order)
        assert (order.status, order.closed_at) == (OrderStatus.EXPIRED, AFTER_THE_DEADLINE)
        assert order_states.list_ticket_statuses(raffle, 1, 2, 3) == ["AVAILABLE"] * 3
        assert order_states.list_actions(order)[-1] == "EXPIRED"
        assert inventory.find_inventory_problems() == []

    def test_leaves_an_order_under_review_alone(self, raffle: Raffle) -> None:
        order = order_states.create_order_under_review(raffle)

        assert not orders.expire(order, now=NOON + 10_000 * MINUTE)

    @pytest.mark.parametrize(
        "status", [OrderStatus.PAID, OrderStatus.CANCELLED, OrderStatus.EXPIRED]
    )
    def test_does_nothing_twice(self, raffle: Raffle, status: OrderStatus) -> None:
        order = order_states.create_order_in_status(raffle, status)

        assert not orders.expire(order, now=NOON + 10_000 * MINUTE)
        assert order_states.reload_order(order).status == status

    def test_is_due_by_the_same_rule_longest_ago_first(self, raffle: Raffle) -> None:
        later = order_states.create_placed_order(raffle, numbers=[1])
        Order.objects.filter(pk=later.pk).update(expires_at=NOON + 20 * MINUTE)
        sooner = order_states.create_held_order(raffle, numbers=[2])
        Order.objects.filter(pk=sooner.pk).update(expires_at=NOON + 10 * MINUTE)
        order_states.create_order_under_review(raffle, numbers=[3])
        order_states.create_paid_order(raffle, numbers=[4])

        due = order_queries.list_orders_to_expire(now=NOON + 22 * MINUTE + MINUTE / 60, limit=10)

        assert due == [(sooner.pk, sooner.contact_id), (later.pk, later.contact_id)]
        assert order_queries.list_orders_to_expire(now=NOON + 22 * MINUTE, limit=10) == due[:1]
        assert order_queries.list_orders_to_expire(now=NOON + 60 * MINUTE, limit=1) == due[:1]


class TestConfirm:
    def test_sells_the_numbers_and_accepts_the_proofs(self, raffle: Raffle) -> None:
        order = order_states.create_order_under_review(raffle)

        outcome = payments.confirm_payment(order, by=build_staff_actor(), now=NOON)

        assert outcome == Settled(order, late=False)
        order = order_states.reload_order(order)
        assert (order.status, order.closed_at, order.expires_at) == (OrderStatus.PAID, NOON, None)
        assert not order.under_review
        assert order_states.list_ticket_statuses(raffle, 1, 2, 3) == ["SOLD"] * 3
        proof = order.proofs.get()
        assert (proof.verdict, proof.reviewer, proof.reviewed_at) == (
            Verdict.ACCEPTED,
            "rita",
            NOON,
        )
        assert order_states.list_actions(order) == ["HELD", "PLACED", "PROOF_RECEIVED", "PAID"]
        assert inventory.find_inventory_problems() == []

    def test_needs_no_proof_where_the_money_was_seen(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)

        assert isinstance(
            payments.confirm_payment(order, by=build_token_actor(), now=NOON), Settled
        )

    def test_changes_nothing_the_second_time_and_says_who_did(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)
        payments.confirm_payment(order, by=build_staff_actor(), now=NOON)
        before = order_states.list_actions(order)

        again = payments.confirm_payment(
            locks.lock_order(order.pk), by=build_token_actor(), now=NOON + MINUTE
        )

        assert again == AlreadySettled(order, by="rita", at=NOON)
        assert order_states.list_actions(order) == before

    def test_refuses_a_hold_the_buyer_has_not_confirmed(self, raffle: Raffle) -> None:
        with pytest.raises(OrderNotPlaced):
            payments.confirm_payment(
                order_states.create_held_order(raffle), by=build_staff_actor(), now=NOON
            )

    def test_refuses_after_the_draw(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)
        mark_drawn(order)

        with pytest.raises(RaffleDrawn):
            payments.confirm_payment(order, by=build_staff_actor(), now=NOON)

    @pytest.mark.parametrize("status", [RaffleStatus.PAUSED, RaffleStatus.CLOSED])
    def test_still_sells_what_is_pending_when_the_sale_is_over(
        self, raffle: Raffle, status: RaffleStatus
    ) -> None:
        order = order_states.create_placed_order(raffle)
        order.raffle.status = status

        assert isinstance(
            payments.confirm_payment(order, by=build_staff_actor(), now=NOON), Settled
        )

    def test_refuses_while_a_proof_was_not_looked_at(self, raffle: Raffle) -> None:
        order = order_states.create_order_under_review(raffle)
        seen = order_states.keep_file(order.proofs.get())
        unseen = order_states.keep_file(order_states.receive_proof(order).proof)

        with pytest.raises(ProofUnseen) as refusal:
            payments.confirm_payment(order, by=build_staff_actor(), now=NOON, seen_proofs=[seen.pk])

        assert refusal.value.details == {"proof_ids": [unseen.pk]}
        settled = payments.confirm_payment(
            order, by=build_staff_actor(), now=NOON, seen_proofs=[seen.pk, unseen.pk]
        )
        assert isinstance(settled, Settled)

    def test_does_not_wait_for_a_proof_whose_file_could_not_be_had(self, raffle: Raffle) -> None:
        order = order_states.create_order_under_review(raffle)
        proof_fetching.record_fetch_failure(
            order.proofs.get().pk, error="gone", retry_at=None, now=NOON
        )

        payments.confirm_payment(order, by=build_staff_actor(), now=NOON, seen_proofs=[])

        failed = order.proofs.get()
        assert (failed.status, failed.verdict) == (ProofStatus.FAILED, Verdict.PENDING)

    @pytest.mark.parametrize("status", list(OrderStatus))
    def test_has_an_outcome_for_every_status(self, raffle: Raffle, status: OrderStatus) -> None:
        outcomes: dict[OrderStatus, type] = {
            OrderStatus.DRAFT: OrderNotPlaced,
            OrderStatus.PENDING_PAYMENT: Settled,
            OrderStatus.PAID: AlreadySettled,
            OrderStatus.CANCELLED: Settled,
            OrderStatus.EXPIRED: Settled,
        }
        order = order_states.create_order_in_status(raffle, status)

        try:
            outcome: object = payments.confirm_payment(order, by=build_staff_actor(), now=NOON)
        except DomainError as refusal:
            outcome = refusal

        assert type(outcome) is outcomes[status]


class TestConfirmLate:
    @pytest.mark.parametrize("make", ENDED)
    def test_takes_the_numbers_back_when_all_are_free(
        self, raffle: Raffle, make: Callable[[Raffle], Order]
    ) -> None:
        order = make(raffle)

        outcome = payments.confirm_payment(order, by=build_staff_actor(), now=AFTER_THE_DEADLINE)

        assert outcome == Settled(order, late=True)
        order = order_states.reload_order(order)
        assert order.status == OrderStatus.PAID
        assert order.list_ticket_numbers() == [1, 2, 3]
        assert order_states.list_ticket_statuses(raffle, 1, 2, 3) == ["SOLD"] * 3
        assert order_states.list_actions(order)[-2:] == ["NUMBERS_TAKEN_BACK", "PAID"]
        assert inventory.find_inventory_problems() == []

    @pytest.mark.parametrize("make", ENDED)
    def test_sells_nothing_when_a_number_is_gone_and_asks_for_a_decision(
        self, raffle: Raffle, make: Callable[[Raffle], Order]
    ) -> None:
        order = make(raffle)
        order_states.create_held_order(raffle, numbers=[2])

        outcome = payments.confirm_payment(order, by=build_staff_actor(), now=AFTER_THE_DEADLINE)

        assert outcome == NeedsDecision(order, taken=(2,), free=(1, 3))
        order = order_states.reload_order(order)
        assert order.needs_decision
        assert order.status not in Order.HOLDING
        assert order_states.list_ticket_statuses(raffle, 1, 2, 3) == [
            "AVAILABLE",
            "RESERVED",
            "AVAILABLE",
        ]
        assert order_states.list_actions(order)[-1] == "LATE_PAYMENT"
        assert inventory.find_inventory_problems() == []

    def test_flags_it_once(self, raffle: Raffle) -> None:
        order = order_states.create_expired_order(raffle)
        order_states.create_held_order(raffle, numbers=[2])

        first = payments.confirm_payment(order, by=build_staff_actor(), now=AFTER_THE_DEADLINE)
        second = payments.confirm_payment(order, by=build_staff_actor(), now=AFTER_THE_DEADLINE)

        assert first == second
        assert order_states.list_actions(order).count("LATE_PAYMENT") == 1

    def test_sells_after_all_once_the_numbers_are_free_again(self, raffle: Raffle) -> None:
        order = order_states.create_expired_order(raffle)
        other = order_states.create_held_order(raffle, numbers=[2])
        payments.confirm_payment(order, by=build_staff_actor(), now=AFTER_THE_DEADLINE)
        orders.cancel(other, by=build_chat_actor(), now=AFTER_THE_DEADLINE)

        outcome = payments.confirm_payment(order, by=build_staff_actor(), now=AFTER_THE_DEADLINE)

        assert outcome == Settled(order, late=True)
        assert not order_states.reload_order(order).needs_decision

    def test_sells_nothing_after_the_draw_and_asks_for_a_decision(self, raffle: Raffle) -> None:
        order = order_states.create_expired_order(raffle)
        mark_drawn(order)

        outcome = payments.confirm_payment(order, by=build_staff_actor(), now=AFTER_THE_DEADLINE)

        assert outcome == NeedsDecision(order, taken=(), free=(1, 2, 3))
        assert order_states.list_ticket_statuses(raffle, 1, 2, 3) == ["AVAILABLE"] * 3

    def test_takes_only_its_last_numbers_back_however_often_it_ended(self, raffle: Raffle) -> None:
        order = order_states.create_expired_order(raffle)
        order_states.receive_proof(order)
        orders.cancel(order, by=build_staff_actor(), now=AFTER_THE_DEADLINE)

        payments.confirm_payment(order, by=build_staff_actor(), now=AFTER_THE_DEADLINE)

        assert order_states.reload_order(order).list_ticket_numbers() == [1, 2, 3]
        assert inventory.find_inventory_problems() == []


class TestReject:
    def test_starts_the_clock_anew_and_says_why(self, raffle: Raffle) -> None:
        order = order_states.create_order_under_review(raffle)
        later = NOON + 100 * MINUTE

        proof_rejections.reject_proofs(
            order,
            reason=RejectReason.WRONG_AMOUNT,
            note="3 USD missing",
            by=build_staff_actor(),
            now=later,
        )

        order = order_states.reload_order(order)
        assert order.status == OrderStatus.PENDING_PAYMENT
        assert not order.under_review
        assert order.expires_at == later + 30 * MINUTE
        proof = order.proofs.get()
        assert (proof.verdict, proof.reject_reason) == (Verdict.REJECTED, "WRONG_AMOUNT")
        event = history.find_last_event(order, OrderAction.PROOF_REJECTED)
        assert event is not None
        assert event.reason == "Wrong amount: 3 USD missing"
        assert orders.expire(order, now=later + 33 * MINUTE)

    def test_judges_a_proof_whose_file_could_not_be_had_too(self, raffle: Raffle) -> None:
        order = order_states.create_order_under_review(raffle)
        proof_fetching.record_fetch_failure(
            order.proofs.get().pk, error="gone", retry_at=None, now=NOON
        )

        order_states.reject_proofs(order)

        assert order.proofs.get().verdict == Verdict.REJECTED
        assert not order.under_review

    def test_leaves_earlier_verdicts_alone(self, raffle: Raffle) -> None:
        order = order_states.reject_proofs(order_states.create_order_under_review(raffle))
        order_states.receive_proof(order)

        payments.confirm_payment(order, by=build_staff_actor(), now=NOON)

        assert [proof.verdict for proof in order.proofs.all()] == ["REJECTED", "ACCEPTED"]

    def test_refuses_while_a_proof_was_not_looked_at(self, raffle: Raffle) -> None:
        order = order_states.create_order_under_review(raffle)

        with pytest.raises(ProofUnseen):
            proof_rejections.reject_proofs(
                order,
                reason=RejectReason.REPEATED,
                note="",
                by=build_staff_actor(),
                now=NOON,
                seen_proofs=[],
            )

    @pytest.mark.parametrize("note", ["", "  "])
    def test_wants_a_note_for_a_reason_that_is_not_listed(self, raffle: Raffle, note: str) -> None:
        order = order_states.create_order_under_review(raffle)

        with pytest.raises(RejectionNoteMissing):
            proof_rejections.reject_proofs(
                order, reason=RejectReason.OTHER, note=note, by=build_staff_actor(), now=NOON
            )

        assert order.proofs.get().verdict == Verdict.PENDING

    @pytest.mark.parametrize(
        ("status", "refusal"),
        [
            (OrderStatus.DRAFT, NothingToReview),
            (OrderStatus.PENDING_PAYMENT, NothingToReview),
            (OrderStatus.PAID, OrderAlreadyPaid),
            (OrderStatus.CANCELLED, OrderEnded),
            (OrderStatus.EXPIRED, OrderEnded),
        ],
    )
    def test_refuses_where_nothing_waits(
        self, raffle: Raffle, status: OrderStatus, refusal: type[Exception]
    ) -> None:
        with pytest.raises(refusal):
            order_states.reject_proofs(order_states.create_order_in_status(raffle, status))

    def test_decides_a_late_payment_and_leaves_the_order_ended(self, raffle: Raffle) -> None:
        order = order_states.create_expired_order(raffle)
        order_states.create_held_order(raffle, numbers=[2])
        late = order_states.receive_proof(order)

        order_states.reject_proofs(order)

        order = order_states.reload_order(order)
        assert (order.status, order.needs_decision) == (OrderStatus.EXPIRED, False)
        assert PaymentProof.objects.get(pk=late.proof.pk).verdict == Verdict.REJECTED
        assert inventory.find_inventory_problems() == []


class TestHistory:
    def test_tells_who_did_what_when_from_where_to_where(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)

        payments.confirm_payment(order, by=build_token_actor(), now=NOON + MINUTE)

        entries = OrderEvent.objects.filter(order=order).values_list(
            "action", "from_status", "to_status", "actor_kind", "actor_id", "actor_label", "at"
        )
        assert list(entries) == [
            ("HELD", "", "DRAFT", "CHAT", "1", "Buyer", NOON),
            ("PLACED", "DRAFT", "PENDING_PAYMENT", "CHAT", "1", "Buyer", NOON),
            ("PAID", "PENDING_PAYMENT", "PAID", "TOKEN", "3", "n8n", NOON + MINUTE),
        ]

    @walk_cases("current", OrderStatus)
    @walk_cases("wanted", OrderStatus)
    def test_moves_along_the_table_only(self, current: OrderStatus, wanted: OrderStatus) -> None:
        raffle = builders.create_raffle(numbers=20)
        order = order_states.create_order_in_status(raffle, current)
        if wanted in ORDER_TRANSITIONS[current]:
            change_status(order, to=wanted)
            assert order_states.reload_order(order).status == wanted
            return

        with pytest.raises(TransitionNotAllowed):
            change_status(order, to=wanted)
        assert order_states.reload_order(order).status == current

    def test_notices_that_the_order_changed_under_its_hands(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)
        Order.objects.filter(pk=order.pk).update(status=OrderStatus.CANCELLED)

        with pytest.raises(WrongRowCount):
            change_status(order, to=OrderStatus.PAID)


class TestTickets:
    def test_notice_that_an_order_does_not_hold_what_it_should(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)
        order.order_tickets.filter(ticket__number=2).update(released_at=NOON)

        with pytest.raises(WrongRowCount):
            payments.confirm_payment(order, by=build_staff_actor(), now=NOON)
        with pytest.raises(WrongRowCount):
            orders.cancel(order, by=build_staff_actor(), now=NOON)

    def test_notice_that_a_number_is_not_in_the_status_it_should_be(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)
        raffle.numbers.filter(number=2).update(status="AVAILABLE")

        with pytest.raises(WrongRowCount):
            tickets.sell_order_tickets(order)


def mark_drawn(order: Order) -> None:
    order.raffle.status = RaffleStatus.DRAWN
    order.raffle.save()


def change_status(order: Order, *, to: OrderStatus) -> None:
    changes = {"expires_at": NOON} if to in Order.LIVE else {}
    history.change_order_status(
        order,
        to=to,
        action=OrderAction.CANCELLED,
        by=build_staff_actor(),
        now=NOON,
        changes=changes,
    )
