"""Tests of buyers who stop or resume messages in WhatsApp itself."""

import json
from datetime import datetime, timedelta

import pytest

from shared.whatsapp import payloads
from shared.whatsapp.models import AccountNotice, OutboundMessage, WhatsAppContact
from shared.whatsapp.services.inbox import webhook_store
from tests.builders import MINUTE, NOON, PHONE_NUMBER_ID, create_contact

pytestmark = pytest.mark.django_db(transaction=True)

USER_ID = "US.13491208655302741918"


def store(preference: str, *, at: datetime = NOON, now: datetime = NOON, **ids: object) -> None:
    """Store a webhook with one preference."""
    store_all((preference, at), now=now, **ids)


def store_all(*preferences: tuple[str, datetime], now: datetime = NOON, **ids: object) -> None:
    """Store a webhook with preferences of one buyer, in this order."""
    items = [
        {
            "detail": "User requested to stop marketing messages",
            "category": "marketing_messages",
            "value": preference,
            "timestamp": int(at.timestamp()),
            **ids,
        }
        for preference, at in preferences
    ]
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550100000", "phone_number_id": PHONE_NUMBER_ID},
        "user_preferences": items,
    }
    document = {"entry": [{"id": "1", "changes": [{"field": "user_preferences", "value": value}]}]}
    webhook = payloads.parse_webhook(json.dumps(document).encode())
    webhook_store.store_webhooks_safely([webhook], now=now, correlation_ids=["c0ffee"])


def read_stop(contact: WhatsAppContact) -> datetime | None:
    contact.refresh_from_db()
    return contact.stopped_at


def test_stop_and_resume_are_kept_without_a_message() -> None:
    buyer, other = create_contact(), create_contact()

    store("stop", wa_id=buyer.wa_id)
    assert read_stop(buyer) == NOON
    assert read_stop(other) is None

    store("resume", wa_id=buyer.wa_id, at=NOON + MINUTE, now=NOON + MINUTE)
    assert read_stop(buyer) is None
    assert AccountNotice.objects.count() == 2
    assert not OutboundMessage.objects.exists()


def test_an_older_resume_does_not_end_a_later_stop() -> None:
    buyer = create_contact(stopped_at=NOON)

    store("resume", wa_id=buyer.wa_id, at=NOON - MINUTE)

    assert read_stop(buyer) == NOON


def test_a_stop_counts_from_when_it_was_chosen() -> None:
    buyer = create_contact()

    store("stop", wa_id=buyer.wa_id, at=NOON - MINUTE)

    assert read_stop(buyer) == NOON - MINUTE


def test_an_older_stop_does_not_end_a_later_start() -> None:
    buyer = create_contact(stopped_at=NOON - 2 * MINUTE)
    store("resume", wa_id=buyer.wa_id)

    store("stop", wa_id=buyer.wa_id, at=NOON - MINUTE)

    assert read_stop(buyer) is None


@pytest.mark.parametrize(
    ("preferences", "stopped_at"),
    [
        ([("resume", NOON), ("stop", NOON - MINUTE)], None),
        ([("stop", NOON), ("resume", NOON - MINUTE)], NOON),
        ([("stop", NOON), ("resume", NOON)], None),
        ([("resume", NOON), ("stop", NOON)], NOON),
    ],
)
def test_the_latest_of_a_webhook_counts(
    preferences: list[tuple[str, datetime]], stopped_at: datetime | None
) -> None:
    buyer = create_contact()

    store_all(*preferences, wa_id=buyer.wa_id)

    assert read_stop(buyer) == stopped_at


def test_the_user_id_is_looked_at_before_the_phone_number() -> None:
    recycled = create_contact()
    buyer = create_contact(user_id=USER_ID, wa_id=None)

    store("stop", user_id=USER_ID, wa_id=recycled.wa_id)

    assert read_stop(buyer) == NOON
    assert read_stop(recycled) is None


def test_strangers_and_other_values_change_nothing() -> None:
    buyer = create_contact()

    store("stop", wa_id="15550109999")
    store("signup", wa_id=buyer.wa_id, at=NOON + timedelta(hours=1))
    store("stop")

    assert WhatsAppContact.objects.get() == buyer
    assert read_stop(buyer) is None
