"""Texts that wait together and get one answer, on the database and over batches."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import count
from typing import Any, Final

import pytest

from shared.conversation.answering import answer_batches, waiting_messages
from shared.conversation.answering.answer_limits import FLOOD_MESSAGES, SAME_TEXTS
from shared.core.constants import ANSWER_CPU_SECONDS, LEFT_OVER_AFTER
from shared.core.enums import InboxStatus, OrderStatus, SilenceReason
from shared.raffles.models import Order, Raffle
from shared.whatsapp.models import InboundMessage, OutboundMessage
from tests import builders
from tests.builders import NOON
from tests.integration.conversation.chat import BuyerChat, render_body
from tests.integration.conversation.test_receipts import buy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("check_inventory_after")]

SECOND: Final = timedelta(seconds=1)
FIVE_TEXTS: Final = ("hi", "i want tickets", "3", "random", "pls")


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle()


def receive_texts(chat: BuyerChat, *texts: str) -> list[InboundMessage]:
    """Store texts that were written one second after the other."""
    received = []
    for text in texts:
        received.append(chat.receives("text", {"text": {"body": text}}))
        chat.later(seconds=1)
    return received


def answer_alone(chat: BuyerChat, **arguments: Any) -> None:
    """Answer a buyer's waiting messages, one transaction after the other."""
    while True:
        done = waiting_messages.answer_or_record_failure(
            chat.contact.pk, **{"now": chat.now, "pivot": 1, **arguments}
        )
        if done is None or not done.messages:
            return


def answer_in_batches(chat: BuyerChat) -> None:
    """Answer a buyer's waiting messages in batches, none of which may leave any."""
    while True:
        done = answer_batches.answer_contacts([chat.contact.pk], now=chat.now, pivot=1)
        assert done.left == done.postponed == ()
        if not done.has_more:
            return


@pytest.fixture(params=[answer_alone, answer_in_batches])
def answer(request: pytest.FixtureRequest) -> Callable[[BuyerChat], None]:
    answer: Callable[[BuyerChat], None] = request.param
    return answer


def list_errors(messages: Sequence[InboundMessage]) -> list[str]:
    for message in messages:
        message.refresh_from_db()
        assert message.status == InboxStatus.PROCESSED
    return [message.error for message in messages]


