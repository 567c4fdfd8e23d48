"""gunicorn's settings for the back office: `gunicorn -c deploy/gunicorn.conf.py backoffice.wsgi`.

An installed package has this file in the folder of `deploy`, too. Options of the command line and
of the variable `GUNICORN_CMD_ARGS` override it. The variables below are read from the environment
and not from `.env`: gunicorn starts before the application does. An empty one counts as not set.

Source: "Settings" in https://docs.gunicorn.org/en/stable/settings.html.
"""
# ruff: noqa: N999 - gunicorn's own name for this file

import os
from typing import Any

bind = os.environ.get("BACKOFFICE_BIND") or "127.0.0.1:8000"
workers = int(os.environ.get("WEB_CONCURRENCY") or "2")
worker_class = "gthread"
threads = int(os.environ.get("BACKOFFICE_THREADS") or "4")
"""Threads of each worker; each holds a connection to the database."""

timeout = 30
"""Seconds without a sign of life after which a worker is killed; long requests of a thread do not
count."""
graceful_timeout = 30
"""Seconds in which current requests may finish when gunicorn stops."""

forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS") or "127.0.0.1,::1"
"""Addresses of proxies whose `X-Forwarded-Proto` gunicorn believes."""

logger_class = "backoffice.gunicorn_logging.GunicornLogger"
control_socket_disable = True


def post_worker_init(_: Any) -> None:
    """Load the pages before the first request, which would have to wait for them."""
    from django.urls import get_resolver  # noqa: PLC0415 - the main process does without

    _ = get_resolver().url_patterns
