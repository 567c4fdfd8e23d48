"""Tests of the event about a message that finally failed: once, with the reason, without text."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from shared.core.constants import UNKNOWN_SEND_WAIT
from shared.core.enums import EventType, OutboxKind
from shared.events.models import Event
from shared.publishing import event_payloads
from shared.use_cases import payments
from shared.whatsapp.graph_errors import FailureReaction, Judgement
from shared.whatsapp.models import OutboundMessage, WhatsAppContact
from shared.whatsapp.services.outbox import delivery_statuses, outbox_queue, send_results
from tests import builders
from tests.builders import MINUTE, NOON, PHONE_NUMBER_ID, build_staff_actor
from tests.integration.raffles import order_states
from tests.integration.whatsapp import outbox_builders
from tests.integration.whatsapp.outbox_builders import claim_message, claim_messages
from tests.integration.whatsapp.webhook_builders import build_status, build_webhook, store_webhooks

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)

type Outcome = Callable[[], object]


def record_failure(reaction: FailureReaction) -> None:
    send_results.record_failure(
        claim_message(),
        judgement=Judgement(reaction, "Refused."),
        code=131026,
        words="",
        now=NOON,
        jitter=0,
    )


def receive_statuses(*names: str, wamid: str = "wamid.1", code: int = 131026) -> None:
    """Store and apply status webhooks in one batch."""
    message = OutboundMessage.objects.get()
    items = [
        build_status(
            name,
            wamid=wamid,
            callback_data=str(message.callback_data),
            code=code if name == "failed" else 0,
        )
        for name in names
    ]
    store_webhooks(build_webhook(statuses=items))
    delivery_statuses.apply_statuses(now=NOON, limit=100)


def record_sent() -> None:
    outbox_builders.record_sent(claim_message(), wa_message_id="wamid.1", now=NOON)


def is_refused() -> None:
    record_failure(FailureReaction.FAIL)


def is_tried_until_it_is_given_up() -> None:
    OutboundMessage.objects.update(attempts=send_results.MAX_SEND_ATTEMPTS - 2)
    record_failure(FailureReaction.RETRY)
    assert not Event.objects.filter(type=EventType.MESSAGE_FAILED).exists()
    OutboundMessage.objects.update(next_attempt_at=None)
    record_failure(FailureReaction.RETRY)


def has_nobody_to_go_to() -> None:
    WhatsAppContact.objects.update(wa_id="nonsense")
    assert claim_messages() == []


def stays_unknown() -> None:
    moment = NOON
    while claimed := claim_messages(now=moment):
        send_results.record_unknown(claimed[0], now=moment)
        moment += UNKNOWN_SEND_WAIT
        outbox_queue.settle_abandoned_sends(now=moment)


def stays_unknown_and_is_then_said_to_have_failed() -> None:
    stays_unknown()
    receive_statuses("failed")


def is_not_delivered() -> None:
    record_sent()
    receive_statuses("sent", "failed")


def is_sent_again_and_refused_again() -> None:
    is_refused()
    outbox_queue.resend_message(OutboundMessage.objects.get().pk)
    is_refused()


def arrives_after_all() -> None:
    record_sent()
    receive_statuses("failed", "delivered")


def is_outside_the_window() -> None:
    record_sent()
    receive_statuses("failed", code=131047)


def waits_for_the_window() -> None:
    assert claim_messages(now=NOON + 30 * HOUR) == []


EVENTS_PER_OUTCOME: dict[Outcome, int] = {
    is_refused: 1,
    is_tried_until_it_is_given_up: 1,
    has_nobody_to_go_to: 1,
    stays_unknown: 1,
    stays_unknown_and_is_then_said_to_have_failed: 1,
    is_not_delivered: 1,
    is_sent_again_and_refused_again: 2,
    arrives_after_all: 0,
    is_outside_the_window: 0,
    waits_for_the_window: 0,
}


@pytest.fixture
def paid() -> Event:
    """Sell numbers, so that a message to the buyer waits to be sent."""
    order = order_states.create_placed_order(builders.create_raffle(numbers=20))
    payments.confirm_payment(order.pk, by=build_staff_actor(), now=NOON)
    return Event.objects.get(type=EventType.ORDER_PAID)


@pytest.mark.same_everywhere
@pytest.mark.parametrize("fate", EVENTS_PER_OUTCOME, ids=lambda fate: fate.__name__)
def test_a_message_that(fate: Outcome, paid: Event) -> None:
    fate()

    events = Event.objects.filter(type=EventType.MESSAGE_FAILED)
    assert len(events) == EVENTS_PER_OUTCOME[fate]
    message = OutboundMessage.objects.get()
    for event in events:
        assert (event.subject, event.order_id) == (message.about, paid.order_id)
        assert event.data["message"]["reason"]
        assert event.data["message"]["buyer"] == paid.data["order"]["buyer"] or (
            fate is has_nobody_to_go_to
        )


def test_is_described_without_its_words(paid: Event) -> None:
    is_refused()

    event = Event.objects.get(type=EventType.MESSAGE_FAILED)
    read: dict[str, Any] = event_payloads.build_event_payload(
        event, public_url="https://raffles.example", now=NOON
    )
    TypeAdapter(event_payloads.Envelope).validate_python(read)
    message = OutboundMessage.objects.get()
    assert read["data"] == {
        "message": {
            "id": message.pk,
            "key": "paid",
            "kind": "NOTICE",
            "order_code": message.about,
            "buyer": paid.data["order"]["buyer"],
            "reason": "Refused.",
            "error_code": 131026,
            "created_at": "2026-11-22T12:00:00+00:00",
        }
    }


def test_a_reply_about_nothing_names_no_order() -> None:
    contact = builders.create_contact()
    OutboundMessage.objects.create(
        contact=contact,
        phone_number_id=PHONE_NUMBER_ID,
        kind=OutboxKind.REPLY,
        key="menu",
        payload={},
        created_at=NOON - MINUTE,
    )
    WhatsAppContact.objects.update(wa_id="nonsense")

    assert claim_messages() == []

    event = Event.objects.get(type=EventType.MESSAGE_FAILED)
    assert (event.subject, event.order_id) == ("", None)
    assert event.data["message"]["order_code"] is None
