"""The stand-in's uvicorn server, on loopback only."""

import ipaddress
import socket
from typing import Final

import uvicorn
from starlette.applications import Starlette

from deploy.sandbox.connection_faults import CuttableProtocol

MAX_CONNECTIONS: Final = 2_000
BACKLOG: Final = 2_048
STOP_TIMEOUT_SECONDS: Final = 2


class NotLoopback(ValueError):
    """The address is not on loopback; the control interface has no password."""


def open_loopback_socket(host: str, port: int) -> socket.socket:
    """Open a listening socket; port 0 takes a free one.

    Raises:
        NotLoopback: other machines could reach the address.
        ValueError: `host` is not an IP address.
        OSError: the port is taken.

    """
    host = "127.0.0.1" if host == "localhost" else host
    if not ipaddress.ip_address(host).is_loopback:
        raise NotLoopback(f"{host} is not an address of loopback, such as 127.0.0.1")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
        opened.listen(BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened


def format_address(opened: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port = opened.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def build_server(app: Starlette) -> uvicorn.Server:
    """Build a server that stops soon, even while a client waits for changes."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=CuttableProtocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_graceful_shutdown=STOP_TIMEOUT_SECONDS,
        )
    )
