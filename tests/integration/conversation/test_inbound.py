"""Tests of a buyer's conversation from the first message to the last."""

from datetime import timedelta
from itertools import count
from typing import Final

import pytest
from django.db import OperationalError, transaction

from shared.conversation.answering import waiting_messages
from shared.conversation.answering.message_answers import AnswerResult
from shared.core.constants import ANSWER_CPU_SECONDS, MAX_INBOX_ATTEMPTS
from shared.core.enums import InboxStatus, OrderStatus, OutboxStatus, RejectReason, State
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.results import AlreadySettled, NeedsDecision
from shared.raffles.services import orders, reservations
from shared.use_cases import order_endings, payments, proof_files
from shared.whatsapp.models import Alarm, InboundMessage, OutboundMessage
from shared.whatsapp.services.inbox import contacts
from tests import builders, meta_limits
from tests.integration.conversation.chat import BuyerChat, list_choices, render_body

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("check_inventory_after")]


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle()


class TestPurchase:
    def test_by_random_numbers_costs_six_messages(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        chat.says("hi")
        chat.taps("Random numbers")
        chat.says("3 please")
        chat.taps("Confirm")
        chat.sends_picture()
        payments.confirm_payment(chat.order().pk, by=builders.build_staff_actor(), now=chat.now)

        assert chat.list_message_keys() == [
            "card",
            "ask_quantity",
            "held",
            "how_to_pay",
            "proof_received",
            "paid",
        ]
        assert chat.order().status == OrderStatus.PAID
        assert raffle.numbers.filter(status="SOLD").count() == 3

    @pytest.mark.same_everywhere
    def test_by_picked_numbers_costs_six_messages(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        chat.says("hello")
        chat.taps("Pick my numbers")
        chat.says("007, 13 and 45")
        chat.says("yes")
        chat.sends_picture()
        payments.confirm_payment(chat.order().pk, by=builders.build_token_actor(), now=chat.now)

        assert chat.list_message_keys() == [
            "card",
            "ask_numbers",
            "held",
            "how_to_pay",
            "proof_received",
            "paid",
        ]
        assert chat.order().list_ticket_numbers() == [7, 13, 45]

    @pytest.mark.same_everywhere
    def test_costs_seven_messages_when_first_choosing_among_several_raffles(
        self, raffle: Raffle
    ) -> None:
        builders.create_raffle(title="Winter Raffle")
        chat = BuyerChat()
        chat.says("hi")
        chat.taps("Winter Raffle")
        chat.taps("Random numbers")
        chat.says("2")
        chat.taps("Confirm")
        chat.sends_picture()
        payments.confirm_payment(chat.order().pk, by=builders.build_staff_actor(), now=chat.now)

        assert len(chat.list_messages()) == 7
        assert chat.order().raffle.title == "Winter Raffle"

    @pytest.mark.same_everywhere
    def test_says_nothing_that_meta_would_refuse(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        chat.buys()
        chat.sends_picture()

        assert [
            meta_limits.find_message_faults(message.payload) for message in chat.list_messages()
        ] == [[]] * 4

    @pytest.mark.same_everywhere
    def test_names_the_amount_the_code_and_the_account(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        order = chat.buys()
        text = render_body(chat.list_messages()[-1])

        assert "$15.00" in text
        assert str(order) in text
        assert "Bank of Example" in text
        assert "12:30" in text


class TestNumbersTaken:
    def test_are_named_and_free_ones_offered(self, raffle: Raffle) -> None:
        BuyerChat().buys(numbers="07, 13")
        chat = BuyerChat()
        (reply,) = chat.says("07, 13, 45")

        assert reply.key == "numbers_taken"
        assert "007 and 013" in render_body(reply)
        assert "006" in render_body(reply)
        assert "Take 045" in [title for _, title in list_choices(reply)]

    @pytest.mark.same_everywhere
    def test_leave_a_button_that_takes_the_free_ones(self, raffle: Raffle) -> None:
        BuyerChat().buys(numbers="07, 13")
        chat = BuyerChat()
        chat.says("07, 13, 45")
        chat.taps("Take 045")

        assert chat.order().list_ticket_numbers() == [45]

    @pytest.mark.same_everywhere
    def test_are_no_trouble_when_they_are_ones_own(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        chat.says("07, 13")
        chat.says("07, 45")

        assert chat.state is State.CONFIRM_RESERVATION
        assert chat.order().list_ticket_numbers() == [7, 45]
        assert raffle.numbers.filter(status="RESERVED").count() == 2


class TestDeadlines:
    def test_expire_a_hold_and_tell_the_buyer(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        chat.says("3 random")
        expired = order_endings.expire_due_orders(now=chat.later(minutes=33).now)

        assert expired == 1
        assert chat.list_message_keys()[-1] == "expired"
        assert chat.order().status == OrderStatus.EXPIRED
        assert raffle.numbers.filter(status="AVAILABLE").count() == 100

    def test_leave_alone_whoever_wrote_in_time(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        chat.buys()
        in_time = chat.later(minutes=29).now
        chat.later(minutes=5)
        chat.receives("text", {"text": {"body": "one moment"}}, sent_at=in_time)
        expired = order_endings.expire_due_orders(now=chat.now)

        assert expired == 0
        assert chat.order().status == OrderStatus.PENDING_PAYMENT

    def test_wait_while_a_backlog_is_being_drained(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        chat.buys()
        BuyerChat(now=chat.later(minutes=33).now).receives("text", {"text": {"body": "hi"}})

        assert order_endings.expire_due_orders(now=chat.later(minutes=2).now) == 0

    def test_of_an_order_in_disorder_sound_an_alarm_and_hold_up_nobody(
        self, raffle: Raffle
    ) -> None:
        broken, sound = BuyerChat(), BuyerChat()
        order = broken.buys(numbers="07, 13")
        sound.buys(numbers="45, 46")
        raffle.numbers.filter(number=7).update(status="SOLD")
        expired = order_endings.expire_due_orders(now=sound.later(minutes=33).now)
        raffle.numbers.filter(number=7).update(status="RESERVED")

        assert expired == 1
        assert sound.order().status == OrderStatus.EXPIRED
        assert Alarm.objects.filter(key=f"expiry_failed:{order.pk}").exists()

    def test_do_not_run_while_a_proof_is_under_review(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        chat.buys()
        chat.sends_picture()

        assert order_endings.expire_due_orders(now=chat.later(days=3).now) == 0

    @pytest.mark.same_everywhere
    def test_run_anew_after_a_rejection_and_the_buyer_knows_why(self, raffle: Raffle) -> None:
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
        text = render_body(chat.list_messages()[-1])
        chat.says("ok")

        assert "cannot read" in text
        assert chat.state is State.WAIT_PROOF
        assert order_endings.expire_due_orders(now=chat.later(minutes=33).now) == 1

    @pytest.mark.same_everywhere
    def test_are_judged_by_the_time_of_the_buyers_message(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        chat.says("3 random")
        confirm = next(
            tap for tap, title in list_choices(chat.list_messages()[-1]) if title == "Confirm"
        )
        tap = {"type": "button_reply", "button_reply": {"id": confirm, "title": "Confirm"}}
        chat.receives("interactive", {"interactive": tap}, sent_at=chat.now + timedelta(minutes=29))
        chat.later(minutes=35).answer_waiting()

        assert chat.order().status == OrderStatus.PENDING_PAYMENT


class TestProofs:
    @pytest.mark.same_everywhere
    def test_of_an_album_are_acknowledged_once(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        order = chat.buys()
        for _ in range(4):
            chat.receives("image", {"image": {"id": "m", "mime_type": "image/jpeg"}})
        replies = chat.answer_waiting()

        assert [reply.key for reply in replies] == ["proof_received"]
        assert order.proofs.count() == 4

    def test_sent_instead_of_a_confirmation_place_the_order(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        chat.says("3 random")
        chat.sends_picture()

        assert chat.list_message_keys()[-1] == "proof_received"
        assert chat.order().status == OrderStatus.PENDING_PAYMENT
        assert chat.order().under_review

    def test_after_the_end_take_the_numbers_back_when_they_are_free(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        order = chat.buys()
        order_endings.expire_due_orders(now=chat.later(minutes=33).now)
        chat.sends_picture()

        order.refresh_from_db()
        assert chat.list_message_keys()[-1] == "late_proof_secured"
        assert (order.status, order.under_review) == (OrderStatus.PENDING_PAYMENT, True)

    def test_after_the_end_are_flagged_when_the_numbers_are_gone(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        order = chat.buys(numbers="07, 13")
        order_endings.expire_due_orders(now=chat.later(minutes=33).now)
        BuyerChat(now=chat.now).buys(numbers="#13")
        chat.sends_picture()

        order.refresh_from_db()
        assert chat.list_message_keys()[-1] == "late_proof"
        assert (order.status, order.needs_decision) == (OrderStatus.EXPIRED, True)

    def test_find_their_order_by_the_message_they_reply_to(self, raffle: Raffle) -> None:
        builders.create_raffle(title="Winter Raffle")
        chat = BuyerChat()
        for title in ("Summer Raffle", "Winter Raffle"):
            chat.says("menu")
            chat.taps(title)
            chat.says("3 random")
            chat.taps("Confirm")
        first = next(message for message in chat.list_messages() if message.key == "how_to_pay")
        OutboundMessage.objects.filter(pk=first.pk).update(wa_message_id="wamid.first")
        chat.sends_picture(replying_to="wamid.first")

        assert PaymentProof.objects.get().order == Order.objects.earliest("pk")

    def test_are_asked_about_when_two_orders_want_one(self, raffle: Raffle) -> None:
        builders.create_raffle(title="Winter Raffle")
        chat = BuyerChat()
        for title in ("Summer Raffle", "Winter Raffle"):
            chat.says("menu")
            chat.taps(title)
            chat.says("3 random")
            chat.taps("Confirm")
        (question,) = chat.sends_picture()
        chat.taps(list_choices(question)[1][1])

        assert question.key == "which_order"
        assert PaymentProof.objects.get().order == chat.order()
        assert chat.order().under_review

    def test_without_any_order_are_kept_for_the_seller(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        (reply,) = chat.sends_picture()

        assert reply.key == "orphan_proof"
        assert PaymentProof.objects.get().contact == chat.contact

    @pytest.mark.same_everywhere
    def test_that_cannot_be_fetched_are_asked_for_again(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        chat.buys()
        chat.sends_picture()
        proof = PaymentProof.objects.get()
        proof_files.record_proof_fetch_failure(proof.pk, error="gone", retry_at=None, now=chat.now)

        assert chat.list_message_keys()[-1] == "file_lost"


class TestConfirmPayment:
    def test_tells_the_buyer_once_however_often_it_is_confirmed(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        order = chat.buys()
        payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=chat.now)
        again = payments.confirm_payment(order.pk, by=builders.build_token_actor(), now=chat.now)

        assert isinstance(again, AlreadySettled)
        assert chat.list_message_keys().count("paid") == 1

    def test_of_an_order_whose_numbers_are_gone_asks_for_a_decision_and_says_so_once(
        self, raffle: Raffle
    ) -> None:
        chat = BuyerChat()
        order = chat.buys(numbers="07, 13")
        order_endings.expire_due_orders(now=chat.later(minutes=33).now)
        BuyerChat(now=chat.now).buys(numbers="#13")
        outcomes = [
            payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=chat.now)
            for _ in range(2)
        ]

        assert all(isinstance(outcome, NeedsDecision) for outcome in outcomes)
        assert chat.list_message_keys().count("late_payment") == 1


class TestRejectPayment:
    def test_of_an_order_that_is_over_promises_no_numbers(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        order = chat.buys(numbers="07, 13")
        order_endings.expire_due_orders(now=chat.later(minutes=33).now)
        BuyerChat(now=chat.now).buys(numbers="#13")
        chat.sends_picture()
        payments.reject_payment(
            order.pk,
            reason=RejectReason.NOT_CREDITED,
            note="",
            by=builders.build_staff_actor(),
            now=chat.now,
        )

        assert chat.list_message_keys()[-1] == "rejected_late"
        assert "not held" in render_body(chat.list_messages()[-1])


class TestOrderOfMessages:
    def test_two_messages_at_once_are_answered_in_the_order_they_were_sent(
        self, raffle: Raffle
    ) -> None:
        chat = BuyerChat()
        chat.receives("text", {"text": {"body": "07, 13"}}, sent_at=chat.now)
        chat.receives("text", {"text": {"body": "menu"}}, sent_at=chat.now - timedelta(seconds=1))
        chat.answer_waiting()

        assert chat.list_message_keys() == ["card", "held"]

    def test_a_transaction_ends_with_the_first_message_that_acts_on_an_order(
        self, raffle: Raffle
    ) -> None:
        chat = BuyerChat()
        for minutes, text in enumerate(("hi", "07, 13", "45, 46")):
            sent_at = chat.now - timedelta(minutes=3 - minutes)
            chat.receives("text", {"text": {"body": text}}, sent_at=sent_at)
        answered = [
            waiting_messages.answer_waiting_messages(chat.contact.pk, now=chat.now, pivot=1)
            for _ in range(3)
        ]

        assert [(done.messages, done.has_acted) for done in answered] == [
            (2, True),
            (1, True),
            (0, False),
        ]
        assert chat.list_message_keys() == ["card", "held", "held"]


@pytest.mark.same_everywhere
class TestOutage:
    def test_old_messages_do_not_act_and_get_one_summary(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        for text in ("hi", "3 random", "yes"):
            chat.receives("text", {"text": {"body": text}})
        replies = chat.later(minutes=40).answer_waiting()

        assert [reply.key for reply in replies] == ["back_again"]
        assert not Order.objects.exists()

    def test_an_old_proof_still_counts(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        order = chat.buys()
        chat.receives("image", {"image": {"id": "m", "mime_type": "image/jpeg"}})
        chat.later(minutes=40).answer_waiting()

        order.refresh_from_db()
        assert order.under_review

    def test_a_photo_that_whatsapp_lost_is_asked_for_again_and_stops_no_clock(
        self, raffle: Raffle
    ) -> None:
        chat = BuyerChat()
        order = chat.buys()
        lost = {"errors": [{"code": 131052, "title": "Media download error"}]}

        replies = [
            *chat.sends_anything("image"),
            *chat.answer_waiting(chat.receives("unsupported", lost)),
        ]

        assert [reply.key for reply in replies] == ["still_to_pay", "still_to_pay"]
        assert all("Please send it again" in render_body(reply) for reply in replies)
        order.refresh_from_db()
        assert not order.under_review
        assert order.expires_at is not None
        assert not PaymentProof.objects.exists()

    def test_a_pdf_announced_as_bytes_is_a_proof(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        order = chat.buys()
        file = {"id": "m", "mime_type": "application/octet-stream", "filename": "receipt"}
        chat.answer_waiting(chat.receives("document", {"document": file}))

        order.refresh_from_db()
        assert order.under_review

    def test_an_old_cancel_still_counts(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        order = chat.buys()
        chat.receives("text", {"text": {"body": "CANCEL"}})
        chat.later(minutes=20).answer_waiting()

        order.refresh_from_db()
        assert order.status == OrderStatus.CANCELLED

    def test_a_withheld_notice_joins_the_next_answer(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        order = chat.buys()
        payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=chat.now)
        OutboundMessage.objects.filter(key="paid").update(status=OutboxStatus.WITHHELD)
        chat.later(days=2).says("hi")

        assert OutboundMessage.objects.get(key="paid").status == OutboxStatus.QUEUED


@pytest.mark.same_everywhere
class TestWindow:
    def test_counts_from_the_messages_own_time(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        written = chat.now
        chat.receives("text", {"text": {"body": "hi"}})
        chat.later(hours=5).answer_waiting()

        chat.contact.refresh_from_db()
        assert chat.contact.last_inbound_at == written

    def test_is_not_opened_by_a_system_message_nor_by_a_clock_ahead(self, raffle: Raffle) -> None:
        chat = BuyerChat(builders.create_contact(last_inbound_at=None))
        chat.sends_anything("system")
        chat.contact.refresh_from_db()
        after_system = chat.contact.last_inbound_at
        chat.says("hi", sent_at=chat.now + timedelta(days=3))

        chat.contact.refresh_from_db()
        assert after_system is None
        assert chat.contact.last_inbound_at == chat.now


@pytest.mark.same_everywhere
class TestBlockedContact:
    def test_is_not_answered_and_nothing_is_lost(self, raffle: Raffle) -> None:
        chat = BuyerChat(builders.create_contact(is_blocked=True))

        assert chat.says("hi") == []
        assert chat.sends_picture() == []
        assert {each.status for each in InboundMessage.objects.all()} == {InboxStatus.PROCESSED}
        assert not PaymentProof.objects.exists()

    def test_who_owes_money_has_their_proof_kept_in_silence(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        order = chat.buys()
        contacts.block_contact(chat.contact.pk)
        before = len(chat.list_messages())

        chat.sends_picture()
        chat.says("paid!")

        order.refresh_from_db()
        assert order.under_review
        assert PaymentProof.objects.get().order == order
        assert len(chat.list_messages()) == before

    def test_who_owes_for_several_orders_leaves_the_choice_to_a_person(
        self, raffle: Raffle
    ) -> None:
        chat = BuyerChat()
        for one in (raffle, builders.create_raffle(title="Another")):
            with transaction.atomic():
                held = reservations.hold_numbers(
                    one,
                    contact_id=chat.contact.pk,
                    numbers=[7],
                    now=chat.now,
                    by=builders.build_chat_actor(),
                )
                orders.place(held, at=chat.now, now=chat.now, by=builders.build_chat_actor())
        contacts.block_contact(chat.contact.pk)

        chat.sends_picture()

        assert PaymentProof.objects.get().order is None
        assert OutboundMessage.objects.count() == 0


class TestPoison:
    """A message that always fails: its raffle row cannot be read."""

    def create_poisoned_chat(self) -> BuyerChat:
        raffle = builders.create_raffle()
        Raffle.objects.filter(pk=raffle.pk).update(time_zone="No/Where")
        return BuyerChat()

    def test_is_given_up_after_five_tries_with_an_alarm_and_an_apology(self) -> None:
        chat = self.create_poisoned_chat()
        message = chat.receives("text", {"text": {"body": "hi"}})
        for _ in range(MAX_INBOX_ATTEMPTS):
            waiting_messages.answer_or_record_failure(
                chat.contact.pk, now=chat.later(minutes=1).now, pivot=1
            )

        message.refresh_from_db()
        assert (message.status, message.attempts) == (InboxStatus.FAILED, 5)
        assert Alarm.objects.filter(key=f"inbound_failed:{message.pk}").exists()
        assert chat.list_message_keys() == ["apology"]

    @pytest.mark.same_everywhere
    def test_does_not_hold_up_what_was_written_before_it(self) -> None:
        raffle = builders.create_raffle()
        chat = BuyerChat()
        first = chat.receives("sticker", {"sticker": {}}, sent_at=chat.now - timedelta(minutes=2))
        waiting_messages.answer_or_record_failure(chat.contact.pk, now=chat.now, pivot=1)
        Raffle.objects.filter(pk=raffle.pk).update(time_zone="No/Where")
        second = chat.receives("text", {"text": {"body": "hi"}})
        failed = waiting_messages.answer_or_record_failure(chat.contact.pk, now=chat.now, pivot=1)

        first.refresh_from_db()
        second.refresh_from_db()
        assert failed is None
        assert (first.status, second.status) == (InboxStatus.PROCESSED, InboxStatus.RECEIVED)

    def test_waits_before_it_is_tried_again_and_later_messages_behind_it(self) -> None:
        chat = self.create_poisoned_chat()
        chat.receives("text", {"text": {"body": "hi"}})
        waiting_messages.answer_or_record_failure(chat.contact.pk, now=chat.now, pivot=1)
        later = chat.receives("text", {"text": {"body": "again"}}, sent_at=chat.now)
        answered = waiting_messages.answer_or_record_failure(chat.contact.pk, now=chat.now, pivot=1)

        later.refresh_from_db()
        assert answered == AnswerResult()
        assert later.next_attempt_at is not None


class ProcessKilled(BaseException):
    """The end of the whole process: no code catches it, and the transaction is rolled back."""


def kill_process() -> float:
    """End the process when the clock is first read."""
    raise ProcessKilled


class TestDeadlyMessage:
    """A message that kills or blocks the gateway, so that no failure can be recorded."""

    def kill_repeatedly(self, chat: BuyerChat, times: int) -> None:
        for _ in range(times):
            with pytest.raises(ProcessKilled):
                waiting_messages.answer_or_record_failure(
                    chat.contact.pk, now=chat.later(minutes=2).now, pivot=1, cpu_clock=kill_process
                )

    def test_is_given_up_after_five_tries_with_an_alarm_and_an_apology(
        self, raffle: Raffle
    ) -> None:
        chat = BuyerChat()
        message = chat.receives("text", {"text": {"body": "hi"}})
        self.kill_repeatedly(chat, MAX_INBOX_ATTEMPTS)
        given_up = waiting_messages.answer_or_record_failure(
            chat.contact.pk, now=chat.later(minutes=2).now, pivot=1, cpu_clock=kill_process
        )

        message.refresh_from_db()
        assert given_up == AnswerResult(messages=1, replies=1)
        assert (message.status, message.attempts) == (InboxStatus.FAILED, MAX_INBOX_ATTEMPTS)
        assert Alarm.objects.filter(key=f"inbound_failed:{message.pk}").exists()
        assert chat.list_message_keys() == ["apology"]

    def test_is_answered_if_a_gateway_lives_through_it(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        message = chat.receives("text", {"text": {"body": "hi"}})
        self.kill_repeatedly(chat, 2)
        waiting_messages.answer_or_record_failure(
            chat.contact.pk, now=chat.later(minutes=2).now, pivot=1
        )

        message.refresh_from_db()
        assert (message.status, message.error) == (InboxStatus.PROCESSED, "")
        assert chat.list_message_keys() == ["card"]

    def test_is_tried_alone_after_it_was_begun_once(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        first, second = (chat.receives("text", {"text": {"body": "hi"}}) for _ in range(2))
        self.kill_repeatedly(chat, 1)
        waiting_messages.answer_or_record_failure(
            chat.contact.pk, now=chat.later(minutes=2).now, pivot=1
        )

        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.status, second.status) == (InboxStatus.PROCESSED, InboxStatus.RECEIVED)
        assert second.attempts == 0

    def test_is_begun_by_one_gateway_at_a_time(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        message = chat.receives("text", {"text": {"body": "hi"}})
        self.kill_repeatedly(chat, 1)
        other = waiting_messages.answer_or_record_failure(chat.contact.pk, now=chat.now, pivot=1)

        message.refresh_from_db()
        assert other == AnswerResult()
        assert (message.status, message.attempts) == (InboxStatus.RECEIVED, 1)

    def test_is_not_counted_where_the_database_goes_away(self, raffle: Raffle) -> None:
        def lose_the_database() -> float:
            raise OperationalError

        chat = BuyerChat()
        message = chat.receives("text", {"text": {"body": "hi"}})
        with pytest.raises(OperationalError):
            waiting_messages.answer_or_record_failure(
                chat.contact.pk,
                now=chat.later(minutes=2).now,
                pivot=1,
                cpu_clock=lose_the_database,
            )

        message.refresh_from_db()
        assert (message.attempts, message.next_attempt_at) == (0, None)

    def test_costs_a_message_that_is_answered_in_time_nothing(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        message = chat.receives("text", {"text": {"body": "hi"}})
        waiting_messages.answer_or_record_failure(
            chat.contact.pk, now=chat.later(seconds=50).now, pivot=1
        )

        message.refresh_from_db()
        assert (message.status, message.attempts) == (InboxStatus.PROCESSED, 0)

    def test_those_left_over_together_get_one_summary(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        for text in ("hi", "3 random", "yes"):
            chat.receives("text", {"text": {"body": text}})
        waiting_messages.answer_or_record_failure(
            chat.contact.pk, now=chat.later(minutes=40).now, pivot=1
        )

        assert chat.list_message_keys() == ["back_again"]
        assert {each.status for each in InboundMessage.objects.all()} == {InboxStatus.PROCESSED}


class TestShareOfTime:
    """Limits on processor time, measured by a clock of the test."""

    @pytest.mark.same_everywhere
    def test_a_message_that_takes_more_fails(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        message = chat.receives("text", {"text": {"body": "hi"}})
        clock = count(0, ANSWER_CPU_SECONDS + 1)
        failed = waiting_messages.answer_or_record_failure(
            chat.contact.pk, now=chat.now, pivot=1, cpu_clock=lambda: next(clock)
        )

        message.refresh_from_db()
        assert failed is None
        assert (message.attempts, message.error) == (1, "TookTooLong")
        assert chat.list_message_keys() == []

    def test_messages_that_take_more_together_are_answered_in_several_transactions(
        self, raffle: Raffle
    ) -> None:
        chat = BuyerChat()
        for _ in range(3):
            chat.receives("text", {"text": {"body": "menu"}})
        clock = count(0, ANSWER_CPU_SECONDS / 2)
        answered = [
            waiting_messages.answer_or_record_failure(
                chat.contact.pk, now=chat.now, pivot=1, cpu_clock=lambda: next(clock)
            )
            for _ in range(3)
        ]

        assert [done and done.messages for done in answered] == [1, 1, 1]


HOSTILE: Final = (
    "1" * 4_096,
    "1" * 65_536,
    "7" + " " * 4_094 + "8",
    "1-2\n" * 1_024,
    "a" + "\u0323\u0301" * 2_048,
    "ﷺ" * 4_096,
    "cancel " * 600,
)


@pytest.mark.same_everywhere
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:8]))
def test_a_text_too_long_is_answered_as_not_understood(raffle: Raffle, text: str) -> None:
    chat = BuyerChat()
    order = chat.buys()
    (reply,) = chat.says(text)

    order.refresh_from_db()
    assert "did not understand" in render_body(reply)
    assert order.status == OrderStatus.PENDING_PAYMENT


def test_orders_of_others_are_out_of_reach(raffle: Raffle) -> None:
    theirs = BuyerChat()
    order = theirs.buys()
    chat = BuyerChat()
    for do in ("confirm", "cancel", "cancel-surely", "pay", "others", "keep"):
        chat.taps_id(f"r1:{do}:{order.pk}")

    order.refresh_from_db()
    assert order.status == OrderStatus.PENDING_PAYMENT
    assert str(order) not in " ".join(render_body(message) for message in chat.list_messages())
