"""The applications that `webhook_ingest` compares: group commit and one commit per webhook."""

import os
from datetime import UTC, datetime

import django
from starlette.applications import Starlette


def together() -> Starlette:
    """Build the real gateway without workers, so that only ingest is measured."""
    _set_up()
    from gateway import app
    from shared.core import config

    return app.build_app(config.get_settings(), workers=False)


def alone() -> Starlette:
    """Build the same webhook with one commit per request, in the same thread."""
    _set_up()
    from gateway.app import Gateway
    from gateway.database import Database
    from gateway.webhook import WebhookReceiver
    from shared.core import config
    from shared.whatsapp.services.inbox import received_webhooks
    from shared.whatsapp.services.inbox.received_webhooks import SignedBody

    settings = config.get_settings()
    database = Database.for_vendor("sqlite")

    async def keep(webhook: SignedBody) -> None:
        await database.run_ingest_unit(
            received_webhooks.keep_bodies, [webhook], now=datetime.now(UTC)
        )

    return Gateway(WebhookReceiver(store=keep, secrets=settings.app_secrets))


def _set_up() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "gateway.settings"
    django.setup()
