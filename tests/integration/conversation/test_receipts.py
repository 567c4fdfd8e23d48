"""Receipts through the whole chat: their orders, their clocks, and what their buyers read."""

from datetime import datetime
from decimal import Decimal

import pytest

from shared.core import config
from shared.core.enums import OrderAction, OrderStatus, ProofStatus, RejectReason, UnplacedReason
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.use_cases import order_endings, payments, proof_files, reversals
from shared.whatsapp.models import OutboundMessage
from shared.whatsapp.services.inbox import contacts
from tests import builders
from tests.builders import MINUTE
from tests.integration.conversation.chat import BuyerChat, list_choices
from tests.integration.raffles import order_states

pytestmark = [
    pytest.mark.acceptance,  # stories; `unit/conversation/test_receipt_evidence` has the table
    pytest.mark.django_db,
    pytest.mark.usefixtures("check_inventory_after"),
]


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle(numbers=30)


@pytest.fixture
def winter() -> Raffle:
    return builders.create_raffle(numbers=30, title="Winter Raffle", price=Decimal("3.00"))


def buy(chat: BuyerChat, title: str, *, numbers: str = "3 random", place: bool = True) -> Order:
    """Hold numbers of one of several raffles, and place the order."""
    chat.says("menu")
    chat.taps(title)
    chat.says(numbers)
    if place:
        chat.taps("Confirm")
    return chat.order()


def get_payment_message_id(order: Order) -> str:
    """Give the message with an order's payment instructions the id that it has at Meta."""
    sent = OutboundMessage.objects.filter(about=order.code, key="how_to_pay")
    sent.update(wa_message_id=f"wamid.pay{order.pk}")
    return f"wamid.pay{order.pk}"


def expire_all(chat: BuyerChat) -> None:
    order_endings.expire_due_orders(now=chat.later(minutes=33).now)


def fail_file(proof: PaymentProof, *, now: datetime) -> None:
    proof_files.record_proof_fetch_failure(proof.pk, error="MediaGone", retry_at=None, now=now)


