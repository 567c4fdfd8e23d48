"""Tests of what a person wrote and Meta did not deliver: the buyer waits again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.core.constants import MAX_UNKNOWN_RESENDS
from shared.core.enums import EventType, OutboxStatus
from shared.events.models import Event
from shared.whatsapp.graph_errors import FailureReaction, Judgement
from shared.whatsapp.models import Alarm, DeliveryStatus, OutboundMessage, WhatsAppContact
from shared.whatsapp.services.outbox import (
    delivery_statuses,
    message_claims,
    outbox_queue,
    send_results,
)
from tests import builders
from tests.builders import MINUTE, NOON
from tests.integration.whatsapp.outbox_builders import (
    claim_message,
    claim_messages,
    queue_message,
    record_sent,
)

pytestmark = pytest.mark.django_db


def queue_answer(contact: WhatsAppContact, **fields: Any) -> OutboundMessage:
    """Queue what a person wrote to a buyer, who does not wait any more."""
    return queue_message(contact, written_by="Rita", **fields)


def refuse(message: OutboundMessage, reaction: FailureReaction) -> None:
    """Send the message, which Meta refuses."""
    send_results.record_failure(
        claim_message(),
        judgement=Judgement(reaction, "What it means.", alarm=False),
        code=131051,
        words="",
        now=NOON,
        jitter=0,
    )


def fail(message: OutboundMessage) -> None:
    refuse(message, FailureReaction.FAIL)


def be_too_late_at_meta(message: OutboundMessage) -> None:
    refuse(message, FailureReaction.OUTSIDE_WINDOW)


def be_too_late(message: OutboundMessage) -> None:
    WhatsAppContact.objects.update(last_inbound_at=NOON - timedelta(days=2))
    assert not claim_messages()


def stay_without_an_answer(message: OutboundMessage) -> None:
    OutboundMessage.objects.update(
        status=OutboxStatus.UNKNOWN, next_attempt_at=NOON, unknown_sends=MAX_UNKNOWN_RESENDS + 1
    )
    outbox_queue.settle_abandoned_sends(now=NOON)


def have_no_addressee(message: OutboundMessage) -> None:
    WhatsAppContact.objects.update(wa_id="nonsense", user_id=None)
    assert not claim_messages()


def be_undelivered(message: OutboundMessage) -> None:
    record_sent(claim_message(), wa_message_id="wamid.1", now=NOON)
    DeliveryStatus.objects.create(
        phone_number_id=message.phone_number_id,
        wa_message_id="wamid.1",
        status="failed",
        payload={},
        error_code=131026,
        occurred_at=NOON,
        received_at=NOON,
        next_attempt_at=NOON,
    )
    delivery_statuses.apply_statuses(now=NOON, limit=10)


@pytest.mark.parametrize(
    "lose",
    [
        fail,
        be_too_late_at_meta,
        be_too_late,
        stay_without_an_answer,
        have_no_addressee,
        be_undelivered,
    ],
)
def test_the_buyer_waits_again_and_an_alarm_names_the_message(
    lose: Callable[[OutboundMessage], None],
) -> None:
    contact = builders.create_contact()
    message = queue_answer(contact)

    lose(message)

    contact.refresh_from_db()
    assert contact.wants_person_at == message.created_at
    alarm = Alarm.objects.get(key=f"answer_lost:{contact.pk}")
    assert f"Message {message.pk} to contact {contact.pk}" in alarm.detail
    assert Event.objects.filter(type=EventType.CONTACT_WANTS_PERSON).count() == 1


def test_a_wait_that_began_before_stays_as_it_is() -> None:
    contact = builders.create_contact(wants_person_at=NOON - MINUTE)

    fail(queue_answer(contact))

    contact.refresh_from_db()
    assert contact.wants_person_at == NOON - MINUTE
    assert not Event.objects.filter(type=EventType.CONTACT_WANTS_PERSON).exists()


def test_a_message_of_the_bot_lists_nobody() -> None:
    contact = builders.create_contact()

    fail(queue_message(contact))

    contact.refresh_from_db()
    assert contact.wants_person_at is None


def test_sent_again_it_ends_the_wait() -> None:
    contact = builders.create_contact()
    message = queue_answer(contact)
    fail(message)

    outbox_queue.resend_message.__wrapped__(message.pk)  # type: ignore[attr-defined]

    contact.refresh_from_db()
    assert contact.wants_person_at is None
    assert message_claims.claim_messages(now=NOON, lease=message.callback_data, limit=1).messages
