"""Tests of messages that WhatsApp does not show us, and of system messages."""

import json
from typing import Any

import pytest

from shared.conversation.answering import waiting_messages
from shared.core.enums import InboxStatus
from shared.whatsapp.models import InboundMessage, WhatsAppContact
from tests import builders, real_payloads
from tests.builders import NOON
from tests.integration.conversation.chat import BuyerChat, render_body
from tests.integration.whatsapp.webhook_builders import (
    build_message,
    build_webhook,
    store_webhooks,
)

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]

VIEW_ONCE = {"errors": [{"code": 131051, "title": "Message type unknown"}]}
FROM_AN_AD = {"errors": [{"code": 131060, "title": "Message unavailable"}]}


def send_unsupported(chat: BuyerChat, errors: dict[str, Any], **fields: Any) -> list[str]:
    """Send a message that WhatsApp does not show us, and return the texts of the replies."""
    message = chat.receives("unsupported", errors, **fields)
    return [render_body(reply) for reply in chat.answer_waiting(message)]


@pytest.mark.parametrize("errors", [VIEW_ONCE, FROM_AN_AD])
def test_while_a_receipt_is_awaited_the_buyer_hears_how_to_send_it(errors: dict[str, Any]) -> None:
    builders.create_raffle()
    chat = BuyerChat()
    order = chat.buys()

    (answer,) = send_unsupported(chat, errors)

    assert "photo or PDF" in answer
    assert chat.order() == order
    chat.sends_picture()
    assert chat.order().under_review
    assert send_unsupported(chat, errors) == []


@pytest.mark.parametrize("errors", [VIEW_ONCE, FROM_AN_AD])
def test_as_a_first_message_it_is_answered_once(errors: dict[str, Any]) -> None:
    builders.create_raffle()
    chat = BuyerChat(builders.create_contact(last_inbound_at=None))

    (answer,) = send_unsupported(chat, errors)

    assert "write me a word" in answer
    assert send_unsupported(chat, errors) == []


@pytest.mark.parametrize("errors", [VIEW_ONCE, FROM_AN_AD])
def test_else_it_is_silent_also_after_an_outage(errors: dict[str, Any]) -> None:
    builders.create_raffle()
    chat = BuyerChat()
    chat.says("hi")

    assert send_unsupported(chat, errors) == []
    chat.later(hours=2)
    assert send_unsupported(chat, errors, sent_at=NOON) == []


def test_of_a_blocked_buyer_it_is_never_answered() -> None:
    chat = BuyerChat(builders.create_contact(last_inbound_at=None, is_blocked=True))

    assert send_unsupported(chat, VIEW_ONCE) == []


def test_during_an_outage_it_is_answered_where_a_receipt_is_awaited() -> None:
    builders.create_raffle(hold_minutes=600)
    chat = BuyerChat()
    chat.buys()
    chat.later(hours=2)

    (answer,) = send_unsupported(chat, VIEW_ONCE, sent_at=NOON)

    assert "photo or PDF" in answer


def test_a_system_message_that_waits_since_an_earlier_version_is_not_answered() -> None:
    builders.create_raffle()
    chat = BuyerChat()

    assert chat.sends_anything("system") == []
    assert InboundMessage.objects.get().status == InboxStatus.PROCESSED


@pytest.mark.parametrize(
    "kind", ["user_changed_number", "customer_identity_changed", "user_changed_user_id", "new_kind"]
)
def test_a_system_message_is_kept_and_never_answered(kind: str) -> None:
    builders.create_raffle()
    store_webhooks(build_webhook(build_message()))
    (contact,) = WhatsAppContact.objects.all()
    waiting_messages.answer_waiting_messages(contact.pk, now=NOON, pivot=0)
    system = {"type": kind, "body": "User changed", "wa_id": "15550100009"}

    store_webhooks(build_webhook(build_message("wamid.sys", type="system", system=system)))

    assert InboundMessage.objects.get(wa_message_id="wamid.sys").status == InboxStatus.IGNORED
    assert waiting_messages.answer_waiting_messages(contact.pk, now=NOON, pivot=0).messages == 0
    assert contact.outbound_messages.count() == 1


@pytest.mark.skipif(not real_payloads.REAL_PAYLOADS, reason="no folder shared/payloads")
def test_metas_own_sample_is_answered_as_a_first_message() -> None:
    builders.create_raffle()
    body = dict(real_payloads.REAL_PAYLOADS)["referencia_messages_unsupported__01__unsupported"]
    message = json.loads(body)["entry"][0]["changes"][0]["value"]["messages"][0]

    store_webhooks(build_webhook(message))

    (contact,) = WhatsAppContact.objects.all()
    now = InboundMessage.objects.get().sent_at
    assert waiting_messages.answer_waiting_messages(contact.pk, now=now, pivot=0).replies == 1
