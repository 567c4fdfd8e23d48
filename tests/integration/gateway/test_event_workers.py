"""Tests of the event workers: signatures, a lane per endpoint and an orderly stop."""

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


class FakeReceivers:
    """A fake of all receivers that accept, refuse or never answer, and keep the requests."""

    def __init__(self) -> None:
        self.taken: list[httpx.Request] = []
        self.silent: set[str] = set()
        self.most_silent = 0
        self.statuses: dict[str, int] = {}

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        if str(request.url) == SILENT:
            self.silent.add(request.headers["webhook-id"])
            self.most_silent = max(self.most_silent, len(self.silent))
            await asyncio.sleep(60)
        self.taken.append(request)
        return httpx.Response(self.statuses.get(str(request.url), 200), content=stream_body())


async def stream_body() -> AsyncIterator[bytes]:
    """Yield a response body that the client must still read."""
    yield b"thanks"


@pytest.fixture
def receivers() -> FakeReceivers:
    return FakeReceivers()


@asynccontextmanager
async def run_event_workers(database: Database, receivers: FakeReceivers) -> AsyncIterator[None]:
    """Assign sequence numbers, run the delivery worker and stop it in an orderly way."""
    sender = WebhookSender(allow_private=False, transport=httpx.MockTransport(receivers))
    bell, stop = WakeSignal(), StopSignal()
    worker = EventDeliveryWorker(
        database=database, courier=sender, bell=bell, public_url="https://raffles.example"
    )
    await EventSequencer(database=database, queued=bell).turn()
    working = asyncio.create_task(loop.run_worker(worker.turn, name="events", bell=bell, stop=stop))
    try:
        yield
    finally:
        stop.tell()
        bell.ring()
        await working
        await worker.finish(moments=0.05)
        await sender.aclose()


def list_statuses(endpoint: EventEndpoint) -> list[str]:
    return sorted(EventDelivery.objects.filter(endpoint=endpoint).values_list("status", flat=True))


async def test_an_event_leaves_signed_with_its_fixed_header(
    database: Database, receivers: FakeReceivers, eventually: Eventually
) -> None:
    endpoint = await database.run(
        lambda: create_endpoint(url=FINE, header_name="X-N8N-Key", header_value="open sesame")
    )
    await database.run(record_event, EventType.CHANNEL_ALERT)

    async with run_event_workers(database, receivers):
        await eventually(lambda: list_statuses(endpoint) == [STATUS.DELIVERED])

    [request] = receivers.taken
    event = await database.run(Event.objects.get)
    told = orjson.loads(request.content)
    assert (told["id"], told["sequence"]) == (event.event_id, 1)
    assert told == Webhook(endpoint.secret).verify(request.content, dict(request.headers))
    assert request.headers["x-raffle-signature"].startswith("sha256=")
    assert request.headers["x-n8n-key"] == "open sesame"
    assert request.headers["content-type"] == "application/json"
    delivery = await database.run(EventDelivery.objects.get)
    assert (delivery.http_status, delivery.response) == (200, "thanks")


async def test_a_silent_endpoint_holds_up_neither_the_others_nor_the_database_nor_the_end(
    database: Database, receivers: FakeReceivers, eventually: Eventually
) -> None:
    silent = await database.run(lambda: create_endpoint(url=SILENT))
    fine = await database.run(lambda: create_endpoint(url=FINE))
    for _ in range(3 * MAX_CONCURRENT_PER_ENDPOINT):
        await database.run(record_event, EventType.CHANNEL_ALERT)

    async with run_event_workers(database, receivers):
        await eventually(
            lambda: list_statuses(fine) == [STATUS.DELIVERED] * 3 * MAX_CONCURRENT_PER_ENDPOINT
        )

        assert receivers.most_silent == MAX_CONCURRENT_PER_ENDPOINT
        assert await database.run(lambda: connection.in_atomic_block) is False
        await database.run(record_event, EventType.CHANNEL_ALERT)  # sales can continue
    assert set(await database.run(lambda: list_statuses(silent))) == {STATUS.QUEUED}
    assert not await database.run(EventAttempt.objects.filter(delivery__endpoint=silent).exists)


