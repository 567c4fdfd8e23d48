"""Tests of event delivery: signatures, independent endpoints, failures and shutdown."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from django.db import connection
from standardwebhooks import Webhook

from gateway.database import Database
from gateway.webhook_sender import WebhookSender
from gateway.workers import loop
from gateway.workers.events import (
    EventDeliveryWorker,
    EventLeaseSweeper,
    EventRetention,
    EventSequencer,
)
from gateway.workers.loop import StopSignal, WakeSignal
from shared.core.enums import EventDeliveryStatus, EventType
from shared.events.models import Event, EventAttempt, EventDelivery, EventEndpoint
from shared.events.services import endpoints
from shared.events.services.deliveries import MAX_CONCURRENT_PER_ENDPOINT, RETRY_WAITS
from shared.publishing import delivery_alarms
from shared.whatsapp.models import Alarm
from tests.builders import NOON
from tests.integration.events.event_builders import create_endpoint, record_event

pytestmark = pytest.mark.django_db(transaction=True)

type Eventually = Callable[..., Any]

FINE, BAD, SILENT = "http://8.8.8.8/", "http://8.8.8.9/", "http://8.8.4.4/"
STATUS = EventDeliveryStatus


class Receivers:
    """Receivers that accept, refuse or never answer, and record the requests."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.silent: set[str] = set()
        self.most_silent = 0
        self.statuses: dict[str, int] = {}

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        if str(request.url) == SILENT:
            self.silent.add(request.headers["webhook-id"])
            self.most_silent = max(self.most_silent, len(self.silent))
            await asyncio.sleep(60)
        self.requests.append(request)
        return httpx.Response(self.statuses.get(str(request.url), 200), content=stream_body())


async def stream_body() -> AsyncIterator[bytes]:
    """Yield the body of an answer that is still to be read."""
    yield b"thanks"


@pytest.fixture
def receivers() -> Receivers:
    return Receivers()


@asynccontextmanager
async def run_event_workers(database: Database, receivers: Receivers) -> AsyncIterator[None]:
    """Sequence events and deliver them as a gateway does, and stop the worker at the end."""
    sender = WebhookSender(allow_private=False, transport=httpx.MockTransport(receivers))
    signal, stop = WakeSignal(), StopSignal()
    worker = EventDeliveryWorker(
        database=database, sender=sender, wake_signal=signal, public_url="https://raffles.example"
    )
    await EventSequencer(database=database, queue_signal=signal).turn()
    working = asyncio.create_task(
        loop.run_worker(worker.turn, name="events", wake_signal=signal, stop=stop)
    )
    try:
        yield
    finally:
        stop.set()
        signal.set()
        await working
        await worker.finish(grace_seconds=0.05)
        await sender.aclose()


def statuses(endpoint: EventEndpoint) -> list[str]:
    return sorted(EventDelivery.objects.filter(endpoint=endpoint).values_list("status", flat=True))


async def test_an_event_is_sent_signed_and_with_the_header_of_its_endpoint(
    database: Database, receivers: Receivers, eventually: Eventually
) -> None:
    endpoint = await database.run_unit(
        lambda: create_endpoint(url=FINE, header_name="X-N8N-Key", header_value="open sesame")
    )
    await database.run_unit(record_event, EventType.CHANNEL_ALERT)

    async with run_event_workers(database, receivers):
        await eventually(lambda: statuses(endpoint) == [STATUS.DELIVERED])

    [request] = receivers.requests
    event = await database.run_unit(Event.objects.get)
    body = orjson.loads(request.content)
    assert (body["id"], body["sequence"]) == (event.event_id, 1)
    assert body == Webhook(endpoint.secret).verify(request.content, dict(request.headers))
    assert request.headers["x-raffle-signature"].startswith("sha256=")
    assert request.headers["x-n8n-key"] == "open sesame"
    assert request.headers["content-type"] == "application/json"
    delivery = await database.run_unit(EventDelivery.objects.get)
    assert (delivery.http_status, delivery.response) == (200, "thanks")


async def test_a_silent_endpoint_does_not_delay_other_endpoints_transactions_or_shutdown(
    database: Database, receivers: Receivers, eventually: Eventually
) -> None:
    silent = await database.run_unit(lambda: create_endpoint(url=SILENT))
    fine = await database.run_unit(lambda: create_endpoint(url=FINE))
    for _ in range(3 * MAX_CONCURRENT_PER_ENDPOINT):
        await database.run_unit(record_event, EventType.CHANNEL_ALERT)

    async with run_event_workers(database, receivers):
        await eventually(
            lambda: statuses(fine) == [STATUS.DELIVERED] * 3 * MAX_CONCURRENT_PER_ENDPOINT
        )

        assert receivers.most_silent == MAX_CONCURRENT_PER_ENDPOINT
        assert await database.run_unit(lambda: connection.in_atomic_block) is False
        await database.run_unit(record_event, EventType.CHANNEL_ALERT)  # a sale goes on
    assert set(await database.run_unit(lambda: statuses(silent))) == {STATUS.QUEUED}
    assert not await database.run_unit(
        EventAttempt.objects.filter(delivery__endpoint=silent).exists
    )


