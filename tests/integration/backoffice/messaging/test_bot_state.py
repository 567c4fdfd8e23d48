"""Tests of who wrote a message of a chat, and of the sentence about the bot."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backoffice.messaging import bot_state
from backoffice.messaging.chat_view import load_conversation
from shared.use_cases.contacts import handover
from shared.whatsapp.models import WhatsAppContact
from shared.whatsapp.services.inbox import app_messages
from shared.whatsapp.services.inbox.app_messages import APP_AUTHOR, APP_KEY
from shared.whatsapp.webhook_items import EchoItem
from tests import builders
from tests.builders import NOON
from tests.integration.conversation.chat import BuyerChat
from tests.integration.whatsapp.outbox_builders import queue_message

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "The bot answers."),
        (
            {"wants_person_at": -9, "bot_paused_until": 90},
            (
                "The bot is quiet until 13:30, because a person took the chat over. "
                "They have waited for an answer since 11:51."
            ),
        ),
        (
            {"bot_paused_until": 24 * 60},
            "The bot is quiet until 23 Nov 2026, 12:00, because a person took the chat over.",
        ),
        (
            {"wants_person_at": -180, "bot_paused_until": -1},
            "They have waited for a person for 3 h. The bot answers their words again.",
        ),
    ],
)
def test_the_bot_is_described_with_its_reason(fields: dict[str, int], sentence: str) -> None:
    moments = {name: NOON + timedelta(minutes=each) for name, each in fields.items()}
    buyer = builders.create_contact(**moments)

    state = bot_state.describe_bot_state(buyer, now=NOON)

    assert state.sentence == sentence


def ask(contact_id: int) -> None:
    chat = BuyerChat(WhatsAppContact.objects.get(pk=contact_id))
    chat.says("person")


def quiet(contact_id: int) -> None:
    handover.pause(contact_id, by=builders.build_staff_actor(), now=NOON)


def write(contact_id: int) -> None:
    by = builders.build_staff_actor()
    handover.send_staff_message(contact_id, text="Hello", by=by, now=NOON)


def write_in_app(contact_id: int) -> None:
    address = WhatsAppContact.objects.get(pk=contact_id).wa_id or ""
    echo = EchoItem(
        phone_number_id=builders.PHONE_NUMBER_ID,
        display_phone_number="",
        wa_message_id="wamid.echo",
        sent_at=NOON,
        payload={"type": "text", "text": {"body": "Hello"}},
        user_id=None,
        parent_user_id="",
        wa_id=address,
        profile_name="",
    )
    app_messages.store_echoes([echo], now=NOON)


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([ask], "they asked for a person at 12:00"),
        ([quiet], "rita quieted it at 12:00"),
        ([write], "rita wrote to them at 12:00"),
        ([write_in_app], "you wrote to them in the WhatsApp Business app at 12:00"),
        ([ask, write], "rita wrote to them at 12:00"),
        ([quiet, ask], "rita quieted it at 12:00. They have waited for an answer since 12:00"),
        ([write, quiet], "rita quieted it at 12:00"),
    ],
)
def test_the_last_cause_of_the_pause_is_named(
    steps: list[Callable[[int], None]], reason: str
) -> None:
    buyer = builders.create_contact(last_inbound_at=NOON)

    for step in steps:
        step(buyer.pk)

    buyer.refresh_from_db()
    state = bot_state.describe_bot_state(buyer, now=NOON)
    assert state.sentence == f"The bot is quiet until 23 Nov 2026, 00:00, because {reason}."


@pytest.mark.parametrize(
    ("payload", "text", "kind"),
    [
        ({"type": "text", "text": {"body": "On my way"}}, "On my way", ""),
        (
            {"type": "document", "document": {"id": "1", "caption": "The rules"}},
            "The rules",
            "Document",
        ),
        ({"type": "audio", "audio": {"id": "1"}}, "", "Voice message"),
    ],
)
def test_what_was_written_in_the_app_is_shown_by_its_kind(
    payload: dict[str, Any], text: str, kind: str
) -> None:
    buyer = builders.create_contact()
    queue_message(buyer, key=APP_KEY, written_by=APP_AUTHOR, payload=payload, status="SENT")

    [bubble] = load_conversation(buyer.pk, zone="UTC").bubbles

    assert (bubble.plain, bubble.kind, bubble.author) == (text, kind, APP_AUTHOR)


def test_words_for_a_person_are_troubled_only_while_their_buyer_waits() -> None:
    chat = BuyerChat(builders.create_contact())
    chat.says("person")
    for minutes in (1, 2):
        chat.later(minutes=minutes).says("Where is my ticket?")
        WhatsAppContact.objects.update(wants_person_at=chat.now)

    bubbles = load_conversation(chat.contact.pk, zone="UTC").bubbles

    shown = [(bubble.trouble, bubble.aside) for bubble in bubbles if not bubble.ours]
    assert shown == [
        ("", ""),
        ("", "For a person: the bot was quiet."),
        ("It waits for a person.", ""),
    ]


def test_bubbles_say_who_wrote_them() -> None:
    buyer = builders.create_contact(last_inbound_at=timezone.now())
    queue_message(buyer)
    handover.send_staff_message(
        buyer.pk, text="Hello", by=builders.build_staff_actor(), now=timezone.now()
    )

    bubbles = load_conversation(buyer.pk, zone="UTC").bubbles

    assert [(bubble.author, bubble.person) for bubble in bubbles] == [
        ("Bot", False),
        ("rita", True),
    ]
