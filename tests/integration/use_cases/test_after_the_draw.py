"""Tests of receipts and verdicts around the draw, and of raffles that cost nothing."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.conversation import effects
from shared.conversation.conversation_events import EffectRefused, OrderPlaced
from shared.conversation.values import Effect, KeepProof, PlaceOrder
from shared.core.enums import DrawMethod, OrderAction, OrderStatus, RaffleStatus, RejectReason
from shared.core.errors import DomainError
from shared.raffles.errors import (
    DrawTimeReached,
    NoteTooLong,
    RaffleNotSelling,
    RejectionNoteMissing,
)
from shared.raffles.models import LedgerEntry, Order, PaymentProof, Raffle
from shared.raffles.results import NeedsDecision, ProofKept, ProofLate, Settled
from shared.use_cases import late_payments, order_endings, orphan_proofs, payments
from shared.whatsapp.models import InboundMessage
from tests import builders
from tests.builders import MINUTE, NOON, PHONE_NUMBER_ID, build_staff_actor, build_token_actor
from tests.integration.raffles import order_states

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("check_inventory_after")]

DRAW = NOON + 20 * MINUTE
BEFORE = DRAW - MINUTE
AFTER = DRAW + MINUTE
BY_STAFF: dict[str, Any] = {"by": build_staff_actor(), "now": AFTER}
LIVE_ORDER_BUILDERS = [order_states.create_held_order, order_states.create_placed_order]
TOO_LONG = "x" * 100_000


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle(numbers=12, draw_at=DRAW, sales_close_at=DRAW)


def write(order: Order, effect: Effect, *, sent_at: datetime, now: datetime = AFTER) -> Any:
    """Carry out what the order's buyer asks for in a message."""
    assert order.contact is not None
    message = InboundMessage(
        phone_number_id=PHONE_NUMBER_ID,
        wa_message_id=f"wamid.after{PaymentProof.objects.count()}",
        payload={"type": "image", "image": {"id": "media", "mime_type": "image/jpeg"}},
        sent_at=sent_at,
    )
    turn = effects.InboundTurn(order.contact, message, now, pivot=1)
    return effects.carry_out_effect(effect, turn)


def send_receipt(order: Order, *, sent_at: datetime) -> Order:
    write(order, KeepProof(order.pk), sent_at=sent_at)
    return order_states.reload_order(order)


class TestReceipt:
    @pytest.mark.parametrize("create", LIVE_ORDER_BUILDERS)
    def test_sent_in_time_and_handled_late_is_reviewed_by_a_person(
        self, raffle: Raffle, create: Any
    ) -> None:
        order = send_receipt(create(raffle), sent_at=BEFORE)

        assert order.under_review
        with pytest.raises(DrawTimeReached):
            payments.confirm_payment(order.pk, by=build_token_actor(), now=AFTER)
        assert isinstance(payments.confirm_payment(order.pk, **BY_STAFF), Settled)

    @pytest.mark.parametrize("create", LIVE_ORDER_BUILDERS)
    @pytest.mark.parametrize("sent_at", [DRAW, AFTER])
    def test_sent_after_the_draw_ends_the_order_and_is_flagged_for_a_refund(
        self, raffle: Raffle, create: Any, sent_at: datetime
    ) -> None:
        order = send_receipt(create(raffle), sent_at=sent_at)

        assert (order.status, order.needs_decision) == (OrderStatus.EXPIRED, True)
        with pytest.raises(DrawTimeReached):
            late_payments.take_back_numbers(order.pk, **BY_STAFF)

    def test_of_an_expired_order_takes_nothing_back_after_the_draw(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)
        order_endings.expire_due_orders(now=DRAW + 5 * MINUTE)

        order = send_receipt(order, sent_at=BEFORE)

        assert (order.status, order.needs_decision) == (OrderStatus.EXPIRED, True)

    def test_further_one_after_the_draw_leaves_the_review_as_it_is(self, raffle: Raffle) -> None:
        order = send_receipt(order_states.create_order_under_review(raffle), sent_at=AFTER)

        assert isinstance(payments.confirm_payment(order.pk, **BY_STAFF), Settled)

    @pytest.mark.parametrize(("sent_at", "outcome"), [(BEFORE, ProofKept), (AFTER, ProofLate)])
    def test_attached_by_staff_counts_from_when_it_was_sent(
        self, raffle: Raffle, sent_at: datetime, outcome: type[object]
    ) -> None:
        order = order_states.create_placed_order(raffle)
        orphan = order_states.receive_orphan_proof(order.contact, arrived_at=sent_at)

        attached = orphan_proofs.attach_proof(orphan.pk, order_id=order.pk, **BY_STAFF)

        assert isinstance(attached, outcome)

    def test_makes_no_new_order_after_the_draw(self, raffle: Raffle) -> None:
        orphan = order_states.receive_orphan_proof(arrived_at=BEFORE)

        with pytest.raises(RaffleNotSelling):
            orphan_proofs.create_order_from_proof(
                orphan.pk, raffle_id=raffle.pk, numbers=None, quantity=1, pivot=1, **BY_STAFF
            )


