"""The entry point of `uvicorn gateway.asgi:app --http gateway.http_limits:LimitedProtocol`."""

import logging
import os

import django

from shared.core.config_errors import ConfigurationError

os.environ["DJANGO_SETTINGS_MODULE"] = "gateway.settings"

try:
    django.setup()
except ConfigurationError as error:
    raise SystemExit(str(error)) from None  # the message names every problem; no traceback

from gateway.app import build_app
from shared.core import config

for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
    logging.getLogger(name).handlers.clear()  # one format for every line: the root logger's
    logging.getLogger(name).propagate = True

app = build_app(config.get_settings())
