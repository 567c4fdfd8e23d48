"""Commands of the gateway, the back office and Django with this Python."""

import sys
from pathlib import Path
from typing import Final

GUNICORN_SETTINGS: Final = Path(__file__).with_name("gunicorn.conf.py")


def build_gateway_command(*, host: str, port: int) -> list[str]:
    """Return the command of a gateway that listens on `host` and `port`."""
    program = [sys.executable, "-m", "uvicorn", "gateway.asgi:app"]
    limits = ["--http", "gateway.http_limits:LimitedProtocol", "--timeout-graceful-shutdown", "10"]
    return [*program, *limits, "--host", host, "--port", str(port)]


def build_backoffice_command(*, host: str, port: int, workers: int | None = None) -> list[str]:
    """Return the command of a back office that listens on `host` and `port`.

    Args:
        host: address to listen on.
        port: port to listen on.
        workers: number of processes; None: what gunicorn's settings say.

    """
    program = [sys.executable, "-m", "gunicorn", "--config", str(GUNICORN_SETTINGS)]
    count = [] if workers is None else ["--workers", str(workers)]
    return [*program, "--bind", f"{format_host(host)}:{port}", *count, "backoffice.wsgi"]


def build_manage_command(*arguments: str) -> list[str]:
    """Return the command that runs `manage` with these arguments."""
    return [sys.executable, "-m", "backoffice.manage", *arguments]


def format_host(host: str) -> str:
    """Return a host as it stands before a port: an IPv6 address in brackets (RFC 3986)."""
    return f"[{host}]" if ":" in host else host