class TestConfirmation:
    @pytest.mark.parametrize("method", list(DrawMethod))
    def test_of_what_was_proven_in_time_depends_on_how_the_raffle_is_drawn(
        self, raffle: Raffle, method: DrawMethod
    ) -> None:
        Raffle.objects.filter(pk=raffle.pk).update(draw_method=method)
        order = send_receipt(order_states.create_placed_order(raffle), sent_at=BEFORE)

        outcome = payments.confirm_payment(order.pk, **BY_STAFF)

        order = order_states.reload_order(order)
        if method is DrawMethod.RECORDED_DRUM:
            assert isinstance(outcome, Settled)
            assert order.status == OrderStatus.PAID
            return
        assert isinstance(outcome, NeedsDecision), "whoever knows the values would pick the winner"
        assert (order.status, order.needs_decision) == (OrderStatus.EXPIRED, True)

    def test_of_the_second_order_after_the_draw_is_not_possible_with_default_rules(
        self, raffle: Raffle
    ) -> None:
        order_states.create_paid_order(raffle, numbers=[1])
        order = order_states.create_order_under_review(raffle, numbers=[2])

        assert isinstance(payments.confirm_payment(order.pk, **BY_STAFF), NeedsDecision)

    def test_of_an_order_without_a_proof_is_refused_after_the_draw(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)

        with pytest.raises(DrawTimeReached):
            payments.confirm_payment(order.pk, **BY_STAFF)

    def test_of_an_expired_order_is_flagged_after_the_draw(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)
        order_endings.expire_due_orders(now=DRAW + 5 * MINUTE)

        outcome = payments.confirm_payment(order.pk, **BY_STAFF)

        assert isinstance(outcome, NeedsDecision)
        assert order_states.reload_order(order).needs_decision

    def test_by_the_buyer_is_refused_even_if_it_was_sent_in_time(self, raffle: Raffle) -> None:
        order = order_states.create_held_order(raffle)

        outcome = write(order, PlaceOrder(order.pk), sent_at=BEFORE)

        assert isinstance(outcome, EffectRefused)
        assert outcome.code == "draw_time_reached"


class TestRejection:
    @pytest.mark.parametrize(
        ("now", "status"), [(BEFORE, OrderStatus.PENDING_PAYMENT), (DRAW, OrderStatus.CANCELLED)]
    )
    def test_ends_the_order_once_the_draw_has_come(
        self, raffle: Raffle, now: datetime, status: OrderStatus
    ) -> None:
        order = order_states.create_order_under_review(raffle)

        payments.reject_payment(
            order.pk, reason=RejectReason.ILLEGIBLE, note="", by=build_staff_actor(), now=now
        )

        order = order_states.reload_order(order)
        assert (order.status, order.needs_decision) == (status, False)
        assert order.expires_at == (DRAW if status == OrderStatus.PENDING_PAYMENT else None)
        assert order_states.list_actions(order)[-1] == OrderAction.PROOF_REJECTED


class TestNotes:
    @pytest.mark.parametrize(
        ("note", "error"), [(TOO_LONG, NoteTooLong), (" ", RejectionNoteMissing)]
    )
    def test_of_a_rejection(self, raffle: Raffle, note: str, error: type[DomainError]) -> None:
        order = order_states.create_order_under_review(raffle)

        with pytest.raises(error):
            payments.reject_payment(order.pk, reason=RejectReason.OTHER, note=note, **BY_STAFF)

    def test_of_the_other_decisions(self, raffle: Raffle) -> None:
        order = order_states.create_order_under_review(raffle)
        late = order_states.create_late_order(raffle, numbers=[7, 8])

        with pytest.raises(NoteTooLong):
            payments.ask_for_better_proof(order.pk, note=TOO_LONG, **BY_STAFF)
        with pytest.raises(NoteTooLong):
            payments.confirm_payment(order.pk, reason=TOO_LONG, **BY_STAFF)
        with pytest.raises(NoteTooLong):
            order_endings.cancel_order(order.pk, reason=TOO_LONG, **BY_STAFF)
        with pytest.raises(NoteTooLong):
            late_payments.note_refund(late.pk, note=TOO_LONG, **BY_STAFF)
        with pytest.raises(NoteTooLong):
            late_payments.take_back_numbers(
                late.pk, reason=TOO_LONG, by=build_staff_actor(), now=BEFORE
            )

    def test_of_a_dismissed_proof(self) -> None:
        orphan = order_states.receive_orphan_proof()

        with pytest.raises(NoteTooLong):
            orphan_proofs.dismiss_proof(orphan.pk, note=TOO_LONG, tell_buyer=True, **BY_STAFF)


class TestFreeRaffle:
    @pytest.fixture
    def raffle(self) -> Raffle:
        return builders.create_raffle(
            numbers=12, price=Decimal(0), draw_at=DRAW, sales_close_at=DRAW
        )

    def test_sells_with_the_buyers_confirmation(self, raffle: Raffle) -> None:
        order = order_states.create_held_order(raffle)

        outcome = write(order, PlaceOrder(order.pk), sent_at=NOON, now=NOON)

        order = order_states.reload_order(order)
        assert isinstance(outcome, OrderPlaced)
        assert (order.status, order.expires_at, order.under_review) == ("PAID", None, False)
        assert LedgerEntry.objects.get(order=order).amount == 0

    def test_a_picture_sells_a_hold_before_the_draw(self, raffle: Raffle) -> None:
        order = order_states.create_held_order(raffle)

        write(order, KeepProof(order.pk), sent_at=NOON, now=NOON)

        assert order_states.reload_order(order).status == OrderStatus.PAID

    def test_a_picture_sells_nothing_by_itself_after_the_draw(self, raffle: Raffle) -> None:
        order = send_receipt(order_states.create_held_order(raffle), sent_at=BEFORE)

        assert (order.status, order.under_review) == (OrderStatus.PENDING_PAYMENT, True)

    @pytest.mark.parametrize("status", [RaffleStatus.PAUSED, RaffleStatus.CLOSED])
    def test_sells_what_was_held_when_the_sale_ended(
        self, raffle: Raffle, status: RaffleStatus
    ) -> None:
        order = order_states.create_held_order(raffle)
        Raffle.objects.filter(pk=raffle.pk).update(status=status)

        write(order, PlaceOrder(order.pk), sent_at=NOON, now=NOON)

        assert order_states.reload_order(order).status == OrderStatus.PAID
