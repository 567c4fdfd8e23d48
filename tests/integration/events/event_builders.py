"""Builders of events, endpoints and deliveries."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final
from uuid import uuid4

from django.db import transaction

from shared.core.enums import EventDeliveryStatus, EventType
from shared.events.models import Event, EventDelivery, EventEndpoint
from shared.events.services import deliveries, endpoints, feed
from shared.events.services.deliveries import AttemptResult, ClaimedDelivery
from tests.builders import NOON

LEASE_FOR: Final = timedelta(seconds=60)
SUCCESS: Final = AttemptResult(http_status=200, latency_ms=12, body="ok")
SERVER_ERROR: Final = AttemptResult(
    http_status=500, latency_ms=34, body="oh", error="It answered 500."
)
NO_CONNECTION: Final = AttemptResult(
    http_status=None, latency_ms=9, error="Nobody listens at its address."
)

_serial = count(1)


def record_event(type_: EventType = EventType.ORDER_PAID, *, at: datetime = NOON) -> None:
    """Record an event."""
    feed.record_event(type_, data={"alert": {}}, subject=f"R-{next(_serial)}", now=at)


def create_endpoint(**about: Any) -> EventEndpoint:
    """Create an endpoint, by default one that receives every event type."""
    given = {"name": f"n8n {next(_serial)}", "url": "https://n8n.example/webhook/raffle", **about}
    return endpoints.create_endpoint(**given, by="olga", allow_private=False, now=NOON)


def create_delivery(endpoint: EventEndpoint, **fields: Any) -> EventDelivery:
    """Create a delivery, by default one that is due."""
    event = Event.objects.create(type=EventType.ORDER_PAID, data={}, created_at=NOON)
    due = {"status": EventDeliveryStatus.QUEUED, "next_attempt_at": NOON, "created_at": NOON}
    return EventDelivery.objects.create(event=event, endpoint=endpoint, **{**due, **fields})


def sequence_events(*, now: datetime = NOON, limit: int = 500) -> list[int | None]:
    """Assign sequence numbers to new events and return the numbers."""
    with transaction.atomic():
        return [event.sequence for event in feed.assign_sequence_numbers(now=now, limit=limit)]


def claim_deliveries(
    *, now: datetime = NOON, limit: int = 100, busy: dict[int, int] | None = None
) -> list[ClaimedDelivery]:
    """Claim due deliveries with a new lease, as another gateway would."""
    return deliveries.claim_deliveries(
        now=now, lease=uuid4(), lease_for=LEASE_FOR, limit=limit, busy=busy or {}
    )


def claim_delivery(*, now: datetime = NOON) -> ClaimedDelivery:
    """Claim the only delivery that is due."""
    [claimed] = claim_deliveries(now=now)
    return claimed


def reload_delivery(delivery: EventDelivery) -> EventDelivery:
    """Return a delivery as the database has it."""
    return EventDelivery.objects.get(pk=delivery.pk)
