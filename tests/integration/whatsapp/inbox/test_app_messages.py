"""Tests of what the seller writes in the WhatsApp Business app: shown, once, and the bot paused."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.core import config
from shared.core.enums import OutboxStatus
from shared.whatsapp import payloads
from shared.whatsapp.models import (
    AccountNotice,
    InboundMessage,
    OutboundMessage,
    UnreadableItem,
    WhatsAppContact,
)
from shared.whatsapp.services.inbox import webhook_store
from shared.whatsapp.services.outbox import monthly_usage
from tests.builders import MINUTE, NOON, PHONE_NUMBER_ID, create_contact

pytestmark = pytest.mark.django_db(transaction=True)

PAUSE = timedelta(hours=config.get_settings().person_pause_hours)


def build_echo(
    contact: WhatsAppContact | None = None, *, at: datetime = NOON, **fields: Any
) -> dict[str, Any]:
    """Return one element of `message_echoes`, by default a text."""
    return {
        "from": "15550100000",
        "to": contact.wa_id if contact else "15550109999",
        "id": "wamid.echo1",
        "timestamp": str(int(at.timestamp())),
        "type": "text",
        "text": {"body": "I look into it."},
        **fields,
    }


def store(*echoes: Mapping[str, Any], now: datetime = NOON, number: str = PHONE_NUMBER_ID) -> None:
    """Store a webhook with echoes."""
    value = {
        "messaging_product": "whatsapp",
        "contacts": [{"profile": {"name": "Sheena"}, "wa_id": "15550109999"}],
        "metadata": {"display_phone_number": "15550100000", "phone_number_id": number},
        "message_echoes": list(echoes),
    }
    document = {
        "entry": [{"id": "1", "changes": [{"field": "smb_message_echoes", "value": value}]}]
    }
    webhook = payloads.parse_webhook(json.dumps(document).encode())
    webhook_store.store_webhooks_safely([webhook], now=now, correlation_ids=["c0ffee"])


def test_it_is_a_message_of_ours_in_the_chat_and_pauses_the_bot() -> None:
    buyer = create_contact(wants_person_at=NOON - MINUTE)
    last_inbound_at = buyer.last_inbound_at

    store(build_echo(buyer))

    message = OutboundMessage.objects.get()
    assert message.contact == buyer
    assert (message.key, message.status) == ("app", OutboxStatus.SENT)
    assert (message.written_by, message.created_at) == ("WhatsApp Business app", NOON)
    assert message.payload == {"type": "text", "text": {"body": "I look into it."}}
    buyer.refresh_from_db()
    assert buyer.bot_paused_until == NOON + PAUSE
    assert buyer.wants_person_at is None
    assert buyer.last_inbound_at == last_inbound_at
    assert not InboundMessage.objects.exists()
    assert not AccountNotice.objects.exists()


def test_a_repeat_changes_nothing() -> None:
    buyer = create_contact()
    store(build_echo(buyer), build_echo(buyer))
    buyer.refresh_from_db()
    paused = buyer.bot_paused_until
    WhatsAppContact.objects.update(bot_paused_until=None)  # the seller let the bot answer again

    store(build_echo(buyer), now=NOON + MINUTE)

    buyer.refresh_from_db()
    assert paused == NOON + PAUSE
    assert buyer.bot_paused_until is None
    assert OutboundMessage.objects.count() == 1


def test_an_echo_that_comes_late_pauses_from_its_own_time() -> None:
    buyer = create_contact(wants_person_at=NOON)

    store(build_echo(buyer, at=NOON - PAUSE), now=NOON)

    buyer.refresh_from_db()
    assert buyer.bot_paused_until == NOON  # over
    assert buyer.wants_person_at == NOON  # asked after it was written


def test_an_older_echo_never_shortens_a_pause() -> None:
    buyer = create_contact(bot_paused_until=NOON + PAUSE)

    store(build_echo(buyer, at=NOON - MINUTE))

    buyer.refresh_from_db()
    assert buyer.bot_paused_until == NOON + PAUSE


def test_the_buyer_is_found_by_user_id() -> None:
    buyer = create_contact(user_id="US.13491208655302741918", wa_id=None)

    store(build_echo(to_user_id="US.13491208655302741918", to=None))

    assert OutboundMessage.objects.get().contact == buyer


def test_somebody_new_becomes_a_contact_whose_answer_is_for_the_seller() -> None:
    store(build_echo())

    contact = WhatsAppContact.objects.get()
    assert (contact.wa_id, contact.profile_name) == ("15550109999", "Sheena")
    assert contact.last_inbound_at is None
    assert contact.bot_paused_until == NOON + PAUSE


def test_pictures_are_stored_and_reactions_left_out() -> None:
    buyer = create_contact()

    store(
        build_echo(buyer, id="wamid.1", type="image", image={"id": "7", "caption": "the prize"}),
        build_echo(buyer, id="wamid.2", type="reaction", reaction={"emoji": "👍"}),
        build_echo(buyer, id="wamid.3", type="revoke", revoke={"original_message_id": "wamid.1"}),
    )

    assert OutboundMessage.objects.get().payload["image"]["caption"] == "the prize"


def test_it_counts_for_no_price() -> None:
    store(build_echo(create_contact()))

    usage = monthly_usage.count_monthly_usage([PHONE_NUMBER_ID], now=NOON, zone="UTC")
    assert usage[PHONE_NUMBER_ID].sent == 0


def test_other_business_numbers_are_left_out() -> None:
    store(build_echo(), number="999")

    assert not OutboundMessage.objects.exists()
    assert not WhatsAppContact.objects.exists()


def test_one_without_an_addressee_is_kept_as_bytes() -> None:
    buyer = create_contact()

    store(build_echo(to=None), build_echo(buyer))

    assert UnreadableItem.objects.get().reason == "an echo names no addressee"
    assert OutboundMessage.objects.count() == 1
