"""Tests of the handover to a person, and of STOP and START, with real rows."""

from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.conversation.answering import answer_batches
from shared.conversation.notify import notify_contact
from shared.conversation.values import Reply
from shared.core import config
from shared.core.enums import (
    EventType,
    InboxStatus,
    OrderStatus,
    OutboxKind,
    OutboxStatus,
    PauseReason,
    SilenceReason,
)
from shared.events.models import Event
from shared.raffles.models import PaymentProof
from shared.use_cases.contacts import handover
from shared.whatsapp.models import Alarm, InboundMessage, OutboundMessage
from shared.whatsapp.services import handover as handover_service
from shared.whatsapp.services.inbox import contacts
from tests import builders
from tests.builders import NOON
from tests.integration.conversation.chat import BuyerChat, render_body

pytestmark = pytest.mark.django_db

PAUSE: Final = timedelta(hours=config.get_settings().person_pause_hours)
NEWS: Final = "Paid. *007* is yours."


@pytest.fixture
def chat(db: None) -> BuyerChat:
    builders.create_raffle()
    return BuyerChat()


def tell_news(chat: BuyerChat) -> None:
    """Queue a notice to the buyer, as a decision about an order does."""
    with transaction.atomic():
        notify_contact(contacts.lock_contact(chat.contact.pk), Reply("paid", NEWS), now=chat.now)


def read_contact(chat: BuyerChat) -> Any:
    """Return the buyer as stored now."""
    chat.contact.refresh_from_db()
    return chat.contact


def list_silences() -> list[str]:
    """Return why messages got no answer, in the order in which they were written."""
    return list(InboundMessage.objects.order_by("pk").values_list("error", flat=True))


def answer_by_hand(chat: BuyerChat) -> None:
    """Ask for a person, and let one answer."""
    chat.says("human")
    by = builders.build_staff_actor()
    handover.send_staff_message.__wrapped__(  # type: ignore[attr-defined]
        chat.contact.pk, text="Hello, Rita here.", by=by, now=chat.now
    )
    Event.objects.all().delete()


def create_echo(chat: BuyerChat, *, at: datetime) -> None:
    """Store what the seller wrote in the WhatsApp Business app."""
    OutboundMessage.objects.create(
        phone_number_id=chat.contact.phone_number_id,
        contact=chat.contact,
        kind=OutboxKind.REPLY,
        key="app",
        payload={},
        status=OutboxStatus.SENT,
        written_by="WhatsApp Business app",
        created_at=at,
    )


def count_waits() -> int:
    """Return how many waits for a person other systems were told of."""
    return Event.objects.filter(type=EventType.CONTACT_WANTS_PERSON).count()


