"""The gateway as a Starlette application: its routes and its lifespan."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, override
from urllib.parse import urlsplit

from django.db import connection
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from gateway import health, webhook
from gateway.database import Database
from gateway.draining import Drain
from gateway.ingest import Ingest
from gateway.webhook import WEBHOOK_PATHS, WebhookReceiver
from gateway.webhook_sender import WebhookSender
from gateway.workers.supervisor import Supervisor
from shared.core import logs
from shared.core.config import Settings
from shared.staff_mail.situation import MailRules
from shared.whatsapp.services.inbox import received_webhooks
from shared.whatsapp.services.inbox.received_webhooks import SignedBody
from shared.whatsapp.services.meta_client import MetaClient

SHUTDOWN_TIMEOUT_SECONDS: Final = 20.0
"""Seconds in which current work may finish after the drain; whatever stops a gateway must wait
for both."""

logger = logs.get_logger(__name__)


def build_app(
    settings: Settings, *, client: MetaClient | None = None, workers: bool = True
) -> Starlette:
    """Build the application.

    Args:
        settings: the configuration of this process.
        client: the client for Meta's API, instead of one built from `settings`. The application
            closes it.
        workers: whether the workers run. Without them, webhooks are stored and nothing else.

    """
    database = Database.for_vendor(connection.vendor)
    client = client or build_meta_client(settings)
    sender = WebhookSender(allow_private=settings.events_allow_private)
    supervisor = Supervisor(
        database=database,
        client=client,
        sender=sender,
        rate=settings.sends_per_second,
        public_url=settings.public_url,
        brand=settings.brand_name,
        mail_rules=build_mail_rules(settings),
        silence_limit=settings.webhook_silence_limit,
    )

    async def keep(bodies: Sequence[SignedBody]) -> None:
        await database.run_ingest_unit(received_webhooks.keep_bodies, bodies, now=datetime.now(UTC))

    ingest = Ingest(keep, committed=supervisor.wake_reader, share=database.ingest_share)
    readiness_check = health.ReadinessCheck()
    drain = Drain(seconds=settings.drain_seconds)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        logger.info(
            "gateway_started",
            database=redact_database_url(settings.resolved_database_url),
            workers=workers,
        )
        if workers:
            supervisor.start()
        with drain.delay_sigterm():
            try:
                yield
            finally:
                await asyncio.gather(
                    ingest.drain(timeout_seconds=SHUTDOWN_TIMEOUT_SECONDS),
                    supervisor.stop(timeout_seconds=SHUTDOWN_TIMEOUT_SECONDS),
                )
                await client.aclose()
                await sender.aclose()
                await database.aclose(timeout_seconds=1.0)
                logger.info("gateway_stopped")

    return Gateway(
        webhook.WebhookReceiver(store=ingest.store, secrets=settings.app_secrets),
        routes=[
            *webhook.build_verification_routes(
                verify_token=settings.meta_verify_token.get_secret_value()
            ),
            *health.build_health_routes(
                lambda: database.run_health_check(readiness_check),
                is_draining=lambda: drain.has_begun,
            ),
        ],
        lifespan=lifespan,
    )


class Gateway(Starlette):
    """A Starlette application in front of which webhooks are taken by a plain ASGI application."""

    def __init__(self, receiver: WebhookReceiver, **options: Any) -> None:
        """Create the application.

        Args:
            receiver: answers `POST /webhook`.
            options: the arguments of Starlette, which answers everything else.

        """
        super().__init__(**options)
        self._receiver = receiver

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in WEBHOOK_PATHS:
            await self._receiver(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def build_meta_client(settings: Settings) -> MetaClient:
    """Build the client for Meta's API."""
    return MetaClient(
        base_url=settings.meta_graph_url,
        version=settings.meta_graph_version,
        token=settings.meta_access_token.get_secret_value(),
    )


def build_mail_rules(settings: Settings) -> MailRules | None:
    """Return when staff are told by e-mail; None if no mail server is configured."""
    if not settings.sends_mail:
        return None
    return MailRules(
        proof_wait=timedelta(minutes=settings.staff_mail_proof_minutes),
        repeat_after=timedelta(hours=settings.staff_mail_repeat_hours),
    )


def redact_database_url(address: str) -> str:
    """Return a database's URL without user and password."""
    parts = urlsplit(address)
    if not parts.hostname:
        return address
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
