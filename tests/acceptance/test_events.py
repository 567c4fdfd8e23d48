"""Tests of the events of a purchase: signed, and not held up by another receiver."""

import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from shared.core.enums import ActorKind, EventDeliveryStatus, ProofStatus
from shared.events.models import Event, EventAttempt, EventDelivery, EventEndpoint
from shared.events.services import endpoints
from shared.raffles.actor import Actor
from shared.raffles.models import Order
from shared.use_cases import payments
from tests.acceptance import event_receivers
from tests.acceptance.buyer_steps import (
    hold_numbers,
    place_order,
    request_card,
    send_receipt,
    wait_for_message,
)
from tests.acceptance.event_receivers import ReceivedEvent
from tests.acceptance.stack import Stack, wait_while_messages_move

pytestmark = pytest.mark.same_everywhere

PURCHASE = {"order.created", "order.proof_received", "order.paid"}


def verify_event(got: ReceivedEvent, *, secret: str) -> dict[str, str]:
    """Verify both signatures of a request as a receiver does, and return its body."""
    signature = hmac.new(secret.encode(), got.body, hashlib.sha256).hexdigest()
    assert got.headers["X-Raffle-Signature"] == f"sha256={signature}"
    told: dict[str, str] = Webhook(secret).verify(got.body, got.headers)
    assert got.headers["webhook-id"] == told["id"]
    return told


def create_endpoint(name: str, url: str) -> EventEndpoint:
    """Create an endpoint for all events."""
    now = datetime.now(UTC)
    return endpoints.create_endpoint(name=name, url=url, by="olga", allow_private=True, now=now)


def make_deliveries_due() -> None:
    """Make every delivery that waits for its next attempt due now."""
    waiting = EventDelivery.objects.filter(status=EventDeliveryStatus.QUEUED)
    waiting.update(next_attempt_at=datetime.now(UTC))


def is_sending_to(name: str) -> bool:
    """Return whether an event is being sent to an endpoint; if not, make the next one due."""
    sending = EventDelivery.objects.filter(status=EventDeliveryStatus.SENDING)
    if sending.filter(endpoint__name=name).exists():
        return True
    make_deliveries_due()
    return False


def test_a_purchase_is_told_beside_a_receiver_that_never_answers(stack: Stack) -> None:
    with (
        event_receivers.run_receiver(statuses=[500]) as n8n,
        event_receivers.run_silent_receiver() as dead,
    ):
        endpoint = create_endpoint("n8n", n8n.url)
        create_endpoint("dead", dead)
        gateway = stack.start_gateway_and_wait()

        ana = stack.buyer()
        request_card(ana)
        hold_numbers(ana, "3 random")
        order = Order.objects.get(code=place_order(ana))
        send_receipt(ana)
        wait_while_messages_move(lambda: order.proofs.filter(status=ProofStatus.KEPT).exists())
        rita = Actor(ActorKind.STAFF, id="7", label="rita")
        payments.confirm_payment(order.pk, by=rita, now=datetime.now(UTC))
        wait_for_message(ana, "Paid")
        wait_while_messages_move(
            lambda: len({got.headers["webhook-id"] for got in n8n.got}) == len(PURCHASE)
        )
        wait_while_messages_move(EventAttempt.objects.filter(http_status=500).exists)
        make_deliveries_due()
        wait_while_messages_move(lambda: len(n8n.got) == len(PURCHASE) + 1)

        wait_while_messages_move(lambda: is_sending_to("dead"))
        assert gateway.stop_gracefully()
        assert "events_left_to_others" in gateway.child.log.read_text()  # it is not waited for

    told = [verify_event(got, secret=endpoint.secret) for got in n8n.got]
    arrived = {each["id"]: each["type"] for each in told}
    assert set(arrived.values()) == PURCHASE
    assert [got.status for got in n8n.got] == [500, 200, 200, 200]
    assert told[0]["id"] in {each["id"] for each in told[1:]}
    deliveries = EventDelivery.objects.filter(endpoint=endpoint)
    assert {each.status for each in deliveries} == {EventDeliveryStatus.DELIVERED}
    assert {each.response for each in deliveries} == {"noted"}
    places_in_feed = Event.objects.order_by("sequence").values_list("sequence", flat=True)
    assert list(places_in_feed) == [1, 2, 3]
    still = EventDelivery.objects.exclude(endpoint=endpoint)
    assert {each.status for each in still} == {EventDeliveryStatus.QUEUED}