async def test_what_is_refused_or_cannot_be_written_is_noted_and_tried_later(
    database: Database, receivers: FakeReceivers, eventually: Eventually
) -> None:
    receivers.statuses[BAD] = 500
    refused = await database.run(lambda: create_endpoint(url=BAD, types=[EventType.CHANNEL_ALERT]))
    garbled = await database.run(lambda: create_endpoint(url=FINE, types=[EventType.ORDER_CREATED]))
    private = await database.run(lambda: create_endpoint(url="http://n8n.example/"))
    await database.run(EventEndpoint.objects.filter(pk=private.pk).update, url="http://127.0.0.1:1")
    await database.run(record_event, EventType.CHANNEL_ALERT)
    await database.run(
        lambda: Event.objects.create(type="order.created", data={"order": {}}, created_at=NOON)
    )

    async with run_event_workers(database, receivers):
        await eventually(lambda: EventAttempt.objects.count() == 4)

    errors = await database.run(
        lambda: dict(EventDelivery.objects.values_list("endpoint_id", "error"))
    )
    assert errors[refused.pk] == "It answered 500 Internal Server Error."
    assert errors[garbled.pk].startswith("It could not be written or signed")
    assert set(await database.run(lambda: list_statuses(private))) == {STATUS.QUEUED}
    assert [str(request.url) for request in receivers.taken] == [BAD]


async def test_a_person_is_told_once_when_an_endpoint_gets_nothing_any_more(
    database: Database, receivers: FakeReceivers, eventually: Eventually
) -> None:
    receivers.statuses[BAD] = 500
    endpoint = await database.run(lambda: create_endpoint(url=BAD))
    for _ in range(2):
        await database.run(record_event, EventType.CHANNEL_ALERT)

    def count_failed() -> int:
        """Use up all retries of the queued deliveries and return the number of failed ones."""
        waiting = EventDelivery.objects.filter(status=STATUS.QUEUED)
        waiting.update(attempts=len(RETRY_WAITS), next_attempt_at=NOON)
        return list_statuses(endpoint).count(STATUS.FAILED)

    for events in (2, 3):  # the alarm is an event too, and its delivery also fails
        async with run_event_workers(database, receivers):
            await eventually(lambda expected=events: count_failed() == expected)
    await EventSequencer(database=database, queued=WakeSignal()).turn()

    assert await database.run(EventDelivery.objects.count) == 3
    alarm = await database.run(Alarm.objects.get)
    assert (alarm.key, alarm.count) == (delivery_alarms.build_alarm_key(endpoint.pk), 3)
    assert endpoint.name in alarm.title


async def test_410_switches_an_endpoint_off_with_an_alarm(
    database: Database, receivers: FakeReceivers, eventually: Eventually
) -> None:
    receivers.statuses[BAD] = 410
    endpoint = await database.run(lambda: create_endpoint(url=BAD))
    await database.run(record_event, EventType.CHANNEL_ALERT)

    async with run_event_workers(database, receivers):
        await eventually(Alarm.objects.exists)

    assert not (await database.run(endpoints.find_endpoint, endpoint.pk)).active


async def test_what_a_dead_gateway_left_is_sent_by_another_and_old_events_are_forgotten(
    database: Database, receivers: FakeReceivers, eventually: Eventually
) -> None:
    endpoint = await database.run(lambda: create_endpoint(url=FINE))
    await database.run(record_event, EventType.CHANNEL_ALERT)
    await EventSequencer(database=database, queued=WakeSignal()).turn()
    await database.run(EventDelivery.objects.update, status=STATUS.SENDING, lease_until=NOON)

    await EventLeaseSweeper(database=database, bell=WakeSignal()).turn()
    async with run_event_workers(database, receivers):
        await eventually(lambda: list_statuses(endpoint) == [STATUS.DELIVERED])

    forgetting = EventRetention(database=database, stop=StopSignal())
    await database.run(Event.objects.update, created_at=NOON.replace(year=2025))
    await forgetting.turn()
    assert not await database.run(Event.objects.exists)
