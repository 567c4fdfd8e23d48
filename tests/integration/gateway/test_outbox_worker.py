"""Tests of the outbox worker alone: hand-over, order, slots, batched marks, and quiet moments."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.db import connection, transaction
from django.db.backends.signals import connection_created

from gateway.database import Database
from gateway.workers import loop
from gateway.workers.loop import StopSignal, WakeSignal
from gateway.workers.mark_writer import MarkWriter
from gateway.workers.outbox import SEND_LEASE, OutboxWorker
from shared.core.enums import OutboxKind, OutboxStatus
from shared.whatsapp import messages
from shared.whatsapp.models import OutboundMessage
from shared.whatsapp.services.inbox import contacts
from shared.whatsapp.services.meta_client import MetaClient
from shared.whatsapp.services.outbox import message_claims, outbox_queue
from shared.whatsapp.services.outbox.message_claims import ClaimedMessage
from tests.graph_transports import MockGraphTransport
from tests.integration.gateway import sample_data
from tests.integration.gateway.fake_meta import FakeGraph, RunGateway
from tests.waiting import await_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.acceptance]


def answer(*texts: str, buyers: int = 1) -> list[ClaimedMessage]:
    """Queue these replies to each of some new buyers and claim them, as answering does."""
    with transaction.atomic():
        locked = [
            contacts.lock_contact(sample_data.create_recent_contact().pk) for _ in range(buyers)
        ]
        queued = [queue_reply(buyer, text) for buyer in locked for text in texts]
        return message_claims.claim_queued(
            queued,
            contacts={buyer.pk: buyer for buyer in locked},
            now=datetime.now(UTC),
            lease=uuid4(),
        )


def queue_reply(buyer: Any, text: str) -> OutboundMessage:
    return outbox_queue.enqueue_message(
        buyer,
        messages.build_text(text),
        key="note",
        kind=OutboxKind.REPLY,
        now=datetime.now(UTC),
    )


def list_rows() -> list[tuple[str, bool]]:
    """Return the status of each message, and whether it has a lease, in the order of the queue."""
    rows = OutboundMessage.objects.order_by("pk").values_list("status", "lease")
    return [(status, lease is not None) for status, lease in rows]


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """Record the statements about outgoing messages on every connection that opens."""
    seen: list[str] = []

    def record(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        if "whatsapp_outboundmessage" in sql:
            seen.append(sql)
        return execute(sql, *args)

    def wrap(connection: Any, **_: Any) -> None:
        connection.execute_wrappers.append(record)

    connection_created.connect(wrap)
    yield seen
    connection_created.disconnect(wrap)


@pytest.fixture
async def lanes(statements: list[str]) -> AsyncIterator[Database]:
    """Open the lanes of a gateway, whose statements are recorded."""
    lanes = Database.for_vendor(connection.vendor)
    yield lanes
    await lanes.aclose(timeout_seconds=5)


@pytest.fixture
async def worker(lanes: Database, graph: FakeGraph) -> AsyncIterator[OutboxWorker]:
    """Return a worker that takes no turns by itself."""
    client = MetaClient(
        base_url="http://127.0.0.1:1",
        version="v26.0",
        token="test_access_token",
        transport=MockGraphTransport(graph),
    )
    worker = OutboxWorker(
        database=lanes, client=client, wake_signal=WakeSignal(), stop=StopSignal(), rate=20
    )
    yield worker
    worker.stop.set()
    await worker.finish()
    await client.aclose()


async def wait_until_sent(graph: FakeGraph, number: int) -> None:
    async def is_sent() -> bool:
        return len(graph.sent) >= number

    await await_until(is_sent)


class TestHandOver:
    async def test_sends_the_replies_of_a_buyer_in_order_without_a_claim(
        self,
        worker: OutboxWorker,
        graph: FakeGraph,
        database: Database,
        statements: list[str],
    ) -> None:
        graph.pause = 0.05
        claimed = await database.run_unit(lambda: answer("one", "two", "three", buyers=2))
        statements.clear()

        worker.take(claimed)
        await wait_until_sent(graph, 6)
        await worker.finish()

        for buyer in {body["to"] for body in graph.sent}:
            texts = [body["text"]["body"] for body in graph.sent if body["to"] == buyer]
            assert texts == ["one", "two", "three"]
        assert graph.overlaps == 0
        assert await database.run_unit(list_rows) == [(OutboxStatus.SENT, False)] * 6
        assert not any("LIMIT" in sql for sql in statements)

    async def test_sends_nothing_that_another_gateway_took(
        self, worker: OutboxWorker, graph: FakeGraph, database: Database
    ) -> None:
        [lost, behind, kept] = [
            *await database.run_unit(lambda: answer("one", "two")),
            *await database.run_unit(lambda: answer("kept")),
        ]
        await database.run_unit(
            lambda: OutboundMessage.objects.filter(pk=lost.id).update(
                status=OutboxStatus.SENDING, lease=uuid4(), lease_until=datetime.now(UTC)
            )
        )

        worker.take([lost, behind, kept])
        await worker.finish()

        assert graph.texts == ["kept"]
        assert await database.run_unit(list_rows) == [
            (OutboxStatus.SENDING, True),
            (OutboxStatus.QUEUED, False),
            (OutboxStatus.SENT, False),
        ]

    async def test_sends_nothing_before_a_message_that_is_tried_again(
        self, worker: OutboxWorker, graph: FakeGraph, database: Database
    ) -> None:
        graph.answers.append(httpx.Response(503, json={"error": {"code": 131016}}))

        worker.take(await database.run_unit(lambda: answer("one", "two")))
        await asyncio.sleep(0.5)
        await worker.finish()

        assert graph.sent == []
        rows = await database.run_unit(list_rows)
        assert rows == [(OutboxStatus.QUEUED, False)] * 2
        assert (await worker.turn()) is False  # the first is not due yet

    async def test_gives_back_what_has_no_slot_and_what_comes_after_the_end(
        self, worker: OutboxWorker, graph: FakeGraph, database: Database
    ) -> None:
        graph.pause = 0.3
        claimed = await database.run_unit(lambda: answer("hello", buyers=worker.slots + 2))
        late = await database.run_unit(lambda: answer("one", "two"))

        worker.take(claimed)
        waiting = asyncio.create_task(worker.wake_signal.wait(at_most=60))
        await waiting  # a turn is due when the first send ends
        worker.stop.set()
        worker.take(late)
        await worker.finish()

        rows = await database.run_unit(list_rows)
        assert (
            rows == [(OutboxStatus.SENT, False)] * worker.slots + [(OutboxStatus.QUEUED, False)] * 4
        )


class TestTurns:
    async def test_follow_only_sends_to_buyers_who_have_more(
        self,
        worker: OutboxWorker,
        graph: FakeGraph,
        database: Database,
        statements: list[str],
    ) -> None:
        first = await database.run_unit(lambda: answer("one"))
        buyer = first[0].contact_id
        running = asyncio.create_task(
            loop.run_worker(
                worker.turn,
                name="outbox",
                wake_signal=worker.wake_signal,
                stop=worker.stop,
                interval=600,
            )
        )
        graph.pause = 0.2
        worker.take(first)
        await asyncio.sleep(0.1)

        def queue_more() -> None:
            with transaction.atomic():
                for text in ("two", "three"):
                    queue_reply(contacts.lock_contact(buyer), text)

        await database.run_unit(queue_more)
        worker.wake_signal.set()  # as whoever queued them does
        await wait_until_sent(graph, 3)
        await asyncio.sleep(0.5)

        assert graph.texts == ["one", "two", "three"]
        assert graph.overlaps == 0
        # At the start, after the signal, and after the pauses behind the first two messages.
        assert sum(sql.endswith("LIMIT 1") for sql in statements) <= 4
        worker.stop.set()
        worker.wake_signal.set()
        await running

    @pytest.mark.same_everywhere
    async def test_of_an_idle_gateway_only_look_whether_something_is_queued(
        self, gateway: RunGateway, graph: FakeGraph, statements: list[str]
    ) -> None:
        async with gateway():
            await asyncio.sleep(0.5)
            statements.clear()
            await asyncio.sleep(2.5)
            idle = list(statements)

        assert idle
        assert all(sql.startswith("SELECT") and sql.endswith("LIMIT 1") for sql in idle), idle
        assert len(idle) <= 8  # one every two seconds, and two of the sweep every five


class TestMarks:
    async def test_that_come_together_are_written_together(
        self, lanes: Database, database: Database, statements: list[str]
    ) -> None:
        claimed = await database.run_unit(lambda: answer("hello", buyers=12))
        marks = MarkWriter(lanes, lease_for=SEND_LEASE)
        statements.clear()

        started = await asyncio.gather(*map(marks.start_send, claimed))
        await asyncio.gather(*(marks.record_sent(each, wa_message_id="w") for each in claimed))

        assert started == [True] * 12
        assert len(statements) == 4  # lock, look at sends, SENDING; SENT
        assert await database.run_unit(list_rows) == [(OutboxStatus.SENT, False)] * 12

    async def test_of_others_are_written_although_one_cannot_be(
        self, lanes: Database, database: Database, vendor: str
    ) -> None:
        if vendor == "sqlite":
            pytest.skip("SQLite stores text of any length")
        good, bad = await database.run_unit(lambda: answer("hello", buyers=2))
        marks = MarkWriter(lanes, lease_for=SEND_LEASE)
        await asyncio.gather(marks.start_send(good), marks.start_send(bad))

        results = await asyncio.gather(
            marks.record_sent(bad, wa_message_id="w" * 300),
            marks.record_sent(good, wa_message_id="w"),
            return_exceptions=True,
        )

        assert isinstance(results[0], Exception)
        assert results[1] is None
        assert await database.run_unit(list_rows) == [
            (OutboxStatus.SENT, False),
            (OutboxStatus.SENDING, True),
        ]
