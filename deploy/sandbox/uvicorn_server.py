"""Running the stand-in with uvicorn, on loopback only."""

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
    """The stand-in has no passwords of its own, so it listens on loopback only."""


def open_loopback_socket(host: str, port: int) -> socket.socket:
    """Open the socket; port 0 takes a free one.

    Raises:
        NotLoopback: for an address that others could reach.
        OSError: when the port is taken.

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
    """Give the address to reach a listening socket."""
    host, port = opened.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def build_server(app: Starlette) -> uvicorn.Server:
    """Give a server that stops soon even while somebody waits for news."""
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
