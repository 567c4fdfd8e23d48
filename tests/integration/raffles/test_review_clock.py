"""Tests of the clock of orders whose payment proofs leave them."""

from collections.abc import Callable

import pytest

from shared.core.enums import OrderAction, OrderStatus, ProofStatus, RaffleStatus, Verdict
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.services import orders
from shared.raffles.services.payment_proofs import review_clock
from shared.raffles.services.ticket_numbers import inventory
from tests import builders
from tests.builders import MINUTE, NOON
from tests.integration.raffles import order_states

pytestmark = pytest.mark.django_db


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle(numbers=20)


def leave_review(order: Order) -> bool:
    return review_clock.leave_review_if_empty(order, by=builders.build_staff_actor(), now=NOON)


class TestLeaveReview:
    def test_starts_the_time_to_pay_again_when_the_last_proof_has_left(
        self, raffle: Raffle
    ) -> None:
        order = order_states.create_order_under_review(raffle)
        order.proofs.update(order=None)

        assert leave_review(order)

        order = order_states.reload_order(order)
        assert (order.status, order.under_review) == (OrderStatus.PENDING_PAYMENT, False)
        assert order.expires_at == NOON + raffle.hold_minutes * MINUTE
        assert order_states.list_actions(order)[-1] == OrderAction.REVIEW_ENDED
        assert orders.expire(order, now=order_states.AFTER_THE_DEADLINE)
        assert inventory.find_inventory_problems() == []

    def test_does_not_count_a_proof_that_cannot_be_opened(self, raffle: Raffle) -> None:
        order = order_states.create_order_under_review(raffle)
        order.proofs.update(status=ProofStatus.FAILED)

        assert leave_review(order)

    def test_does_not_happen_while_a_proof_is_pending(self, raffle: Raffle) -> None:
        order = order_states.create_order_under_review(raffle)
        order_states.receive_proof(order)
        first = order.proofs.earliest("pk")
        PaymentProof.objects.filter(pk=first.pk).update(verdict=Verdict.DISMISSED)

        assert not leave_review(order)
        assert order_states.reload_order(order).under_review

    @pytest.mark.parametrize(
        "status", [each for each in OrderStatus if each is not OrderStatus.PENDING_PAYMENT]
    )
    def test_does_not_concern_an_order_in_another_status(
        self, raffle: Raffle, status: OrderStatus
    ) -> None:
        order = order_states.create_order_in_status(raffle, status)
        before = order_states.list_actions(order)

        assert not leave_review(order)
        assert order_states.list_actions(order) == before

    def test_gives_no_time_beyond_the_draw(self, raffle: Raffle) -> None:
        order = order_states.create_order_under_review(raffle)
        order.proofs.update(order=None)
        Raffle.objects.filter(pk=raffle.pk).update(draw_at=NOON + 5 * MINUTE)
        order = order_states.reload_order(order)

        assert leave_review(order)
        assert order.expires_at == NOON + 5 * MINUTE


def extend_time(order: Order) -> bool:
    return review_clock.extend_time_once(order, by=builders.build_chat_actor(), now=NOON)


class TestExtendTime:
    @pytest.mark.parametrize(
        "make", [order_states.create_held_order, order_states.create_placed_order]
    )
    def test_happens_once_by_the_length_of_a_hold(
        self, raffle: Raffle, make: Callable[[Raffle], Order]
    ) -> None:
        order = make(raffle)

        assert [extend_time(order), extend_time(order)] == [True, False]

        order = order_states.reload_order(order)
        assert order.expires_at == NOON + 2 * raffle.hold_minutes * MINUTE
        assert not order.under_review
        assert order_states.list_actions(order).count(OrderAction.TIME_EXTENDED) == 1
        assert not orders.expire(order, now=order_states.AFTER_THE_DEADLINE)
        assert orders.expire(order, now=NOON + 63 * MINUTE)
        assert inventory.find_inventory_problems() == []

    def test_gives_no_time_beyond_the_draw(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)
        Raffle.objects.filter(pk=raffle.pk).update(draw_at=NOON + 40 * MINUTE)
        order = order_states.reload_order(order)

        assert extend_time(order)
        assert order.expires_at == NOON + 40 * MINUTE

    def test_does_not_happen_when_the_draw_leaves_no_time(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)
        Raffle.objects.filter(pk=raffle.pk).update(draw_at=NOON + 30 * MINUTE)

        assert not extend_time(order_states.reload_order(order))

    def test_does_not_happen_after_the_raffle_was_called_off(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)
        Raffle.objects.filter(pk=raffle.pk).update(status=RaffleStatus.CANCELLED)

        assert not extend_time(order_states.reload_order(order))

    @pytest.mark.parametrize(
        "make",
        [
            order_states.create_order_under_review,
            order_states.create_paid_order,
            order_states.create_cancelled_order,
            order_states.create_expired_order,
        ],
    )
    def test_does_not_concern_an_order_whose_clock_stands_still(
        self, raffle: Raffle, make: Callable[[Raffle], Order]
    ) -> None:
        assert not extend_time(make(raffle))