class TestEvidence:
    def test_a_swipe_onto_the_first_payment_message_finds_the_order_that_has_the_numbers_again(
        self, raffle: Raffle
    ) -> None:
        chat = BuyerChat()
        first = chat.buys(numbers="07, 13")
        expire_all(chat)
        second = chat.buys(numbers="07, 13")

        (reply,) = chat.sends_picture(replying_to=get_payment_message_id(first))

        first.refresh_from_db()
        assert PaymentProof.objects.get().order == second
        assert chat.order().under_review
        assert (first.status, first.needs_decision) == (OrderStatus.EXPIRED, False)
        assert (reply.key, reply.about) == ("proof_received", second.code)

    @pytest.mark.same_everywhere
    def test_a_receipt_for_a_hold_places_it_while_another_order_is_under_review(
        self, raffle: Raffle, winter: Raffle
    ) -> None:
        chat = BuyerChat()
        first = buy(chat, "Summer Raffle")
        chat.sends_picture()
        hold = buy(chat, "Winter Raffle", place=False)
        chat.later(minutes=5).sends_picture()

        hold.refresh_from_db()
        assert (hold.status, hold.under_review) == (OrderStatus.PENDING_PAYMENT, True)
        assert (first.proofs.count(), hold.proofs.count()) == (1, 1)

    @pytest.mark.same_everywhere
    def test_a_code_in_the_caption_finds_its_order(self, raffle: Raffle, winter: Raffle) -> None:
        chat = BuyerChat()
        first = buy(chat, "Summer Raffle")
        buy(chat, "Winter Raffle")

        chat.sends_picture(caption=f"paid, {first.code}")

        assert PaymentProof.objects.get().order == first

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize(("minutes", "is_near"), [(1, True), (3, False)])
    def test_a_code_in_the_text_before_finds_its_order(
        self, raffle: Raffle, winter: Raffle, minutes: int, is_near: bool
    ) -> None:
        chat = BuyerChat()
        first = buy(chat, "Summer Raffle")
        buy(chat, "Winter Raffle")
        chat.says(f"the receipt of {first.code}")

        chat.later(minutes=minutes).sends_picture()

        assert PaymentProof.objects.get().order == (first if is_near else None)

    @pytest.mark.same_everywhere
    def test_a_code_right_after_finds_the_order_of_a_picture_without_one(
        self, raffle: Raffle, winter: Raffle
    ) -> None:
        chat = BuyerChat()
        first = buy(chat, "Summer Raffle")
        second = buy(chat, "Winter Raffle")
        chat.sends_picture()
        chat.says("menu")
        (reply,) = chat.says(f"it was {first.code}")
        chat.sends_picture()

        assert reply.key == "proof_received"
        assert list(PaymentProof.objects.values_list("order", flat=True)) == [first.pk, second.pk]

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize("answer", ["the second one", "$9", "winter", "2"])
    def test_the_question_is_answered_in_words(
        self, raffle: Raffle, winter: Raffle, answer: str
    ) -> None:
        chat = BuyerChat()
        buy(chat, "Summer Raffle")
        second = buy(chat, "Winter Raffle")
        (question,) = chat.sends_picture()
        (reply,) = chat.says(answer)

        assert (question.key, reply.key) == ("which_order", "proof_received")
        assert PaymentProof.objects.get().order == second

    @pytest.mark.same_everywhere
    def test_the_pages_of_an_album_are_asked_about_once_and_go_together(
        self, raffle: Raffle, winter: Raffle
    ) -> None:
        chat = BuyerChat()
        first = buy(chat, "Summer Raffle")
        buy(chat, "Winter Raffle")
        asked = [*chat.sends_picture(), *chat.sends_picture()]
        chat.says("the first one")

        assert [message.key for message in asked] == ["which_order"]
        assert first.proofs.count() == 2

    @pytest.mark.same_everywhere
    def test_a_picture_after_the_answer_is_asked_about_again(
        self, raffle: Raffle, winter: Raffle
    ) -> None:
        builders.create_raffle(title="Spring Raffle")
        chat = BuyerChat()
        for title in ("Summer Raffle", "Winter Raffle", "Spring Raffle"):
            buy(chat, title)
        chat.sends_picture()
        chat.says("first")
        (again,) = chat.sends_picture()

        assert again.key == "which_order"
        assert len(list_choices(again)) == 2

    def test_a_code_finds_an_order_however_many_ended_since(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        first = chat.buys(numbers="07")
        chat.says("cancel")
        for number in range(12):
            ended = order_states.create_placed_order(
                raffle, numbers=[20 + number % 5], contact=chat.contact
            )
            order_endings.cancel_order(ended.pk, by=builders.build_staff_actor(), now=chat.now)

        (reply,) = chat.sends_picture(caption=first.code or "")

        first.refresh_from_db()
        assert PaymentProof.objects.get().order == first
        assert (reply.key, reply.about) == ("late_proof", first.code)

    @pytest.mark.same_everywhere
    def test_a_code_of_somebody_else_leaves_the_receipt_to_a_person(self, raffle: Raffle) -> None:
        friend = BuyerChat()
        theirs = friend.buys()
        chat = BuyerChat()
        mine = chat.buys()

        (reply,) = chat.sends_picture(caption=theirs.code or "")

        proof = PaymentProof.objects.get()
        assert (proof.order, proof.unplaced_reason) == (None, UnplacedReason.UNKNOWN_CODE)
        assert [title for _, title in list_choices(reply)] == [f"{mine.code} $15.00"]

    def test_two_codes_in_a_caption_name_one_receipt_for_both_orders(
        self, raffle: Raffle, winter: Raffle
    ) -> None:
        chat = BuyerChat()
        first = buy(chat, "Summer Raffle")
        second = buy(chat, "Winter Raffle")

        (reply,) = chat.sends_picture(caption=f"{second.code} and {first.code}")

        assert reply.key == "proof_for_several"
        for order in (first, second):
            order.refresh_from_db()
            assert order.under_review
            assert order.proofs.count() == 1
        assert first.proofs.get().shared_from == second.proofs.get()
        payments.confirm_payment(first.pk, by=builders.build_staff_actor(), now=chat.now)
        second.refresh_from_db()
        assert second.under_review, "each order is decided by itself"

    @pytest.mark.same_everywhere
    def test_two_codes_right_after_name_both_orders(self, raffle: Raffle, winter: Raffle) -> None:
        chat = BuyerChat()
        orders = [buy(chat, "Summer Raffle"), buy(chat, "Winter Raffle")]
        chat.sends_picture()
        (reply,) = chat.says(" and ".join(order.code or "" for order in orders))

        assert reply.key == "proof_for_several"
        assert [order.proofs.count() for order in orders] == [1, 1]


class TestPaidAndEnded:
    def test_a_receipt_for_a_paid_order_is_kept_with_it_and_changes_nothing(
        self, raffle: Raffle
    ) -> None:
        chat = BuyerChat()
        order = chat.buys()
        chat.sends_picture()
        payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=chat.now)
        (reply,) = chat.later(minutes=2).sends_picture(caption=order.code or "")

        order.refresh_from_db()
        assert (order.status, order.under_review) == (OrderStatus.PAID, False)
        assert list(order.proofs.values_list("verdict", flat=True)) == ["ACCEPTED", "PENDING"]
        assert order.events.latest("pk").action == OrderAction.PROOF_RECEIVED
        assert "is paid already" in reply.payload["text"]["body"]

    @pytest.mark.same_everywhere
    def test_a_receipt_for_a_paid_order_is_acknowledged_right_after_one_for_another(
        self, raffle: Raffle, winter: Raffle
    ) -> None:
        chat = BuyerChat()
        paid = buy(chat, "Summer Raffle")
        payments.confirm_payment(paid.pk, by=builders.build_staff_actor(), now=chat.now)
        buy(chat, "Winter Raffle")
        chat.sends_picture()
        replies = [*chat.sends_picture(caption=paid.code or ""), *chat.sends_picture()]

        assert [(reply.key, reply.about) for reply in replies] == [("proof_added", paid.code)]

    @pytest.mark.same_everywhere
    def test_a_swipe_onto_a_paid_orders_message_goes_to_the_order_that_is_due(
        self, raffle: Raffle
    ) -> None:
        chat = BuyerChat()
        first = chat.buys()
        chat.sends_picture()
        payments.confirm_payment(first.pk, by=builders.build_staff_actor(), now=chat.now)
        second = chat.buys()

        chat.later(minutes=5).sends_picture(replying_to=get_payment_message_id(first))

        assert PaymentProof.objects.latest("pk").order == second

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize("by_buyer", [True, False])
    def test_a_receipt_for_a_cancelled_order_is_flagged_and_revives_nothing(
        self, raffle: Raffle, by_buyer: bool
    ) -> None:
        chat = BuyerChat()
        order = chat.buys()
        if by_buyer:
            chat.says("cancel")
        else:
            order_endings.cancel_order(order.pk, by=builders.build_staff_actor(), now=chat.now)
        (reply,) = chat.sends_picture(caption=order.code or "")

        order.refresh_from_db()
        assert (order.status, order.needs_decision) == (OrderStatus.CANCELLED, True)
        body = reply.payload["text"]["body"]
        assert "was cancelled" in body
        assert "run out" not in body


