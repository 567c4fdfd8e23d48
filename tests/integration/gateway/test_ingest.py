"""What Meta signs is in the database before it is acknowledged, and read once, whatever it is."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from django.db import connection, connections

from gateway.database import Database
from shared.core.enums import InboxStatus, OutboxStatus
from shared.whatsapp.models import (
    AccountNotice,
    DeliveryStatus,
    InboundMessage,
    OutboundMessage,
    ReceivedWebhook,
    UnreadableItem,
    WhatsAppContact,
)
from tests.integration.gateway import sample_data
from tests.integration.gateway.fake_meta import (
    RunGateway,
    build_text_webhook,
    build_webhook,
    post_webhook,
)

pytestmark = pytest.mark.django_db(transaction=True)


class TestIngest:
    async def test_a_text_is_stored_with_its_sender_and_a_correlation_id(
        self, gateway: RunGateway, database: Database
    ) -> None:
        async with gateway(workers=False) as meta:
            answer = await post_webhook(meta, build_text_webhook("hello"))
        await database.run_unit(sample_data.read_webhooks)

        assert (answer.status_code, answer.content) == (200, b"")
        message = await database.run_unit(InboundMessage.objects.select_related("contact").get)
        assert (message.text, message.status) == ("hello", InboxStatus.RECEIVED)
        assert message.contact is not None
        assert message.contact.wa_id == "15550100001"
        assert len(message.correlation_id) == 16

    async def test_the_same_webhook_again_changes_nothing(
        self, gateway: RunGateway, database: Database
    ) -> None:
        async with gateway(workers=False) as meta:
            answers = [await post_webhook(meta, build_text_webhook("hello")) for _ in range(3)]
        await database.run_unit(sample_data.read_webhooks)

        assert [answer.status_code for answer in answers] == [200, 200, 200]
        assert await database.run_unit(InboundMessage.objects.count) == 1

    async def test_many_at_once_are_all_stored(
        self, gateway: RunGateway, database: Database
    ) -> None:
        webhooks = [
            build_text_webhook("hello", serial=serial, sender=f"155501{serial % 20:05}")
            for serial in range(200)
        ]

        async with gateway(workers=False) as meta:
            answers = await asyncio.gather(*(post_webhook(meta, each) for each in webhooks))
        await database.run_unit(sample_data.read_webhooks)

        assert {answer.status_code for answer in answers} == {200}
        assert await database.run_unit(InboundMessage.objects.count) == 200
        assert await database.run_unit(WhatsAppContact.objects.count) == 20

    async def test_duplicates_in_one_batch_are_stored_once(
        self, gateway: RunGateway, database: Database
    ) -> None:
        async with gateway(workers=False) as meta:
            answers = await asyncio.gather(
                *(post_webhook(meta, build_text_webhook("hello")) for _ in range(30))
            )
        await database.run_unit(sample_data.read_webhooks)

        assert {answer.status_code for answer in answers} == {200}
        assert await database.run_unit(InboundMessage.objects.count) == 1

    async def test_what_the_seller_writes_in_the_app_is_shown_and_never_answered(
        self, gateway: RunGateway, database: Database
    ) -> None:
        echo = {
            "from": "15550100000",
            "to": "15550100001",
            "id": "wamid.echo",
            "timestamp": str(int(datetime.now(UTC).timestamp())),
            "type": "text",
            "text": {"body": "I look into it."},
        }
        async with gateway(workers=False) as meta:
            await post_webhook(meta, build_text_webhook("hello"))
            document = build_webhook(field="smb_message_echoes", message_echoes=[echo])
            answers = [await post_webhook(meta, document) for _ in range(2)]
        await database.run_unit(sample_data.read_webhooks)

        assert [answer.status_code for answer in answers] == [200, 200]
        message = await database.run_unit(OutboundMessage.objects.select_related("contact").get)
        assert (message.key, message.status) == ("app", OutboxStatus.SENT)
        assert message.contact.wa_id == "15550100001"
        assert message.contact.bot_paused_until is not None
        assert await database.run_unit(InboundMessage.objects.count) == 1

    @pytest.mark.parametrize(
        ("document", "kept"),
        [
            (build_text_webhook("a\x00b"), InboundMessage),
            (build_text_webhook("who am I", sender=None), InboundMessage),
            (build_text_webhook("", type="brand_new", text=None), InboundMessage),
            (build_webhook(field="brand_new", x=1), AccountNotice),
            (build_webhook(field="account_alerts", alert="\x00"), AccountNotice),
            (b"not json", UnreadableItem),
            (b'{"entry": [', UnreadableItem),
            (b'"a string"', UnreadableItem),
            (build_webhook(messages=[17]), UnreadableItem),
        ],
        ids=lambda value: str(value)[:40],
    )
    async def test_a_webhook_that_is_not_understood_is_kept_and_acknowledged(
        self, gateway: RunGateway, database: Database, document: Any, kept: type[InboundMessage]
    ) -> None:
        async with gateway(workers=False) as meta:
            answer = await post_webhook(meta, document)
        await database.run_unit(sample_data.read_webhooks)

        assert answer.status_code == 200
        assert await database.run_unit(kept.objects.count) == 1
        assert await database.run_unit(ReceivedWebhook.objects.count) == 0

    async def test_the_bytes_are_stored_before_anything_is_read(
        self, gateway: RunGateway, database: Database
    ) -> None:
        async with gateway(workers=False) as meta:
            answer = await post_webhook(meta, b"not json")

        assert answer.status_code == 200
        webhook = await database.run_unit(ReceivedWebhook.objects.get)
        assert bytes(webhook.body) == b"not json"
        assert await database.run_unit(UnreadableItem.objects.count) == 0

    async def test_statuses_are_stored(self, gateway: RunGateway, database: Database) -> None:
        status = {"id": "wamid.X", "status": "delivered", "timestamp": "1749416383"}

        async with gateway(workers=False) as meta:
            answer = await post_webhook(meta, build_webhook(statuses=[status]))
        await database.run_unit(sample_data.read_webhooks)

        assert answer.status_code == 200
        assert await database.run_unit(DeliveryStatus.objects.count) == 1

    async def test_a_webhook_without_a_signature_is_refused(
        self, gateway: RunGateway, database: Database
    ) -> None:
        async with gateway(workers=False) as meta:
            answer = await meta.post("/webhook", json=build_text_webhook("hello"))
        await database.run_unit(sample_data.read_webhooks)

        assert answer.status_code == 401
        assert await database.run_unit(ReceivedWebhook.objects.count) == 0
        assert await database.run_unit(InboundMessage.objects.count) == 0


@pytest.fixture
def away() -> Iterator[None]:
    """Make every new connection fail, as when the database is down."""
    settings = connections.settings["default"]
    name = settings["NAME"]
    settings["NAME"] = "/nowhere/at/all"
    yield
    settings["NAME"] = name


class TestDatabaseAway:
    @pytest.mark.usefixtures("away")
    async def test_every_webhook_gets_503(self, gateway: RunGateway) -> None:
        async with gateway(workers=False) as meta:
            answers = await asyncio.gather(
                *(post_webhook(meta, build_text_webhook("x", serial=n)) for n in range(20))
            )

        assert {answer.status_code for answer in answers} == {503}

    @pytest.mark.usefixtures("away")
    async def test_the_handshake_and_healthz_need_no_database(self, gateway: RunGateway) -> None:
        query = {
            "hub.mode": "subscribe",
            "hub.challenge": "42",
            "hub.verify_token": "test_verify_token",
        }

        async with gateway() as meta:
            answers = [await meta.get("/webhook", params=query), await meta.get("/healthz")]

        assert [answer.status_code for answer in answers] == [200, 200]

    @pytest.mark.usefixtures("away")
    async def test_readyz_reports_it(self, gateway: RunGateway) -> None:
        async with gateway() as meta:
            answer = await meta.get("/readyz")

        assert answer.status_code == 503
        assert answer.json()["database"] == "away"

    async def test_a_connection_that_the_server_closed_is_opened_again(
        self, gateway: RunGateway, database: Database
    ) -> None:
        """The first webhook may be refused: the connection was used just before."""
        async with gateway(workers=False) as meta:
            await post_webhook(meta, build_text_webhook("before"))
            await database.run_unit(close_other_connections)
            answer: httpx.Response
            for _ in range(2):
                answer = await post_webhook(meta, build_text_webhook("after", serial=2))
        await database.run_unit(sample_data.read_webhooks)

        assert answer.status_code == 200
        assert await database.run_unit(InboundMessage.objects.count) == 2


def close_other_connections() -> None:
    """Close the other connections as a restart of PostgreSQL does; SQLite has no server."""
    if connection.vendor == "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
