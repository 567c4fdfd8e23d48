"""Tests of the event about a buyer who waits for a person."""

from datetime import timedelta

import pytest
from pydantic import TypeAdapter

from shared.core.constants import ERASED_BUYER
from shared.core.enums import EventType
from shared.events.models import Event
from shared.publishing import event_erasure, event_payloads
from shared.whatsapp.models import WhatsAppContact
from shared.whatsapp.signals import person_wanted
from tests.builders import NOON, create_contact

pytestmark = pytest.mark.django_db


def record_wait() -> WhatsAppContact:
    """Record that a buyer waits for a person since a minute ago."""
    contact = create_contact(wants_person_at=NOON - timedelta(minutes=1))
    person_wanted.send(sender=WhatsAppContact, contact=contact, now=NOON)
    return contact


def test_tells_who_waits_since_when_and_where_the_chat_is() -> None:
    contact = record_wait()
    event = Event.objects.get(type=EventType.CONTACT_WANTS_PERSON)

    payload = event_payloads.build_event_payload(
        event, public_url="https://raffles.example", now=NOON
    )

    TypeAdapter(event_payloads.Envelope).validate_python(payload)
    told = payload["data"]["contact"]
    assert told["id"] == contact.pk
    assert told["buyer"]["phone"] == f"+{contact.wa_id}"
    assert told["waiting_since"] == (NOON - timedelta(minutes=1)).isoformat()
    assert told["url"] == (
        f"https://raffles.example/admin/whatsapp/whatsappcontact/{contact.pk}/change/"
    )


def test_forgets_an_erased_buyer() -> None:
    contact = record_wait()

    assert event_erasure.erase_person_events([str(contact.wa_id)]) == 1

    buyer = Event.objects.get().data["contact"]["buyer"]
    assert buyer == {"name": ERASED_BUYER, "phone": None, "user_id": None}
