"""Tests of floods, conversations in circles, and answers from before their question."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.conversation.answering import waiting_messages
from shared.conversation.answering.answer_limits import (
    FLOOD_MESSAGES,
    FLOOD_TOLD_FOR,
    LOOP_TEXTS,
    MAX_ANSWERS_PER_TRANSACTION,
    MAX_MESSAGES_PER_TRANSACTION,
    MISSES_LAPSE,
    SAME_TEXTS,
)
from shared.conversation.answering.message_answers import AnswerResult
from shared.core.enums import InboxStatus, OrderStatus, OutboxStatus, SilenceReason, State
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.whatsapp.models import Alarm, InboundMessage, OutboundMessage
from shared.whatsapp.services.inbox import inbox_queue
from tests import builders
from tests.integration.conversation.chat import BuyerChat, render_body
from tests.integration.conversation.test_random_walks import roll_back_afterwards

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("check_inventory_after")]

SECOND: Final = timedelta(seconds=1)


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle()


def send_texts(chat: BuyerChat, count: int) -> None:
    """Store different texts of one buyer, all written now."""
    for place in range(count):
        chat.receives("text", {"text": {"body": f"tell me {'x' * place}"}})


def answer_once(chat: BuyerChat) -> AnswerResult:
    return waiting_messages.answer_waiting_messages(chat.contact.pk, now=chat.now, pivot=1)


def count_errors() -> Counter[str]:
    return Counter(InboundMessage.objects.values_list("error", flat=True))


class TestTransaction:
    def test_answers_few_messages_however_many_wait(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        for _ in range(12):
            chat.receives("text", {"text": {"body": "menu"}})

        assert answer_once(chat).messages == MAX_ANSWERS_PER_TRANSACTION
        assert len(chat.list_messages()) <= MAX_ANSWERS_PER_TRANSACTION

    def test_reads_few_messages_however_many_wait(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        send_texts(chat, 2)
        one = InboundMessage.objects.latest("pk")
        more = MAX_MESSAGES_PER_TRANSACTION * 2
        InboundMessage.objects.bulk_create(
            [_copy_message(one, serial=serial) for serial in range(more)]
        )
        handled: list[int] = []
        while handled[-1:] != [0]:
            handled.append(answer_once(chat).messages)

        assert sum(handled) == more + 2
        assert max(handled) <= MAX_MESSAGES_PER_TRANSACTION
        assert not InboundMessage.objects.exclude(status=InboxStatus.PROCESSED).exists()

    def test_postpones_messages_that_it_does_not_read(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        retry_at = chat.now + timedelta(seconds=9)
        chat.receives("text", {"text": {"body": "hi"}}, next_attempt_at=retry_at, attempts=1)
        last = chat.receives("text", {"text": {"body": "hi"}})
        for serial in range(MAX_MESSAGES_PER_TRANSACTION):
            _copy_message(last, serial=serial).save()

        assert answer_once(chat).messages == 0
        assert set(InboundMessage.objects.values_list("next_attempt_at", flat=True)) == {retry_at}
        assert inbox_queue.list_waiting_contacts(now=chat.now, limit=9) == []


def _copy_message(message: InboundMessage, *, serial: int) -> InboundMessage:
    copied = InboundMessage.objects.get(pk=message.pk)
    copied.pk = None
    copied.wa_message_id = copied.dedupe_key = f"wamid.copy{serial}"
    return copied


@pytest.mark.acceptance
class TestFlood:
    def test_is_told_once_and_alarms_and_the_excess_is_kept(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        send_texts(chat, 100)
        replies = chat.answer_waiting()

        assert len(replies) <= FLOOD_MESSAGES + 1
        assert Counter(reply.key for reply in replies)["slow_down"] == 1
        assert "wait a minute" in render_body(replies[-1])
        assert count_errors()[SilenceReason.FLOOD] == 100 - FLOOD_MESSAGES
        assert Alarm.objects.get(key=f"flood:{chat.contact.pk}").count == 1

    @pytest.mark.same_everywhere
    def test_is_over_after_a_calm_minute(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        send_texts(chat, 30)
        chat.answer_waiting()
        during = chat.later(seconds=30).says("hi")
        after = chat.later(seconds=61).says("hi")

        assert during == []
        assert [reply.key for reply in after] == ["card"]

    @pytest.mark.same_everywhere
    def test_of_another_hour_is_told_again(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        for _ in range(2):
            send_texts(chat, 30)
            chat.answer_waiting()
            chat.now += FLOOD_TOLD_FOR + SECOND

        assert chat.list_message_keys().count("slow_down") == 2
        assert Alarm.objects.get(key=f"flood:{chat.contact.pk}").count == 2

    def test_loses_no_receipt_no_tap_and_no_cancel(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        order = chat.buys()
        send_texts(chat, 50)
        chat.answer_waiting()
        taps = chat.taps("My tickets")
        chat.sends_picture()
        order.refresh_from_db()
        cancelling = chat.says("CANCEL")

        assert [reply.key for reply in taps] == ["my_tickets"]
        assert order.under_review
        assert [reply.key for reply in cancelling] == ["cancel_surely"]

    @pytest.mark.same_everywhere
    def test_of_cancels_is_answered_a_few_times(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        order = chat.buys()
        for _ in range(30):
            chat.receives("text", {"text": {"body": "CANCEL"}})
        replies = chat.answer_waiting()

        order.refresh_from_db()
        assert order.status == OrderStatus.CANCELLED
        assert len(replies) <= SAME_TEXTS + 1  # with the request to wait a minute

    @pytest.mark.same_everywhere
    def test_of_taps_faster_than_a_finger_ends(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        tap = {"type": "button_reply", "button_reply": {"id": "r1:menu", "title": "Menu"}}
        for _ in range(100):
            chat.receives("interactive", {"interactive": tap})

        assert len(chat.answer_waiting()) < 40

    @pytest.mark.same_everywhere
    def test_of_an_album_is_none(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        order = chat.buys()
        for _ in range(30):
            chat.receives("image", {"image": {"id": "m", "mime_type": "image/jpeg"}})
        chat.answer_waiting()

        assert order.proofs.count() == 30
        assert [reply.key for reply in chat.says("thanks")] != []
        assert not Alarm.objects.exists()

    @pytest.mark.same_everywhere
    def test_of_a_blocked_contact_is_neither_told_nor_alarmed(self, raffle: Raffle) -> None:
        chat = BuyerChat(builders.create_contact(is_blocked=True))
        send_texts(chat, 50)

        assert chat.answer_waiting() == []
        assert not Alarm.objects.exists()


@pytest.mark.acceptance
class TestLoop:
    @pytest.mark.same_everywhere
    def test_of_texts_not_understood_falls_silent_and_alarms_once(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        replies = [chat.later(seconds=4).says(f"qwertz {'x' * place}") for place in range(9)]

        assert [len(each) for each in replies] == [1, 1, 1, *[0] * 6]
        assert [reply.key for reply in replies[2]] == ["ask_a_person"]
        assert count_errors()[SilenceReason.LOOP] == 6
        assert Alarm.objects.get(key=f"chat_loop:{chat.contact.pk}").count == 1

    @pytest.mark.parametrize(
        "wake",
        [
            lambda chat: chat.says("hi"),
            lambda chat: chat.taps_id("r1:menu", "Menu"),
            lambda chat: chat.sends_picture(),
        ],
        ids=["understood", "tap", "receipt"],
    )
    @pytest.mark.same_everywhere
    def test_is_ended_by_a_text_that_is_understood_a_tap_or_a_receipt(
        self, raffle: Raffle, wake: Any
    ) -> None:
        chat = BuyerChat()
        for place in range(6):
            chat.says(f"qwertz {'x' * place}")

        assert len(wake(chat)) == 1
        assert len(chat.says("qwertz again")) == 1

    @pytest.mark.same_everywhere
    def test_is_forgotten_after_hours(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        for place in range(6):
            chat.says(f"qwertz {'x' * place}")
        chat.now += MISSES_LAPSE + SECOND

        assert len(chat.says("is anybody there, please")) == 1

    @pytest.mark.parametrize("text", ["hi", "Thank you for your message!", "menu", "help"])
    @pytest.mark.same_everywhere
    def test_of_the_same_sentence_falls_silent(self, raffle: Raffle, text: str) -> None:
        chat = BuyerChat()
        replies = [chat.later(seconds=4).says(text) for _ in range(2 * SAME_TEXTS + 4)]

        assert sum(map(len, replies)) <= SAME_TEXTS
        assert Alarm.objects.get(key=f"chat_loop:{chat.contact.pk}").count == 1

    @pytest.mark.same_everywhere
    def test_of_two_sentences_falls_silent(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        replies = [
            chat.later(seconds=4).says(text)
            for _ in range(SAME_TEXTS + 4)
            for text in ("hi", "Thank you!")
        ]

        assert sum(map(len, replies)) <= 2 * SAME_TEXTS

    @pytest.mark.same_everywhere
    def test_is_not_what_a_person_does_who_greets_three_times_a_day(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        replies = [chat.later(hours=3).says("hi") for _ in range(6)]

        assert [len(each) for each in replies] == [1] * 6

    @pytest.mark.same_everywhere
    def test_is_not_what_a_person_does_who_waits_for_the_draw(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        replies = [chat.later(seconds=50).says("who won") for _ in range(2 * SAME_TEXTS)]
        more = [chat.later(seconds=4).says("who won") for _ in range(LOOP_TEXTS)]

        assert [len(each) for each in replies] == [1] * 2 * SAME_TEXTS
        assert sum(map(len, more)) <= LOOP_TEXTS - 2 * SAME_TEXTS

    @pytest.mark.same_everywhere
    def test_does_not_keep_a_buyer_from_confirming_and_cancelling(self) -> None:
        builders.create_raffle(price=0, max_per_contact=None)
        chat = BuyerChat()
        for _ in range(SAME_TEXTS + 3):
            chat.later(seconds=30).says("2 random")
            chat.gets_messages()
            chat.later(seconds=30).says("yes")

        paid = Order.objects.filter(contact=chat.contact, status=OrderStatus.PAID)
        assert paid.count() == SAME_TEXTS + 3


class TestEarlyAnswer:
    def test_that_arrived_before_the_question_confirms_nothing(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        for text in ("hi", "3 random", "yes"):
            chat.receives("text", {"text": {"body": text}})
        chat.later(seconds=5).answer_waiting()

        assert chat.list_message_keys() == ["held"]
        assert chat.order().status == OrderStatus.DRAFT
        assert count_errors()[SilenceReason.TOO_EARLY] == 1
        chat.later(seconds=5).says("yes")
        assert chat.order().status == OrderStatus.PENDING_PAYMENT

    @pytest.mark.parametrize(
        ("written", "counts"),
        [
            (timedelta(seconds=-60), False),
            (timedelta(seconds=-1), False),
            (timedelta(), True),
            (timedelta(seconds=5), True),
        ],
    )
    @pytest.mark.same_everywhere
    def test_is_told_by_the_second_in_which_it_was_written(
        self, raffle: Raffle, written: timedelta, counts: bool
    ) -> None:
        chat = BuyerChat(now=builders.NOON + timedelta(milliseconds=700))
        chat.says("3 random")
        chat.later(seconds=9).says("yes", sent_at=builders.NOON + written)

        expected = OrderStatus.PENDING_PAYMENT if counts else OrderStatus.DRAFT
        assert chat.order().status == expected

    @pytest.mark.same_everywhere
    def test_does_not_confirm_a_cancellation(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        order = chat.buys()
        chat.sends_picture()
        asked = chat.later(minutes=1).says("cancel")
        chat.gets_messages()
        chat.later(seconds=5).says("yes", sent_at=chat.now - timedelta(seconds=30))

        order.refresh_from_db()
        assert [reply.key for reply in asked] == ["cancel_surely"]
        assert order.status == OrderStatus.PENDING_PAYMENT
        chat.says("yes")
        order.refresh_from_db()
        assert order.status == OrderStatus.CANCELLED

    @pytest.mark.same_everywhere
    def test_is_not_one_to_a_question_that_was_asked_again_later(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        chat.says("3 random")
        chat.gets_messages()
        written = chat.later(seconds=30).now
        chat.later(seconds=30).says("thanks")
        chat.gets_messages()
        chat.says("yes", sent_at=written)

        assert chat.order().status == OrderStatus.PENDING_PAYMENT

    @pytest.mark.same_everywhere
    def test_counts_from_when_the_question_was_sent_not_queued(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        (question,) = chat.says("3 random")
        sent_at = chat.now + timedelta(minutes=5)
        written = chat.later(minutes=2).now
        _update(question, status=OutboxStatus.SENT, sent_at=sent_at)
        chat.later(minutes=4).says("yes", sent_at=written)

        assert chat.order().status == OrderStatus.DRAFT

    @pytest.mark.same_everywhere
    def test_to_a_question_that_never_came_gets_the_question(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        (question,) = chat.says("3 random")
        _update(question, status=OutboxStatus.STALE)
        replies = chat.later(minutes=2).says("yes")

        assert [reply.key for reply in replies] == ["held"]
        assert chat.order().status == OrderStatus.DRAFT
        chat.says("yes")
        assert chat.order().status == OrderStatus.PENDING_PAYMENT

    @pytest.mark.same_everywhere
    def test_is_not_known_of_a_question_asked_by_an_earlier_version(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        chat.says("3 random")
        chat.contact.refresh_from_db()
        del chat.contact.context["question"]
        chat.contact.save()
        chat.later(minutes=1).says("yes")

        assert chat.order().status == OrderStatus.PENDING_PAYMENT


def _update(message: OutboundMessage, **fields: Any) -> None:
    OutboundMessage.objects.filter(pk=message.pk).update(**fields)


KINDS: Final[dict[str, dict[str, Any]]] = {
    "text": {"text": {"body": "hi"}},
    "other": {"text": {"body": "qwertz"}},
    "image": {"image": {"id": "m", "mime_type": "image/jpeg"}},
    "audio": {"audio": {}},
    "interactive": {
        "interactive": {
            "type": "button_reply",
            "button_reply": {"id": "r1:menu", "title": "Menu"},
        }
    },
}


@pytest.mark.acceptance
@pytest.mark.same_everywhere
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.integers(-70, 70)), max_size=30))
def test_whatever_comes_in_whatever_order_each_is_handled_once_and_no_receipt_is_lost(
    raffle: Raffle, sent: list[tuple[str, int]]
) -> None:
    with roll_back_afterwards():
        chat = BuyerChat()
        chat.buys()
        for kind, seconds in sent:
            at: datetime = chat.now + timedelta(seconds=seconds)
            chat.receives(kind.replace("other", "text"), KINDS[kind], sent_at=at)
        replies = chat.later(minutes=2).answer_waiting()

        pictures = sum(kind == "image" for kind, _ in sent)
        assert PaymentProof.objects.count() == pictures
        assert not InboundMessage.objects.exclude(status=InboxStatus.PROCESSED).exists()
        answered = Counter(reply.in_reply_to_id for reply in replies)
        assert set(answered.values()) <= {1}
        assert chat.state in State
