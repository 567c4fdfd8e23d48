"""Tests of what staff do in a buyer's chat: messages, pauses, and their end."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.core import config
from shared.core.enums import ActorKind, OutboxKind, OutboxStatus
from shared.core.errors import DomainError
from shared.raffles.actor import Actor
from shared.use_cases.contacts import handover
from shared.use_cases.errors import (
    BusinessNumberNotOurs,
    BuyerErased,
    ContactBlocked,
    ContactJoined,
    MessageTextMissing,
    MessageTextTooLong,
    ServiceWindowClosed,
)
from shared.whatsapp.models import OutboundMessage, WhatsAppContact
from tests.builders import NOON, create_contact

pytestmark = pytest.mark.django_db(transaction=True)

RITA = Actor(ActorKind.STAFF, id="7", label="rita")
PAUSE = timedelta(hours=config.get_settings().person_pause_hours)


def create_buyer(**fields: Any) -> WhatsAppContact:
    """Create a contact who wrote an hour ago."""
    contact = create_contact()
    fields = {"last_inbound_at": NOON - timedelta(hours=1)} | fields
    WhatsAppContact.objects.filter(pk=contact.pk).update(**fields)
    contact.refresh_from_db()
    return contact


def send(contact: WhatsAppContact, text: str = "I look into it.") -> OutboundMessage:
    """Send a text to a buyer as rita does."""
    return handover.send_staff_message(contact.pk, text=text, by=RITA, now=NOON).message


class TestStaffMessage:
    def test_is_queued_with_its_author_and_pauses_the_bot(self) -> None:
        buyer = create_buyer(wants_person_at=NOON - timedelta(minutes=9))

        message = send(buyer, "  Your money *came*.\n")

        message.refresh_from_db()
        buyer.refresh_from_db()
        assert message.payload["text"]["body"] == "Your money *came*."
        assert (message.key, message.kind, message.written_by) == ("staff", "REPLY", "rita")
        assert message.status == OutboxStatus.QUEUED
        assert buyer.bot_paused_until == NOON + PAUSE
        assert buyer.wants_person_at is None

    def test_ends_the_wait_also_if_the_gateways_clock_is_ahead(self) -> None:
        buyer = create_buyer(wants_person_at=NOON + timedelta(seconds=2))

        send(buyer)

        buyer.refresh_from_db()
        assert buyer.wants_person_at is None

    def test_reaches_a_buyer_who_wrote_stop(self) -> None:
        assert send(create_buyer(stopped_at=NOON)).status == OutboxStatus.QUEUED

    def test_never_shortens_a_pause(self) -> None:
        buyer = create_buyer(bot_paused_until=NOON + PAUSE * 2)

        send(buyer)

        buyer.refresh_from_db()
        assert buyer.bot_paused_until == NOON + PAUSE * 2

    @pytest.mark.parametrize(
        ("fields", "error"),
        [
            ({"is_blocked": True}, ContactBlocked),
            ({"last_inbound_at": None}, ServiceWindowClosed),
            ({"last_inbound_at": NOON - timedelta(hours=24)}, ServiceWindowClosed),
            ({"erased_at": NOON}, BuyerErased),
            ({"phone_number_id": "999"}, BusinessNumberNotOurs),
        ],
    )
    def test_is_refused(self, fields: dict[str, Any], error: type[DomainError]) -> None:
        buyer = create_buyer(**fields)

        with pytest.raises(error):
            send(buyer)

        buyer.refresh_from_db()
        assert not OutboundMessage.objects.exists()
        assert buyer.bot_paused_until is None

    def test_names_the_contact_that_a_contact_was_joined_into(self) -> None:
        kept = create_buyer()
        joined = create_buyer(joined_into=kept)

        with pytest.raises(ContactJoined) as refused:
            send(joined)

        assert refused.value.details == {"contact_id": kept.pk}

    @pytest.mark.parametrize(
        ("text", "error"),
        [
            ("", MessageTextMissing),
            (" \n\t\u200b", MessageTextMissing),
            ("x" * 4097, MessageTextTooLong),
            ("😀" * 2049, MessageTextTooLong),  # Meta may count UTF-16 units
        ],
    )
    def test_needs_a_text_that_whatsapp_accepts(self, text: str, error: type[DomainError]) -> None:
        with pytest.raises(error):
            send(create_buyer(), text)

    def test_is_sent_once_though_its_form_is_sent_twice(self) -> None:
        buyer, key = create_buyer(), uuid4()
        texts = ("Yes.", "Yes.", "No.", "Yes.")

        sent = [
            handover.send_staff_message(
                buyer.pk, text=text, by=RITA, now=NOON, request_key=None if last else key
            )
            for last, text in zip((False, False, False, True), texts, strict=True)
        ]

        assert [each.repeated for each in sent] == [False, True, False, False]
        assert sent[0].message == sent[1].message
        bodies = [each.payload["text"]["body"] for each in buyer.outbound_messages.order_by("pk")]
        assert bodies == ["Yes.", "No.", "Yes."]

    def test_may_be_as_long_as_whatsapp_allows(self) -> None:
        assert send(create_buyer(), "x" * 4096).payload["text"]["body"] == "x" * 4096


class TestPause:
    def test_leaves_a_buyer_who_waits_on_the_list(self) -> None:
        buyer = create_buyer(wants_person_at=NOON)

        handover.pause(buyer.pk, by=RITA, now=NOON)

        buyer.refresh_from_db()
        assert buyer.bot_paused_until == NOON + PAUSE
        assert buyer.wants_person_at == NOON

    def test_ends_with_the_wait(self) -> None:
        buyer = create_buyer(wants_person_at=NOON, bot_paused_until=NOON + PAUSE)

        handover.resume(buyer.pk, by=RITA, now=NOON)

        buyer.refresh_from_db()
        assert buyer.bot_paused_until is None
        assert buyer.wants_person_at is None
        assert not OutboundMessage.objects.exists()


def test_kind_of_a_staff_message_is_known_to_the_former_release() -> None:
    assert send(create_buyer()).kind in {OutboxKind.REPLY, OutboxKind.NOTICE}