class TestClocks:
    def test_of_all_candidates_are_extended_once_and_stopped_by_none(
        self, raffle: Raffle, winter: Raffle
    ) -> None:
        chat = BuyerChat()
        orders = [buy(chat, "Summer Raffle"), buy(chat, "Winter Raffle")]
        start = chat.now
        for _ in range(3):
            chat.later(minutes=5).sends_picture()

        for order in orders:
            order.refresh_from_db()
            assert order.expires_at == start + 60 * MINUTE
            assert not order.under_review
        order_endings.expire_due_orders(now=start + 33 * MINUTE)
        assert Order.objects.filter(status=OrderStatus.PENDING_PAYMENT).count() == 2
        order_endings.expire_due_orders(now=start + 63 * MINUTE)
        assert Order.objects.filter(status=OrderStatus.EXPIRED).count() == 2

    @pytest.mark.same_everywhere
    def test_of_the_candidates_are_capped_at_the_draw(self, raffle: Raffle, winter: Raffle) -> None:
        chat = BuyerChat()
        first = buy(chat, "Summer Raffle")
        buy(chat, "Winter Raffle")
        draw_at = chat.now + 45 * MINUTE
        Raffle.objects.filter(pk=raffle.pk).update(draw_at=draw_at)
        chat.sends_picture()

        first.refresh_from_db()
        assert first.expires_at == draw_at

    @pytest.mark.same_everywhere
    def test_start_again_when_the_only_file_cannot_be_opened(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        order = chat.buys()
        chat.sends_picture()
        now = chat.later(minutes=10).now

        fail_file(PaymentProof.objects.get(), now=now)

        order.refresh_from_db()
        assert (order.status, order.under_review) == (OrderStatus.PENDING_PAYMENT, False)
        assert order.expires_at == now + 30 * MINUTE
        lost = chat.list_messages()[-1]
        assert (lost.key, lost.about) == ("file_lost", order.code)
        assert "is held for you until" in lost.payload["text"]["body"]
        (shown,) = chat.says("my tickets")
        assert "checking" not in str(shown.payload)
        order_endings.expire_due_orders(now=now + 33 * MINUTE)
        order.refresh_from_db()
        assert order.status == OrderStatus.EXPIRED

    @pytest.mark.same_everywhere
    def test_do_not_start_while_another_file_can_be_seen(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        order = chat.buys()
        chat.sends_picture()
        chat.sends_picture()

        fail_file(PaymentProof.objects.earliest("pk"), now=chat.now)

        order.refresh_from_db()
        assert order.under_review
        fail_file(PaymentProof.objects.latest("pk"), now=chat.now)
        order.refresh_from_db()
        assert not order.under_review

    def test_start_again_for_every_order_of_a_file_that_several_share(
        self, raffle: Raffle, winter: Raffle
    ) -> None:
        chat = BuyerChat()
        orders = [buy(chat, "Summer Raffle"), buy(chat, "Winter Raffle")]
        chat.sends_picture(caption=" ".join(order.code or "" for order in orders))

        fail_file(PaymentProof.objects.earliest("pk"), now=chat.now)

        for order in orders:
            order.refresh_from_db()
            assert (order.under_review, order.proofs.get().status) == (False, ProofStatus.FAILED)

    def test_of_an_order_whose_confirmation_was_undone_stand_still(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        order = chat.buys()
        by = builders.build_staff_actor()
        payments.confirm_payment(order.pk, by=by, now=chat.now)
        confirmation = order.events.get(action=OrderAction.PAID)
        reversals.undo_confirmation(
            order.pk, confirmation_id=confirmation.pk, reason="too early", by=by, now=chat.now
        )
        chat.sends_picture()

        fail_file(PaymentProof.objects.get(), now=chat.now)

        order.refresh_from_db()
        assert order.under_review

    @pytest.mark.same_everywhere
    def test_are_not_stopped_by_a_picture_that_cannot_be_opened_and_gets_its_order_later(
        self, raffle: Raffle, winter: Raffle
    ) -> None:
        chat = BuyerChat()
        order = buy(chat, "Summer Raffle")
        buy(chat, "Winter Raffle")
        (question,) = chat.sends_picture()
        fail_file(PaymentProof.objects.get(), now=chat.now)

        (reply,) = chat.taps_id(list_choices(question)[0][0])

        order.refresh_from_db()
        assert not order.under_review
        assert "could not open" in str(reply.payload)


class TestReviewLimit:
    def fill(self, chat: BuyerChat, raffle: Raffle) -> int:
        """Put as many of the buyer's orders under review as there may be; return how many."""
        limit = config.get_settings().max_orders_under_review
        for number in range(1, limit + 1):
            order_states.create_order_under_review(raffle, numbers=[number], contact=chat.contact)
        return limit

    def test_one_receipt_more_waits_without_its_order_and_the_buyer_knows(
        self, raffle: Raffle
    ) -> None:
        chat = BuyerChat()
        limit = self.fill(chat, raffle)
        order = chat.buys(numbers="1 random")
        deadline = order.expires_at
        (reply,) = chat.later(minutes=3).sends_picture()
        assert chat.sends_picture() == [], "an album is acknowledged once"

        order.refresh_from_db()
        proof = PaymentProof.objects.latest("pk")
        assert (proof.order, proof.unplaced_reason) == (None, UnplacedReason.REVIEW_LIMIT)
        assert (reply.key, reply.about) == ("review_limit", order.code)
        assert not order.under_review
        assert deadline is not None
        assert order.expires_at == deadline + 30 * MINUTE
        assert Order.objects.filter(under_review_since__isnull=False).count() == limit

    def test_holds_for_a_picture_whose_order_the_buyer_chooses_later(
        self, raffle: Raffle, winter: Raffle
    ) -> None:
        chat = BuyerChat()
        self.fill(chat, raffle)
        order = buy(chat, "Summer Raffle", numbers="1 random")
        buy(chat, "Winter Raffle", numbers="1 random")
        chat.later(minutes=3).sends_picture()
        (reply,) = chat.says("the first one")

        order.refresh_from_db()
        proof = PaymentProof.objects.latest("pk")
        assert (reply.key, order.under_review) == ("review_limit", False)
        assert (proof.order, proof.unplaced_reason) == (None, UnplacedReason.REVIEW_LIMIT)


class TestBlockedContact:
    def block(self, chat: BuyerChat) -> int:
        contacts.block_contact(chat.contact.pk)
        return len(chat.list_messages())

    @pytest.mark.same_everywhere
    def test_has_a_receipt_for_a_hold_kept_in_silence(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        chat.says("3 random")
        before = self.block(chat)
        chat.sends_picture()

        assert PaymentProof.objects.get().order == chat.order()
        assert chat.order().under_review
        assert len(chat.list_messages()) == before

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize("ends_by", ["buyer", "seller", "time", "payment"])
    def test_has_a_receipt_for_an_order_that_is_over_kept_in_silence(
        self, raffle: Raffle, ends_by: str
    ) -> None:
        chat = BuyerChat()
        order = chat.buys()
        match ends_by:
            case "buyer":
                chat.says("cancel")
            case "seller":
                order_endings.cancel_order(order.pk, by=builders.build_staff_actor(), now=chat.now)
            case "time":
                expire_all(chat)
            case "payment":
                payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=chat.now)
        before = self.block(chat)
        chat.sends_picture()

        assert PaymentProof.objects.get().order == order
        assert len(chat.list_messages()) == before

    @pytest.mark.same_everywhere
    def test_has_a_code_in_the_caption_read(self, raffle: Raffle, winter: Raffle) -> None:
        chat = BuyerChat()
        first = buy(chat, "Summer Raffle")
        buy(chat, "Winter Raffle")
        self.block(chat)
        chat.sends_picture(caption=first.code or "")

        assert PaymentProof.objects.get().order == first


@pytest.mark.same_everywhere
class TestAfterTheMenu:
    @pytest.mark.parametrize("words", ["how to pay", "paid", "code"])
    def test_the_waiting_order_is_shown(self, raffle: Raffle, words: str) -> None:
        chat = BuyerChat()
        order = chat.buys()
        chat.says("menu")
        (reply,) = chat.says(order.code or "" if words == "code" else words)

        assert (chat.state, reply.about) == ("WAIT_PROOF", order.code)

    def test_a_rejection_asks_for_the_receipt_of_its_order(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        order = chat.buys()
        chat.sends_picture()
        payments.reject_payment(
            order.pk,
            reason=RejectReason.ILLEGIBLE,
            note="",
            by=builders.build_staff_actor(),
            now=chat.now,
        )
        chat.says("menu")
        chat.later(minutes=5).sends_picture()

        order.refresh_from_db()
        assert order.under_review
