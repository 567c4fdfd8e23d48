"""Cutting a connection without an answer, which an application alone cannot do."""

import asyncio
from typing import Any
from weakref import WeakValueDictionary

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_LINES: WeakValueDictionary[tuple[Any, Any], "CuttableProtocol"] = WeakValueDictionary()


class CuttableProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which can be found again by the two ends of its connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Remember the connection as long as it lives."""
        super().connection_made(transport)
        _LINES[self.client, self.server] = self


async def cut(scope: Scope) -> None:
    """Close the connection of this request at once.

    Raises:
        ConnectionResetError: when there is no real connection, as in a test without a server.

    """
    line = _LINES.get((_pair(scope["client"]), _pair(scope["server"])))
    if line is None:
        raise ConnectionResetError
    line.transport.abort()
    await asyncio.sleep(0.01)


def _pair(end: Any) -> tuple[Any, ...] | None:
    return tuple(end) if end else None
