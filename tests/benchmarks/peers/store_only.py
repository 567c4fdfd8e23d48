"""The gateway without workers: it stores webhooks and does nothing else."""

import os
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from starlette.applications import Starlette


def build_app() -> "Starlette":
    """Build the gateway of this checkout without workers."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "gateway.settings"
    django.setup()
    from gateway import app
    from shared.core import config

    return app.build_app(config.get_settings(), workers=False)
