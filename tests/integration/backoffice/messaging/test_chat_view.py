"""Tests of a buyer's conversation as staff see it: speakers, times and delivery states."""

from typing import Any

import pytest
from django.template.loader import render_to_string
from pytest_django import DjangoAssertNumQueries

from backoffice.messaging import chat_view
from backoffice.messaging.chat_view import DeliveryTick
from shared.core.enums import (
    InboxStatus,
    MessageDeliveryStatus,
    OutboxKind,
    OutboxStatus,
    SilenceReason,
)
from shared.whatsapp import messages
from shared.whatsapp.models import InboundMessage, OutboundMessage, WhatsAppContact
from shared.whatsapp.services.outbox.message_status import SUPERSEDED
from tests import builders
from tests.builders import MINUTE, NOON, PHONE_NUMBER_ID

pytestmark = pytest.mark.django_db


def create_inbound(
    buyer: WhatsAppContact, payload: dict[str, Any], *, minute: int, **fields: Any
) -> None:
    key = f"wamid.{buyer.pk}.{minute}"
    InboundMessage.objects.create(
        phone_number_id=PHONE_NUMBER_ID,
        wa_message_id=key,
        dedupe_key=key,
        contact=buyer,
        payload=payload,
        type=payload["type"],
        sent_at=NOON + minute * MINUTE,
        received_at=NOON + minute * MINUTE,
        **fields,
    )


def create_outbound(
    buyer: WhatsAppContact, message: dict[str, Any], *, minute: int, **fields: Any
) -> OutboundMessage:
    return OutboundMessage.objects.create(
        **{
            "phone_number_id": PHONE_NUMBER_ID,
            "contact": buyer,
            "kind": OutboxKind.REPLY,
            "key": "card",
            "payload": message,
            "status": OutboxStatus.SENT,
            "created_at": NOON + minute * MINUTE,
            **fields,
        }
    )


