"""Requests to the Graph API over HTTP, and whether a failed one may have arrived."""

from collections.abc import Mapping
from dataclasses import dataclass
from ssl import SSLContext
from typing import Final, Protocol

import aiohttp
import httpx
from yarl import URL

from shared.whatsapp.errors import GraphUncertain, GraphUnreachable

GRAPH_TIMEOUT: Final = aiohttp.ClientTimeout(total=60, connect=10, sock_connect=5, sock_read=20)
"""Timeouts in seconds: for a whole request, for a free connection, to connect, and between bytes.

Meta usually answers within one. The first ends a very slow answer, which could block a worker for
ever.
"""

MAX_CONNECTIONS: Final = 200
"""At 200 ms per answer, enough for a number that may send 1,000 messages per second."""


@dataclass(frozen=True, slots=True)
class GraphResponse:
    """An answer; the names of `headers` are compared without case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class GraphTransport(Protocol):
    """A way to the Graph API."""

    async def send_request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None,
        limit: int,
    ) -> GraphResponse:
        """Send a request and return the answer; no redirect is followed.

        Args:
            method: the HTTP method.
            url: the whole address.
            headers: the headers of the request.
            content: its body.
            limit: the size of the largest body that is read; one byte more shows that it is longer.

        Raises:
            GraphUnreachable: nothing was sent.
            GraphUncertain: it may have been sent.

        """

    async def aclose(self) -> None:
        """Close the connections."""


class AiohttpTransport:
    """A connection pool of aiohttp, for one event loop.

    It is used directly: with httpx in front of it, a POST takes three times the processor time.
    """

    def __init__(
        self,
        *,
        timeout: aiohttp.ClientTimeout = GRAPH_TIMEOUT,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        """Create a pool, without connecting yet."""
        self._timeout = timeout
        self._max_connections = max_connections
        self._session: aiohttp.ClientSession | None = None
        self._ssl_context: SSLContext | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def send_request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None,
        limit: int,
    ) -> GraphResponse:
        """Send a request; see `GraphTransport`."""
        if self._session is None:
            self._session = self._open_session()
        address = URL(url, encoded=True)  # or aiohttp would decode a part of a signed address
        try:
            async with self._session.request(
                method,
                address,
                headers=headers,
                data=content,
                allow_redirects=False,
                ssl=self._get_ssl_context() if address.scheme == "https" else True,
            ) as response:
                body = await _read_body(response, limit=limit)
                return GraphResponse(response.status, response.headers, body)
        except (aiohttp.ClientError, TimeoutError) as error:
            kind = GraphUnreachable if _is_request_unsent(error) else GraphUncertain
            raise kind(type(error).__name__) from error

    def _open_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._max_connections),
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    def _get_ssl_context(self) -> SSLContext:
        """Return httpx's, which takes 30 to 90 ms to read the authorities that it trusts."""
        if self._ssl_context is None:
            self._ssl_context = httpx.create_ssl_context()
        return self._ssl_context


def _is_request_unsent(error: Exception) -> bool:
    """Return whether a request failed before it was sent."""
    return isinstance(
        error,
        aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL,
    )


async def _read_body(response: aiohttp.ClientResponse, *, limit: int) -> bytes:
    """Return the body, cut to one byte more than `limit`."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            break
    return bytes(body[: limit + 1])