class TestPerson:
    def test_who_asks_is_listed_and_the_bot_is_silent_to_words(self, chat: BuyerChat) -> None:
        [told] = chat.says("I want to talk to a person")

        assert told.key == "person_told"
        assert read_contact(chat).wants_person_at == NOON
        assert chat.contact.bot_paused_until == NOON + PAUSE
        assert count_waits() == 1

        assert chat.later(minutes=1).says("hello?") == []
        assert chat.says("person") == []
        assert list_silences() == ["", SilenceReason.PERSON, SilenceReason.PERSON]
        assert set(InboundMessage.objects.values_list("status", flat=True)) == {
            InboxStatus.PROCESSED
        }
        assert read_contact(chat).wants_person_at == NOON
        assert count_waits() == 1

    def test_buying_by_taps_and_receipt_goes_on(self, chat: BuyerChat) -> None:
        order = chat.buys()
        chat.says("human")

        [received] = chat.sends_picture()

        order.refresh_from_db()
        assert order.under_review
        assert received.key == "proof_received"
        assert chat.taps("My tickets")

    def test_cancel_and_help_work_and_leave_the_pause(self, chat: BuyerChat) -> None:
        order = chat.buys()
        chat.says("human")

        assert chat.says("help")
        assert chat.says("CANCEL")

        order.refresh_from_db()
        assert order.status == OrderStatus.CANCELLED
        assert chat.says("hi") == []

    def test_menu_brings_the_bot_back(self, chat: BuyerChat) -> None:
        chat.says("human")

        assert chat.says("menu")

        assert read_contact(chat).wants_person_at is None
        assert chat.contact.bot_paused_until is None
        assert chat.says("3 random")

    def test_the_bot_answers_again_when_the_pause_is_over(self, chat: BuyerChat) -> None:
        chat.says("human")

        assert chat.later(hours=PAUSE / timedelta(hours=1)).says("hi")

        assert read_contact(chat).wants_person_at == NOON  # nobody answered so far

    def test_an_answer_ends_the_wait_and_the_next_words_begin_another(
        self, chat: BuyerChat
    ) -> None:
        chat.says("human")
        by = builders.build_staff_actor()
        handover.send_staff_message.__wrapped__(  # type: ignore[attr-defined]
            chat.contact.pk, text="Hello, Rita here.", by=by, now=NOON
        )
        assert read_contact(chat).wants_person_at is None

        assert chat.later(minutes=1).says("thanks") == []
        assert read_contact(chat).wants_person_at is None
        assert chat.later(minutes=1).says("And my receipt?") == []

        assert read_contact(chat).wants_person_at == chat.now
        assert chat.contact.bot_paused_until == NOON + PAUSE
        assert count_waits() == 2

    def test_an_early_yes_is_not_answered_during_a_pause(self, chat: BuyerChat) -> None:
        chat.buys()
        chat.sends_picture()
        chat.says("cancel")  # asks first
        chat.says("human")
        chat.later(minutes=1)

        assert chat.says("yes", sent_at=NOON - timedelta(minutes=1)) == []

    def test_a_flood_during_a_pause_is_kept_without_a_word(self, chat: BuyerChat) -> None:
        chat.says("human")
        for place in range(60):
            chat.receives("text", {"text": {"body": f"word {place}"}})

        assert chat.answer_waiting() == []

        assert not Alarm.objects.exists()
        chat.later(minutes=2)
        assert chat.says("menu")
        assert chat.says("hi")

    def test_old_words_during_a_pause_get_no_summary(self, chat: BuyerChat) -> None:
        chat.says("human")
        chat.later(hours=1)

        assert chat.says("hello?", sent_at=NOON + timedelta(minutes=1)) == []

        assert list_silences()[-1] == SilenceReason.PERSON

    def test_a_question_from_an_outage_is_listed_since_it_was_asked(self, chat: BuyerChat) -> None:
        answer_by_hand(chat)
        asked_at = chat.later(minutes=1).now
        chat.receives("text", {"text": {"body": "Where is my ticket?"}})
        chat.receives("text", {"text": {"body": "thanks"}})

        assert chat.later(minutes=30).answer_waiting() == []

        assert read_contact(chat).wants_person_at == asked_at
        assert count_waits() == 1
        assert list_silences()[1:] == [SilenceReason.PERSON, SilenceReason.PERSON]

    def test_a_question_in_a_flood_is_listed(self, chat: BuyerChat) -> None:
        answer_by_hand(chat)
        chat.later(minutes=1)
        for _ in range(30):
            chat.receives("text", {"text": {"body": "thanks"}})
        chat.receives("text", {"text": {"body": "Where is my ticket?"}})

        assert chat.answer_waiting() == []

        assert read_contact(chat).wants_person_at == chat.now

    @pytest.mark.parametrize("late", [0, 30])
    def test_a_question_that_a_person_answered_since_is_not_listed(
        self, chat: BuyerChat, late: int
    ) -> None:
        answer_by_hand(chat)
        asked_at = chat.later(minutes=1).now
        chat.receives("text", {"text": {"body": "Where is my ticket?"}})
        create_echo(chat, at=asked_at)

        chat.later(minutes=late).answer_waiting()

        assert read_contact(chat).wants_person_at is None

    def test_an_answer_in_the_second_of_the_question_ends_the_wait(self, chat: BuyerChat) -> None:
        chat.receives("text", {"text": {"body": "person"}})
        chat.now += timedelta(milliseconds=700)
        chat.answer_waiting()

        handover_service.note_answer(
            read_contact(chat), now=NOON, hours=1, reason=PauseReason.WROTE_IN_APP, by="app"
        )

        assert chat.contact.wants_person_at is None

    def test_a_batch_is_as_silent(self, chat: BuyerChat) -> None:
        chat.says("human")
        chat.receives("text", {"text": {"body": "hello?"}})
        chat.later(minutes=1)
        chat.receives("text", {"text": {"body": "menu"}})

        for _ in range(2):
            answer_batches.answer_contacts([chat.contact.pk], now=chat.now, pivot=1)

        assert list_silences() == ["", SilenceReason.PERSON, ""]
        assert chat.list_message_keys() == ["person_told", "card"]
        assert read_contact(chat).bot_paused_until is None


