"""Tests of user ids that are learnt from status webhooks."""

import json
from typing import Any

import pytest

from shared.core.enums import MessageDeliveryStatus
from shared.whatsapp.models import (
    ContactAlias,
    JoinSuggestion,
    OutboundMessage,
    WhatsAppContact,
)
from shared.whatsapp.services.inbox.contact_matching import ConflictReason
from shared.whatsapp.services.outbox import delivery_statuses
from tests import builders, real_payloads
from tests.builders import NOON
from tests.integration.whatsapp.outbox_builders import claim_message, queue_message, record_sent
from tests.integration.whatsapp.webhook_builders import build_status, build_webhook, store_webhooks

pytestmark = pytest.mark.django_db

USER, OTHER_USER = "US.1", "US.2"


def receive_delivery(contact: WhatsAppContact, **fields: Any) -> WhatsAppContact:
    """Send a message to a contact, apply a status about it, and return the contact."""
    queue_message(contact)
    record_sent(claim_message(), wa_message_id="wamid.1", now=NOON)
    item = build_status("delivered", wamid="wamid.1") | fields
    store_webhooks(build_webhook(statuses=[item]))
    delivery_statuses.apply_statuses(now=NOON, limit=100)
    contact.refresh_from_db()
    return contact


def test_a_contact_without_a_user_id_gets_the_one_of_the_status() -> None:
    buyer = receive_delivery(builders.create_contact(), recipient_user_id=USER)

    assert (buyer.user_id, buyer.identity_conflict) == (USER, False)


def test_a_user_id_that_belongs_to_another_contact_ends_in_a_suggestion() -> None:
    owner = builders.create_contact(user_id=USER)

    buyer = receive_delivery(builders.create_contact(), recipient_user_id=USER)

    owner.refresh_from_db()
    assert (buyer.user_id, buyer.identity_conflict) == (None, True)
    assert (owner.user_id, owner.identity_conflict) == (USER, True)
    suggestion = JoinSuggestion.objects.get()
    assert (suggestion.first, suggestion.second) == (owner, buyer)
    assert suggestion.reason == ConflictReason.DELIVERY


def test_another_user_id_behind_the_phone_is_flagged_and_not_taken_over() -> None:
    buyer = receive_delivery(builders.create_contact(user_id=USER), recipient_user_id=OTHER_USER)

    assert (buyer.user_id, buyer.identity_conflict) == (USER, True)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"recipient_user_id": ""},
        {"recipient_user_id": None},
        {"recipient_user_id": "U" * 200},
        {"recipient_type": "group", "recipient_user_id": USER},
    ],
)
def test_a_status_without_a_usable_user_id_changes_nothing(fields: dict[str, Any]) -> None:
    buyer = receive_delivery(builders.create_contact(), **fields)

    assert (buyer.user_id, buyer.identity_conflict) == (None, False)
    assert OutboundMessage.objects.get().delivery == MessageDeliveryStatus.DELIVERED


def test_an_earlier_user_id_of_the_contact_changes_nothing() -> None:
    buyer = builders.create_contact(user_id=OTHER_USER)
    ContactAlias.objects.create(phone_number_id=buyer.phone_number_id, user_id=USER, contact=buyer)

    receive_delivery(buyer, recipient_user_id=USER)

    assert (buyer.user_id, buyer.identity_conflict) == (OTHER_USER, False)


@pytest.mark.skipif(not real_payloads.REAL_PAYLOADS, reason="no folder shared/payloads")
@pytest.mark.parametrize("serial", ["01", "02"])
def test_metas_own_statuses_are_learnt_from(serial: str) -> None:
    name = f"docs_business_scoped_user_ids__{serial}__status_delivered"
    body = dict(real_payloads.REAL_PAYLOADS)[name]
    status = json.loads(body)["entry"][0]["changes"][0]["value"]["statuses"][0]

    buyer = receive_delivery(builders.create_contact(), **{**status, "id": "wamid.1"})

    assert buyer.user_id == "US.13491208655302741918"