class TestRun:
    def test_of_five_texts_gets_one_answer_and_holds_three_numbers(
        self, raffle: Raffle, answer: Callable[[BuyerChat], None]
    ) -> None:
        chat = BuyerChat()
        received = receive_texts(chat, *FIVE_TEXTS)

        answer(chat)

        assert list_errors(received) == [""] * 5
        reply = OutboundMessage.objects.get(contact=chat.contact)
        assert (reply.key, reply.in_reply_to) == ("held", received[-1])
        assert Order.objects.get().tickets.count() == 3
        chat.contact.refresh_from_db()
        assert chat.contact.last_inbound_at == received[-1].sent_at

    def test_ends_at_a_cancel_which_is_answered_in_its_place(
        self, raffle: Raffle, answer: Callable[[BuyerChat], None]
    ) -> None:
        chat = BuyerChat()
        received = receive_texts(chat, "hi", "3 random", "CANCEL", "07", "and 13")

        answer(chat)

        list_errors(received)
        assert chat.list_message_keys() == ["held", "cancelled", "held"]
        held = Order.objects.get(status=OrderStatus.DRAFT)
        assert "*007 · 013*" in render_body(chat.list_messages()[-1])
        assert Order.objects.exclude(pk=held.pk).get().status == OrderStatus.CANCELLED

    def test_ends_at_a_tap(self, raffle: Raffle, answer: Callable[[BuyerChat], None]) -> None:
        chat = BuyerChat()
        tap = {"type": "button_reply", "button_reply": {"id": "r1:menu", "title": "Menu"}}
        receive_texts(chat, "hi", "hello")
        chat.receives("interactive", {"interactive": tap})
        receive_texts(chat, "3 random", "pls")

        answer(chat)

        assert chat.list_message_keys() == ["card", "card", "held"]

    def test_leaves_a_yes_from_before_the_question_alone(
        self, raffle: Raffle, answer: Callable[[BuyerChat], None]
    ) -> None:
        chat = BuyerChat()
        received = receive_texts(chat, "hi", "3 random", "yes", "thanks")

        answer(chat)

        assert list_errors(received)[2] == SilenceReason.TOO_EARLY
        assert Order.objects.get().status == OrderStatus.DRAFT

    def test_does_not_make_a_later_time_of_a_yes_that_came_too_early(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        chat.says("3 random")
        chat.gets_messages()
        chat.receives("text", {"text": {"body": "yes"}}, sent_at=chat.now - 5 * SECOND)
        chat.receives("text", {"text": {"body": "pls"}}, sent_at=chat.now + 3 * SECOND)

        answer_alone(chat.later(seconds=4))

        assert Order.objects.get().status == OrderStatus.DRAFT

    @pytest.mark.same_everywhere
    def test_leaves_a_receipt_its_words(self, raffle: Raffle) -> None:
        builders.create_raffle(title="Winter Raffle")
        chat = BuyerChat()
        first, second = buy(chat, "Summer Raffle"), buy(chat, "Winter Raffle")
        receive_texts(chat, "hi", "here comes the money", f"for {first.code}")
        chat.receives("image", {"image": {"id": "media1", "mime_type": "image/jpeg"}})

        answer_alone(chat)

        assert (first.proofs.count(), second.proofs.count()) == (1, 0)


@pytest.mark.same_everywhere
class TestFailure:
    def test_of_a_run_leaves_the_blame_with_one_message(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        received = receive_texts(chat, *FIVE_TEXTS)
        clock = count(0, ANSWER_CPU_SECONDS + 1)

        answer_alone(chat, cpu_clock=lambda: next(clock))

        attempts = InboundMessage.objects.order_by("pk").values_list("attempts", flat=True)
        assert list(attempts) == [1, 0, 0, 0, 0]
        answer_alone(chat, now=chat.now + 5 * SECOND)
        assert list_errors(received) == [""] * 5
        assert chat.list_message_keys() == ["card", "held"]

    def test_of_texts_together_is_none_of_each_of_them(self, raffle: Raffle) -> None:
        """The clock runs away once, in the answer to all."""
        chat = BuyerChat()
        received = receive_texts(chat, *FIVE_TEXTS)
        times = iter([0.0, 0.0, ANSWER_CPU_SECONDS + 1])

        answer_alone(chat, cpu_clock=lambda: next(times, ANSWER_CPU_SECONDS + 1))

        assert list_errors(received) == [""] * 5
        assert {message.attempts for message in received} == {0}
        replies = OutboundMessage.objects.filter(contact=chat.contact)
        assert replies.count() > 1

    @pytest.mark.parametrize("answer_first", [True, False])
    def test_is_counted_once_for_texts_that_waited_for_long(
        self, raffle: Raffle, answer_first: bool
    ) -> None:
        chat = BuyerChat()
        received = receive_texts(chat, *FIVE_TEXTS)
        chat.now += LEFT_OVER_AFTER + SECOND

        answer_alone(chat) if answer_first else answer_in_batches(chat)

        assert list_errors(received) == [""] * 5
        assert [message.attempts for message in received] == [1, 0, 0, 0, 0]
        assert chat.list_message_keys() == ["held"]


@pytest.mark.same_everywhere
class TestLimits:
    def test_a_run_counts_as_its_messages_in_a_flood(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        for place in range(FLOOD_MESSAGES + 3):
            chat.receives("text", {"text": {"body": f"tell me {'x' * place}"}})

        answer_alone(chat)

        errors = InboundMessage.objects.order_by("pk").values_list("error", flat=True)
        assert list(errors) == [""] * FLOOD_MESSAGES + [SilenceReason.FLOOD] * 3
        assert "slow_down" in chat.list_message_keys()

    def test_a_run_of_one_text_counts_once_as_the_same_again(self, raffle: Raffle) -> None:
        chat = BuyerChat()
        received = receive_texts(chat, *["hi"] * (SAME_TEXTS + 2))

        answer_alone(chat)

        assert list_errors(received) == [""] * (SAME_TEXTS + 2)
        assert chat.list_message_keys() == ["card"]
        again = receive_texts(chat.later(seconds=20), "hi", "hi")
        answer_alone(chat)
        assert list_errors(again) == [SilenceReason.LOOP] * 2
        new = receive_texts(chat.later(seconds=20), "hi", "3 random")
        answer_alone(chat)
        assert list_errors(new) == [""] * 2

    def test_all_words_of_a_run_are_kept_for_a_person(self, raffle: Raffle) -> None:
        chat = BuyerChat(now=NOON)
        chat.says("human")
        received = receive_texts(chat.later(seconds=20), "hello?", "3 random", "pls")

        answer_alone(chat)

        assert list_errors(received) == [SilenceReason.PERSON] * 3
        assert not Order.objects.exists()
