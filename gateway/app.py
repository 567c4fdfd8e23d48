"""The gateway as a value: its routes, and what lives as long as it does."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from django.db import connection
from starlette.applications import Starlette

from gateway import health, webhook
from gateway.database import Database
from gateway.ingest import Ingest
from gateway.webhook import Arrival
from gateway.webhook_sender import Courier
from gateway.workers.supervisor import Crew
from shared.core import logs
from shared.core.config import Settings
from shared.whatsapp.services.inbox import inbox_queue
from shared.whatsapp.services.inbox.webhook_store import Stored
from shared.whatsapp.services.meta_client import MetaClient

PATIENCE: Final = 20.0
"""Seconds that what was begun gets to end in; orchestrators kill after thirty."""

logger = logs.get(__name__)


def build(
    settings: Settings, *, client: MetaClient | None = None, workers: bool = True
) -> Starlette:
    """Make the application.

    Args:
        settings: the configuration of this process.
        client: who talks to Meta, if not one made from `settings`; closed with the application.
        workers: without them webhooks are stored and nothing else is done.

    """
    database = Database.suited_to(connection.vendor)
    client = client or meta_client(settings)
    courier = Courier(allow_private=settings.events_allow_private)
    crew = Crew(
        database=database,
        client=client,
        courier=courier,
        rate=settings.sends_per_second,
        public_url=settings.public_url,
    )

    async def store(arrivals: Sequence[Arrival]) -> Stored:
        return await database.ingest(store_together, arrivals)

    ingest = Ingest(store, committed=crew.stored)
    examination = health.Examination()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        logger.info("gateway_started", database=shown(settings.database), workers=workers)
        if workers:
            crew.start()
        try:
            yield
        finally:
            await asyncio.gather(ingest.drained(patience=PATIENCE), crew.finish(patience=PATIENCE))
            await client.aclose()
            await courier.aclose()
            await database.aclose(patience=1.0)
            logger.info("gateway_stopped")

    return Starlette(
        routes=[
            *webhook.routes(
                keep=ingest.keep,
                secrets=settings.app_secrets,
                verify_token=settings.meta_verify_token.get_secret_value(),
            ),
            *health.routes(lambda: database.glance(examination)),
        ],
        lifespan=lifespan,
    )


def store_together(arrivals: Sequence[Arrival]) -> Stored:
    """Store webhooks in one transaction; what cannot be stored as such is kept as bytes."""
    return inbox_queue.store_safely(
        [arrival.webhook for arrival in arrivals],
        now=datetime.now(UTC),
        correlation_ids=[arrival.correlation_id for arrival in arrivals],
    )


def meta_client(settings: Settings) -> MetaClient:
    """Make the client that talks to Meta."""
    return MetaClient(
        base_url=settings.meta_graph_url,
        version=settings.meta_graph_version,
        token=settings.meta_access_token.get_secret_value(),
    )


def shown(address: str) -> str:
    """Write a database's address without user and password."""
    parts = urlsplit(address)
    if not parts.hostname:
        return address
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
