"""The applications that `webhook_ingest` compares: group commit and one commit per webhook."""

import os

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
    from gateway import app, webhook
    from gateway.database import Database
    from shared.core import config

    settings = config.get_settings()
    database = Database.for_vendor("sqlite")

    async def keep(arrival: webhook.ReceivedWebhook) -> None:
        await database.run_ingest_unit(app.store_webhooks, [arrival])

    return Starlette(
        routes=webhook.build_webhook_routes(
            store=keep,
            secrets=settings.app_secrets,
            verify_token=settings.meta_verify_token.get_secret_value(),
        )
    )


def _set_up() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "gateway.settings"
    django.setup()