class TestStop:
    def test_is_kept_and_confirmed_once(self, chat: BuyerChat) -> None:
        order = chat.buys()

        [confirmed] = chat.says("STOP")

        assert confirmed.key == "stopped"
        assert str(order) in render_body(confirmed)
        assert read_contact(chat).stopped_at == NOON
        assert chat.says("Stop!") == []
        assert list_silences()[-1] == SilenceReason.STOPPED
        order.refresh_from_db()
        assert order.status == OrderStatus.PENDING_PAYMENT

    def test_news_waits_for_the_next_message_and_is_sent_before_its_answer(
        self, chat: BuyerChat
    ) -> None:
        chat.buys()
        tell_news(chat)  # still in the queue
        chat.says("stop")
        tell_news(chat)
        first, second = OutboundMessage.objects.filter(key="paid").order_by("pk")
        assert (first.status, second.status) == (OutboxStatus.WITHHELD,) * 2

        chat.says("stop")
        second.refresh_from_db()
        assert second.status == OutboxStatus.WITHHELD

        [answer] = chat.says("my tickets")

        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.status, second.status) == (OutboxStatus.QUEUED,) * 2
        assert first.pk < second.pk < answer.pk
        tell_news(chat)
        assert OutboundMessage.objects.order_by("pk").reverse()[0].status == OutboxStatus.WITHHELD

    def test_buying_goes_on(self, chat: BuyerChat) -> None:
        chat.says("stop")

        assert chat.buys().status == OrderStatus.PENDING_PAYMENT

    def test_ends_with_start(self, chat: BuyerChat) -> None:
        chat.says("stop")
        tell_news(chat)

        [welcome] = chat.says("start")

        assert read_contact(chat).stopped_at is None
        assert OutboundMessage.objects.get(key="paid").status == OutboxStatus.QUEUED
        assert render_body(welcome).startswith("Welcome back!")
        tell_news(chat)
        assert not OutboundMessage.objects.filter(status=OutboxStatus.WITHHELD).exists()

    def test_counts_as_a_button_of_a_template(self, chat: BuyerChat) -> None:
        button = {"payload": "Stop promotions", "text": "Stop promotions"}

        chat.answer_waiting(chat.receives("button", {"button": button}))

        assert read_contact(chat).stopped_at == NOON

    def test_counts_however_old_it_is(self, chat: BuyerChat) -> None:
        chat.says("hi")
        chat.later(hours=3)

        [confirmed] = chat.says("stop", sent_at=NOON + timedelta(hours=1))

        assert confirmed.key == "stopped"

    def test_counts_in_a_flood(self, chat: BuyerChat) -> None:
        for place in range(40):
            chat.receives("text", {"text": {"body": f"word {place}"}})
        chat.says("unsubscribe")

        assert read_contact(chat).stopped_at == NOON

    def test_is_answered_in_a_batch(self, chat: BuyerChat) -> None:
        tell_news(chat)
        chat.receives("text", {"text": {"body": "stop"}})

        result = answer_batches.answer_contacts([chat.contact.pk], now=NOON, pivot=1)

        assert result.answered.replies == 1
        assert OutboundMessage.objects.get(key="paid").status == OutboxStatus.WITHHELD
        assert read_contact(chat).stopped_at == NOON


WORDS: Final = ("hi", "5", "3 random", "yes", "no", "07", "rules", "who won", "person", "cancle",
                "done", "my tickets", "home", "R-7K3F9", "thanks", "how to pay")  # fmt: skip
TEXTS: Final = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
)
ACTS: Final = ("receipt", "tap", "help", "voice")


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(story=st.lists(st.one_of(st.sampled_from(WORDS), st.sampled_from(ACTS), TEXTS), max_size=8))
def test_during_a_pause_words_get_nothing_and_all_else_works(db: None, story: list[str]) -> None:
    """0 messages to words that are no commands; every receipt kept; taps and commands answered."""
    point = transaction.savepoint()
    try:
        builders.create_raffle()
        chat = BuyerChat()
        chat.buys()
        chat.says("person")
        receipts = 0
        for act in story:
            chat.later(seconds=20)
            match act:
                case "receipt":
                    receipts += 1
                    chat.sends_picture()
                case "tap":
                    assert chat.taps_id("r1:mine", "My tickets")
                case "help":
                    assert chat.says("help")
                case "voice":
                    assert chat.sends_anything("audio") == []
                case _:
                    said = act.strip().casefold()
                    if said not in {"menu", "cancel", "help", "stop", "start"}:
                        assert chat.says(act) == []
        assert PaymentProof.objects.filter(contact=chat.contact).count() == receipts
        assert not InboundMessage.objects.exclude(status=InboxStatus.PROCESSED).exists()
    finally:
        transaction.savepoint_rollback(point)
