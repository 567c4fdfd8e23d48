"""Tests of asking for a better proof, and of the answer to a second reviewer."""

import pytest

from shared.core.enums import OrderAction, OrderStatus, RejectReason
from shared.core.errors import DomainError
from shared.raffles.errors import AskedJustNow, NothingToReview, OrderAlreadyPaid, OrderEnded
from shared.raffles.models import Order, OrderEvent, Raffle
from shared.raffles.proof_errors import ProofUnseen
from shared.use_cases import order_endings, payments
from tests import builders
from tests.builders import MINUTE, NOON, build_staff_actor, build_token_actor
from tests.integration.conversation import chat
from tests.integration.conversation.chat import BuyerChat
from tests.integration.raffles import order_states

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("check_inventory_after")]


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle(numbers=20)


def ask_for_better_proof(order: Order, *, seen: list[int] | None = None, minutes: int = 0) -> Order:
    return payments.ask_for_better_proof(
        order.pk,
        note="The amount is cut off.",
        by=build_staff_actor(),
        now=NOON + minutes * MINUTE,
        seen_proofs=seen,
    )


class TestAskAgain:
    def test_leaves_the_order_under_review_without_a_clock(self, raffle: Raffle) -> None:
        buyer = BuyerChat()
        order = buyer.buys()
        buyer.sends_picture()

        ask_for_better_proof(order)

        order = order_states.reload_order(order)
        assert (order.asked_again_at, order.under_review_since, order.expires_at) == (
            NOON,
            NOON,
            None,
        )
        event = OrderEvent.objects.get(order=order, action=OrderAction.ASKED_AGAIN)
        assert (event.reason, event.actor_label) == ("The amount is cut off.", "rita")
        message = buyer.list_messages()[-1]
        assert (message.key, message.kind, message.about) == ("asked_again", "NOTICE", order.code)
        assert "The amount is cut off." in chat.render_body(message)

    def test_ends_with_the_next_proof_even_if_another_order_waits(self, raffle: Raffle) -> None:
        buyer = BuyerChat()
        asked = buyer.buys()
        buyer.sends_picture()
        ask_for_better_proof(asked)
        assert "one more photo" in chat.render_body(buyer.says("done")[-1])
        other = buyer.later(minutes=5).buys()

        assert [message.key for message in buyer.sends_picture()] == ["which_order"]
        buyer.taps(f"{asked.code} $15.00")

        assert order_states.reload_order(asked).asked_again_at is None
        assert asked.proofs.count() == 2
        assert not order_states.reload_order(other).under_review

    def test_ends_with_a_proof_that_staff_attach(self, raffle: Raffle) -> None:
        order = ask_for_better_proof(order_states.create_order_under_review(raffle))

        order_states.receive_proof(order)

        assert order_states.reload_order(order).asked_again_at is None

    @pytest.mark.parametrize("end", ["confirm", "reject", "cancel"])
    def test_ends_with_any_decision(self, raffle: Raffle, end: str) -> None:
        order = ask_for_better_proof(order_states.create_order_under_review(raffle))

        match end:
            case "confirm":
                payments.confirm_payment(order.pk, by=build_staff_actor(), now=NOON)
            case "reject":
                payments.reject_payment(
                    order.pk,
                    reason=RejectReason.REPEATED,
                    note="",
                    by=build_staff_actor(),
                    now=NOON,
                )
            case _:
                order_endings.cancel_order(order.pk, by=build_staff_actor(), now=NOON)

        assert order_states.reload_order(order).asked_again_at is None

    def test_is_refused_twice_within_a_minute_and_possible_after_it(self, raffle: Raffle) -> None:
        order = ask_for_better_proof(order_states.create_order_under_review(raffle))

        with pytest.raises(AskedJustNow) as refused:
            ask_for_better_proof(order)

        assert refused.value.details == {"by": "rita", "at": NOON}
        assert ask_for_better_proof(order, minutes=1).asked_again_at == NOON + MINUTE

    def test_is_refused_while_a_proof_is_unseen(self, raffle: Raffle) -> None:
        with pytest.raises(ProofUnseen):
            ask_for_better_proof(order_states.create_order_under_review(raffle), seen=[])

    @pytest.mark.parametrize(
        ("status", "refusal", "by"),
        [
            (OrderStatus.PENDING_PAYMENT, NothingToReview, None),
            (OrderStatus.PAID, OrderAlreadyPaid, "rita"),
            (OrderStatus.CANCELLED, OrderEnded, "Buyer"),
            (OrderStatus.EXPIRED, OrderEnded, "time ran out"),
        ],
    )
    def test_is_refused_without_a_review_and_says_who_ended_it(
        self, raffle: Raffle, status: OrderStatus, refusal: type[DomainError], by: str | None
    ) -> None:
        order = order_states.create_order_in_status(raffle, status)

        with pytest.raises(refusal) as refused:
            ask_for_better_proof(order)

        assert refused.value.details["by"] == by
        assert (refused.value.details["at"] is None) == (by is None)


class TestTheSecondReviewer:
    def test_hears_who_rejected_when(self, raffle: Raffle) -> None:
        order = order_states.reject_proofs(order_states.create_order_under_review(raffle))

        with pytest.raises(NothingToReview) as refused:
            payments.reject_payment(
                order.pk,
                reason=RejectReason.REPEATED,
                note="",
                by=build_token_actor(),
                now=NOON + MINUTE,
            )

        assert refused.value.details == {"order_id": order.pk, "by": "rita", "at": NOON}
        assert refused.value.message() == NothingToReview.message()

    def test_keeps_the_words_of_the_verdict_with_the_proof(self, raffle: Raffle) -> None:
        order = order_states.create_order_under_review(raffle)

        payments.reject_payment(
            order.pk,
            reason=RejectReason.OTHER,
            note="Upside down",
            by=build_staff_actor(),
            now=NOON,
        )

        assert order.proofs.get().note == "Upside down"