async def test_a_delivery_that_is_refused_or_cannot_be_signed_is_recorded_and_retried(
    database: Database, receivers: Receivers, eventually: Eventually
) -> None:
    receivers.statuses[BAD] = 500
    refused = await database.run_unit(
        lambda: create_endpoint(url=BAD, types=[EventType.CHANNEL_ALERT])
    )
    garbled = await database.run_unit(
        lambda: create_endpoint(url=FINE, types=[EventType.ORDER_CREATED])
    )
    private = await database.run_unit(lambda: create_endpoint(url="http://n8n.example/"))
    await database.run_unit(
        EventEndpoint.objects.filter(pk=private.pk).update, url="http://127.0.0.1:1"
    )
    await database.run_unit(record_event, EventType.CHANNEL_ALERT)
    await database.run_unit(
        lambda: Event.objects.create(type="order.created", data={"order": {}}, created_at=NOON)
    )

    async with run_event_workers(database, receivers):
        await eventually(lambda: EventAttempt.objects.count() == 4)

    errors = await database.run_unit(
        lambda: dict(EventDelivery.objects.values_list("endpoint_id", "error"))
    )
    assert errors[refused.pk] == "It answered 500 Internal Server Error."
    assert errors[garbled.pk].startswith("It could not be written or signed")
    assert set(await database.run_unit(lambda: statuses(private))) == {STATUS.QUEUED}
    assert [str(request.url) for request in receivers.requests] == [BAD]


async def test_an_alarm_counts_the_deliveries_that_an_endpoint_did_not_get(
    database: Database, receivers: Receivers, eventually: Eventually
) -> None:
    receivers.statuses[BAD] = 500
    endpoint = await database.run_unit(lambda: create_endpoint(url=BAD))
    for _ in range(2):
        await database.run_unit(record_event, EventType.CHANNEL_ALERT)

    def failed() -> int:
        """Make the last retry of each delivery due, and return how many have failed."""
        waiting = EventDelivery.objects.filter(status=STATUS.QUEUED)
        waiting.update(attempts=len(RETRY_WAITS), next_attempt_at=NOON)
        return statuses(endpoint).count(STATUS.FAILED)

    for events in (2, 3):  # the alarm is an event itself, and that fails as well
        async with run_event_workers(database, receivers):
            await eventually(lambda expected=events: failed() == expected)
    await EventSequencer(database=database, queue_signal=WakeSignal()).turn()

    assert await database.run_unit(EventDelivery.objects.count) == 3
    alarm = await database.run_unit(Alarm.objects.get)
    assert (alarm.key, alarm.count) == (delivery_alarms.build_alarm_key(endpoint.pk), 3)
    assert endpoint.name in alarm.title


async def test_410_disables_the_endpoint_and_sounds_an_alarm(
    database: Database, receivers: Receivers, eventually: Eventually
) -> None:
    receivers.statuses[BAD] = 410
    endpoint = await database.run_unit(lambda: create_endpoint(url=BAD))
    await database.run_unit(record_event, EventType.CHANNEL_ALERT)

    async with run_event_workers(database, receivers):
        await eventually(Alarm.objects.exists)

    assert not (await database.run_unit(endpoints.find_endpoint, endpoint.pk)).active


async def test_an_expired_lease_is_sent_again_and_old_events_are_deleted(
    database: Database, receivers: Receivers, eventually: Eventually
) -> None:
    endpoint = await database.run_unit(lambda: create_endpoint(url=FINE))
    await database.run_unit(record_event, EventType.CHANNEL_ALERT)
    await EventSequencer(database=database, queue_signal=WakeSignal()).turn()
    await database.run_unit(EventDelivery.objects.update, status=STATUS.SENDING, lease_until=NOON)

    await EventLeaseSweeper(database=database, wake_signal=WakeSignal()).turn()
    async with run_event_workers(database, receivers):
        await eventually(lambda: statuses(endpoint) == [STATUS.DELIVERED])

    retention = EventRetention(database=database, stop=StopSignal())
    await database.run_unit(Event.objects.update, created_at=NOON.replace(year=2025))
    await retention.turn()
    assert not await database.run_unit(Event.objects.exists)
