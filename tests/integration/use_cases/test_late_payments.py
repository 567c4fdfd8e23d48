"""Tests of late payments: other numbers or a refund, once, with a message to the buyer."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

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
from shared.raffles.errors import (
    DecisionMade,
    NumbersTaken,
    NumbersUnknown,
    OrderEnded,
    QuantityOutOfBounds,
    RaffleDrawn,
    TooFewLeft,
)
from shared.raffles.models import Order, OrderEvent, OrderTicket, Raffle
from shared.raffles.proof_errors import ProofUnseen
from shared.raffles.results import NeedsDecision, Settled
from shared.use_cases import late_payments, order_endings, payments
from shared.whatsapp.models import OutboundMessage
from tests import builders
from tests.builders import NOON, build_staff_actor
from tests.integration.conversation import chat
from tests.integration.raffles import order_states

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("check_inventory_after")]

LATER = NOON + timedelta(hours=3)


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle(numbers=12)


@pytest.fixture
def late_order(raffle: Raffle) -> Order:
    """Create an order of 1, 2 and 3 that was paid after somebody else took 1."""
    return order_states.create_late_order(raffle)


def replace(order: Order, *numbers: int, seen: list[int] | None = None) -> Settled:
    return late_payments.replace_numbers(
        order.pk,
        numbers=numbers or None,
        pivot=order_states.PIVOT,
        by=build_staff_actor(),
        now=LATER,
        seen_proofs=seen,
    )


def refund(order: Order, *, seen: list[int] | None = None) -> Order:
    return late_payments.note_refund(
        order.pk, note="By bank transfer.", by=build_staff_actor(), now=LATER, seen_proofs=seen
    )


def load_last_message(order: Order) -> OutboundMessage:
    message = OutboundMessage.objects.filter(contact=order.contact).order_by("pk").last()
    assert message is not None
    return message


class TestReplaceNumbers:
    def test_sells_the_new_numbers_at_the_frozen_price(
        self, raffle: Raffle, late_order: Order
    ) -> None:
        Raffle.objects.filter(pk=raffle.pk).update(price=99)

        outcome = replace(late_order, 7, 8, 9)

        assert outcome == Settled(outcome.order, late=True)
        order = order_states.reload_order(late_order)
        assert (order.status, order.list_ticket_numbers(), order.total) == (
            "PAID",
            [7, 8, 9],
            Decimal(15),
        )
        assert not order.needs_decision
        assert order_states.list_ticket_statuses(raffle, 7, 8, 9) == ["SOLD"] * 3
        assert order_states.list_actions(order)[-2:] == ["NUMBERS_REPLACED", "PAID"]
        assert {proof.verdict for proof in order.proofs.all()} == {Verdict.ACCEPTED}

    def test_keeps_the_old_numbers_in_the_history(self, late_order: Order) -> None:
        replace(late_order, 7, 8, 9)

        event = OrderEvent.objects.get(order=late_order, action=OrderAction.NUMBERS_REPLACED)
        assert (event.reason, event.actor_label) == ("01, 02, 03 → 07, 08, 09", "rita")
        old = OrderTicket.objects.filter(order=late_order, released_at__isnull=False)
        assert sorted(old.values_list("ticket__number", flat=True)) == [1, 2, 3]

    def test_tells_the_buyer_the_old_and_the_new(self, late_order: Order) -> None:
        replace(late_order, 7, 8, 9)

        message = load_last_message(late_order)
        assert (message.key, message.kind, message.about) == (
            "numbers_replaced",
            "NOTICE",
            late_order.code,
        )
        assert "01 · 02 · 03" in chat.render_body(message)
        assert "*07 · 08 · 09* are yours" in chat.render_body(message)

    def test_keeps_what_is_free_of_the_old_and_draws_the_rest(self, late_order: Order) -> None:
        replace(late_order)

        numbers = order_states.reload_order(late_order).list_ticket_numbers()
        assert len(numbers) == 3
        assert set(numbers) & {1, 2, 3} == {2, 3}

    def test_takes_all_the_old_ones_once_they_are_free_again(
        self, raffle: Raffle, late_order: Order
    ) -> None:
        other = Order.objects.get(raffle=raffle, status=OrderStatus.DRAFT)
        order_endings.cancel_order(other.pk, by=build_staff_actor(), now=LATER)

        replace(late_order)

        assert order_states.reload_order(late_order).list_ticket_numbers() == [1, 2, 3]
        assert load_last_message(late_order).key == "paid"

    @pytest.mark.parametrize("status", [RaffleStatus.PAUSED, RaffleStatus.CLOSED])
    def test_is_possible_while_the_raffle_sells_nothing_new(
        self, raffle: Raffle, late_order: Order, status: RaffleStatus
    ) -> None:
        Raffle.objects.filter(pk=raffle.pk).update(status=status)

        assert replace(late_order, 7, 8, 9).late

    @pytest.mark.parametrize(
        ("numbers", "refusal", "details"),
        [
            ((7, 8), QuantityOutOfBounds, {"minimum": 3, "maximum": 3}),
            ((1, 7, 8), NumbersTaken, {"taken": [1], "free": [7, 8]}),
            ((7, 8, 13), NumbersUnknown, {"unknown": [13], "first": 1, "last": 12}),
        ],
    )
    def test_refuses_numbers_that_cannot_be_had_and_writes_nothing(
        self,
        late_order: Order,
        numbers: tuple[int, ...],
        refusal: type[DomainError],
        details: dict[str, object],
    ) -> None:
        before = order_states.list_actions(late_order), OutboundMessage.objects.count()

        with pytest.raises(refusal) as refused:
            replace(late_order, *numbers)

        assert refused.value.details == details
        assert order_states.reload_order(late_order).needs_decision
        assert (order_states.list_actions(late_order), OutboundMessage.objects.count()) == before

    def test_refuses_random_numbers_where_too_few_are_left(
        self, raffle: Raffle, late_order: Order
    ) -> None:
        order_states.create_paid_order(raffle, numbers=range(4, 13))

        with pytest.raises(TooFewLeft) as refused:
            replace(late_order)

        assert refused.value.details == {"available": 2}
        assert order_states.list_ticket_statuses(raffle, 2, 3) == ["AVAILABLE"] * 2

    def test_refuses_after_the_draw(self, raffle: Raffle, late_order: Order) -> None:
        Raffle.objects.filter(pk=raffle.pk).update(status=RaffleStatus.DRAWN)

        with pytest.raises(RaffleDrawn):
            replace(late_order, 7, 8, 9)

    def test_refuses_while_a_proof_is_unseen(self, late_order: Order) -> None:
        with pytest.raises(ProofUnseen):
            replace(late_order, 7, 8, 9, seen=[])
        with pytest.raises(ProofUnseen):
            refund(late_order, seen=[])
        late_order.proofs.update(status=ProofStatus.KEPT)

        assert replace(
            late_order, 7, 8, 9, seen=[proof.pk for proof in late_order.proofs.all()]
        ).late


class TestNoteRefund:
    def test_ends_the_matter_and_tells_the_buyer_how(self, late_order: Order) -> None:
        order = refund(late_order)

        order = order_states.reload_order(order)
        assert (order.status, order.needs_decision) == (OrderStatus.EXPIRED, False)
        proof = order.proofs.get()
        assert (proof.verdict, proof.note) == (Verdict.DISMISSED, "By bank transfer.")
        assert (proof.reviewer, proof.reviewed_at) == ("rita", LATER)
        event = OrderEvent.objects.filter(order=late_order).last()
        assert event is not None
        assert (event.action, event.reason) == ("REFUND_NOTED", "By bank transfer.")
        assert load_last_message(late_order).key == "refund_noted"
        assert "$15.00 back. By bank transfer." in chat.render_body(load_last_message(late_order))

    def test_lets_nobody_sell_for_the_money_that_went_back(
        self, raffle: Raffle, late_order: Order
    ) -> None:
        refund(late_order)
        other = Order.objects.get(raffle=raffle, status=OrderStatus.DRAFT)
        order_endings.cancel_order(other.pk, by=build_staff_actor(), now=LATER)

        with pytest.raises(DecisionMade) as refused:
            payments.confirm_payment(late_order.pk, by=builders.build_token_actor(), now=LATER)

        assert refused.value.details == {"by": "rita", "at": LATER}
        assert order_states.reload_order(late_order).status == OrderStatus.EXPIRED

    def test_lets_a_new_payment_begin_anew(self, late_order: Order) -> None:
        refund(late_order)
        order_states.receive_proof(order_states.reload_order(late_order), arrived_at=LATER)

        outcome = payments.confirm_payment(late_order.pk, by=build_staff_actor(), now=LATER)

        assert isinstance(outcome, NeedsDecision)
        assert order_states.reload_order(late_order).needs_decision


class TestTheSecondDecision:
    @pytest.mark.parametrize("first", [replace, refund])
    @pytest.mark.parametrize("second", [replace, refund])
    def test_is_refused_with_who_was_faster(
        self,
        late_order: Order,
        first: Callable[[Order], object],
        second: Callable[[Order], object],
    ) -> None:
        first(late_order)
        before = order_states.list_actions(late_order), OutboundMessage.objects.count()

        with pytest.raises(DecisionMade) as refused:
            second(late_order)

        assert refused.value.details == {"by": "rita", "at": LATER}
        assert (order_states.list_actions(late_order), OutboundMessage.objects.count()) == before

    def test_names_nobody_where_nothing_was_to_be_decided(self, raffle: Raffle) -> None:
        order = order_states.reject_proofs(order_states.create_order_under_review(raffle))

        with pytest.raises(DecisionMade) as refused:
            refund(order)

        assert refused.value.details == {"by": None, "at": None}

    def test_of_rejecting_says_who_noted_the_refund(self, late_order: Order) -> None:
        refund(late_order)

        with pytest.raises(OrderEnded) as refused:
            payments.reject_payment(
                late_order.pk,
                reason=RejectReason.REPEATED,
                note="",
                by=builders.build_token_actor(),
                now=LATER,
            )

        assert refused.value.details == {"status": "EXPIRED", "by": "rita", "at": LATER}
