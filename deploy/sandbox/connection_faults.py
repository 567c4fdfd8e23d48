"""Connections that are cut without a response, which an ASGI application alone cannot do."""

import asyncio
from typing import Any
from weakref import WeakValueDictionary

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_OPEN_CONNECTIONS: WeakValueDictionary[tuple[Any, Any], "CuttableProtocol"] = WeakValueDictionary()


class CuttableProtocol(HttpToolsProtocol):
    """uvicorn's protocol, registered under the two ends of its connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Register the connection while it is open."""
        super().connection_made(transport)
        _OPEN_CONNECTIONS[self.client, self.server] = self


async def cut_connection(scope: Scope) -> None:
    """Close the connection of this request at once.

    Raises:
        ConnectionResetError: there is no real connection, as in a test without a server.

    """
    connection = _OPEN_CONNECTIONS.get(
        (_make_endpoint_key(scope["client"]), _make_endpoint_key(scope["server"]))
    )
    if connection is None:
        raise ConnectionResetError
    connection.transport.abort()
    await asyncio.sleep(0.01)


def _make_endpoint_key(end: Any) -> tuple[Any, ...] | None:
    return tuple(end) if end else None
