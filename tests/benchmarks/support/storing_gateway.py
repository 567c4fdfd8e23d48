"""The gateway without its workers: webhooks are stored, and nothing is answered or sent."""

import os

import django
from starlette.types import ASGIApp


def build() -> ASGIApp:
    """Build the application of this checkout."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "gateway.settings"
    django.setup()
    from gateway import app
    from shared.core import config

    return app.build_app(config.get_settings(), workers=False)
