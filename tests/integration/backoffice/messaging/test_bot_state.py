"""Tests of who wrote a message of a chat, and of the sentence about the bot."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backoffice.messaging import bot_state
from backoffice.messaging.chat_view import load_conversation
from shared.use_cases import handover
from tests import builders
from tests.builders import NOON
from tests.integration.whatsapp.outbox_builders import queue_message

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "The bot answers."),
        (
            {"wants_person_at": -9, "bot_paused_until": 90},
            "The bot is quiet until 13:30, because they asked for a person at 11:51.",
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

    state = bot_state.describe_bot_state(buyer, bubbles=(), now=NOON)

    assert state.sentence == sentence


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
