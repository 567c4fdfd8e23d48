"""Tests of the inbox worker alone: whom it answers at once, and when it lists the queue."""

from datetime import UTC, datetime

import pytest

from gateway.database import Database
from gateway.workers.inbox import InboxWorker
from gateway.workers.loop import StopSignal, WakeSignal
from gateway.workers.outbox import OutboxWorker
from shared.core.enums import InboxStatus
from shared.whatsapp.models import InboundMessage
from shared.whatsapp.services.meta_client import MetaClient
from tests.graph_transports import MockGraphTransport
from tests.integration.conversation.chat import BuyerChat
from tests.integration.gateway.fake_meta import FakeGraph

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.acceptance]


def write_texts(number: int) -> int:
    """Let a new buyer write some texts, and return the buyer's id."""
    chat = BuyerChat(now=datetime.now(UTC))
    for _ in range(number):
        chat.receives("text", {"text": {"body": "menu"}})
    return chat.contact.pk


def count_waiting() -> int:
    return InboundMessage.objects.filter(status=InboxStatus.RECEIVED).count()


async def test_who_has_just_written_is_answered_first_and_nobody_is_forgotten(
    database: Database, graph: FakeGraph
) -> None:
    client = MetaClient(
        base_url="http://127.0.0.1:1",
        version="v26.0",
        token="test_access_token",
        transport=MockGraphTransport(graph),
    )
    stop = StopSignal()
    outbox = OutboxWorker(
        database=database, client=client, wake_signal=WakeSignal(), stop=stop, rate=1000
    )
    worker = InboxWorker(database=database, outbox=outbox, media_signal=WakeSignal(), stop=stop)
    assert not await worker.turn()  # the first turn lists, as a former process may have left work

    one, many = await database.run_unit(write_texts, 1), await database.run_unit(write_texts, 2)
    await database.run_unit(write_texts, 1)  # read by another process
    worker.expect([one])
    assert not await worker.turn()
    assert await database.run_unit(count_waiting) == 3

    worker.expect([many])
    assert await worker.turn()  # another text waits
    assert await database.run_unit(count_waiting) == 2
    await worker.turn()
    assert await database.run_unit(count_waiting) == 0

    stop.set()
    await outbox.finish()
    await client.aclose()