class TestConversation:
    def test_tells_both_sides_in_the_order_it_was_said_within_two_queries(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        buyer = builders.create_contact()
        create_inbound(buyer, {"type": "text", "text": {"body": "hi"}}, minute=0, text="hi")
        create_outbound(
            buyer,
            messages.build_buttons(
                "*Summer Raffle*",
                buttons=[messages.ReplyButton("a", "Random"), messages.ReplyButton("b", "Pick")],
            ),
            minute=1,
        )
        create_inbound(
            buyer,
            {
                "type": "interactive",
                "interactive": {"button_reply": {"id": "a", "title": "Random"}},
            },
            minute=2,
            text="Random",
        )
        create_inbound(buyer, {"type": "image", "image": {"id": "1"}}, minute=3)
        create_outbound(
            builders.create_contact(), messages.build_text("for somebody else"), minute=1
        )

        with django_assert_num_queries(2):
            shown = chat_view.load_conversation(buyer.pk, zone="America/Bogota")

        assert [(b.ours, b.kind, b.plain, b.clock) for b in shown.bubbles] == [
            (False, "", "hi", "07:00"),
            (True, "", "*Summer Raffle*", "07:01"),
            (False, "", "Random", "07:02"),
            (False, "Picture", "", "07:03"),
        ]
        assert shown.bubbles[1].text == "<strong>Summer Raffle</strong>"
        assert shown.bubbles[1].chips == ("Random", "Pick")
        assert shown.bubbles[2].tapped

    def test_shows_the_last_messages_and_that_there_are_earlier_ones(self) -> None:
        buyer = builders.create_contact()
        for minute in range(6):
            create_outbound(buyer, messages.build_text(str(minute)), minute=minute)

        shown = chat_view.load_conversation(buyer.pk, zone="UTC", limit=4)

        assert [bubble.plain for bubble in shown.bubbles] == ["2", "3", "4", "5"]
        assert shown.earlier

    @pytest.mark.same_everywhere
    def test_says_the_day_where_a_new_one_begins(self) -> None:
        buyer = builders.create_contact()
        for minute in (0, 1, 24 * 60):
            create_outbound(buyer, messages.build_text("x"), minute=minute)

        shown = chat_view.load_conversation(buyer.pk, zone="UTC")

        assert [bubble.day for bubble in shown.bubbles] == [
            "Sun 22 Nov 2026",
            "",
            "Mon 23 Nov 2026",
        ]

    @pytest.mark.same_everywhere
    def test_marks_how_far_each_message_came(self) -> None:
        buyer = builders.create_contact()
        fates = [
            (OutboxStatus.QUEUED, "", DeliveryTick.QUEUED),
            (OutboxStatus.SENT, "", DeliveryTick.SENT),
            (OutboxStatus.SENT, MessageDeliveryStatus.DELIVERED, DeliveryTick.DELIVERED),
            (OutboxStatus.SENT, MessageDeliveryStatus.PLAYED, DeliveryTick.READ),
            (OutboxStatus.SENT, MessageDeliveryStatus.FAILED, DeliveryTick.FAILED),
            (OutboxStatus.UNKNOWN, "", DeliveryTick.UNKNOWN),
            (OutboxStatus.STALE, "", DeliveryTick.STALE),
        ]
        for minute, (status, delivery, _) in enumerate(fates):
            create_outbound(
                buyer, messages.build_text("x"), minute=minute, status=status, delivery=delivery
            )

        shown = chat_view.load_conversation(buyer.pk, zone="UTC")

        assert [bubble.tick for bubble in shown.bubbles] == [tick for _, _, tick in fates]

    def test_says_in_words_why_news_did_not_arrive_until_later_news_does(self) -> None:
        buyer = builders.create_contact(wa_id="15550107777")
        held_back = {"kind": OutboxKind.NOTICE, "status": OutboxStatus.WITHHELD, "key": "paid"}
        create_outbound(buyer, messages.build_text("07 & 13 are yours"), minute=0, **held_back)

        untold = chat_view.load_conversation(buyer.pk, zone="UTC").untold
        create_outbound(buyer, messages.build_text("again"), minute=1, kind=OutboxKind.NOTICE)

        assert untold is not None
        assert "More than 24 hours" in untold.trouble
        link = chat_view.build_whatsapp_link(buyer.wa_id, text=untold.plain)
        assert link == "https://wa.me/15550107777?text=07%20%26%2013%20are%20yours"
        assert chat_view.load_conversation(buyer.pk, zone="UTC").untold is None

    def test_does_not_ask_anybody_to_tell_what_is_not_true_any_more(self) -> None:
        buyer = builders.create_contact()
        withdrawn = {"kind": OutboxKind.NOTICE, "status": OutboxStatus.STALE, "error": SUPERSEDED}
        create_outbound(buyer, messages.build_text("07 is yours"), minute=0, **withdrawn)

        shown = chat_view.load_conversation(buyer.pk, zone="UTC")

        assert shown.untold is None
        assert [bubble.trouble for bubble in shown.bubbles] == [SUPERSEDED]

    @pytest.mark.same_everywhere
    def test_is_drawn_with_everything_escaped(self) -> None:
        buyer = builders.create_contact()
        text = "<img src=x> *<b>bold</b>*"
        create_inbound(
            buyer,
            {"type": "text", "text": {"body": text}},
            minute=0,
            text=text,
            status=InboxStatus.FAILED,
        )
        create_outbound(
            buyer, messages.build_text("x"), minute=1, status=OutboxStatus.FAILED, error="<i>no</i>"
        )

        shown = chat_view.load_conversation(buyer.pk, zone="UTC")
        page = render_to_string("messaging/conversation.html", {"conversation": shown})

        assert "<img" not in page
        assert "<i>no" not in page
        assert "<strong>&lt;b&gt;bold&lt;/b&gt;</strong>" in page
        assert "could not be answered" in page

    @pytest.mark.parametrize(
        ("reason", "expected"),
        [
            ("", ""),
            (SilenceReason.FLOOD, "too many messages"),
            (SilenceReason.LOOP, "in circles"),
            (SilenceReason.TOO_EARLY, "before the question"),
        ],
    )
    @pytest.mark.same_everywhere
    def test_marks_what_got_no_answer(self, reason: str, expected: str) -> None:
        buyer = builders.create_contact()
        text = {"type": "text", "text": {"body": "yes"}}
        create_inbound(
            buyer, text, minute=0, text="yes", status=InboxStatus.PROCESSED, error=reason
        )

        shown = chat_view.load_conversation(buyer.pk, zone="UTC")
        page = render_to_string("messaging/conversation.html", {"conversation": shown})

        assert expected in shown.bubbles[0].trouble
        assert ("troubled" in page) is bool(reason)

    @pytest.mark.same_everywhere
    def test_without_a_word_is_kindly_empty(self) -> None:
        shown = chat_view.load_conversation(builders.create_contact().pk, zone="UTC")

        assert shown.bubbles == ()
        page = render_to_string("messaging/conversation.html", {"conversation": shown})
        assert "No messages yet" in page

    @pytest.mark.same_everywhere
    def test_hides_the_link_by_hand_with_the_phone(self) -> None:
        hidden = builders.create_contact(wa_id=None, user_id="US.1")

        assert chat_view.build_whatsapp_link(hidden.wa_id, text="hello") == ""
