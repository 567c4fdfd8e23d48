"""A replacement of the network between `MetaClient` and the Graph API."""

from collections.abc import Mapping
from typing import Any

import httpx

from shared.whatsapp.errors import GraphUncertain, GraphUnreachable
from shared.whatsapp.services.graph_transport import GraphResponse


class MockGraphTransport:
    """Gives each request to a handler, as `httpx.MockTransport` does.

    The handler may raise `httpx.ConnectError`: nothing was sent; or another error of httpx: it may
    have been sent.
    """

    def __init__(self, handler: Any) -> None:
        self._http = httpx.AsyncClient(transport=httpx.MockTransport(handler))

    async def send_request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None,
        limit: int,
    ) -> GraphResponse:
        """Return the handler's answer."""
        try:
            answer = await self._http.request(method, url, headers=dict(headers), content=content)
        except httpx.ConnectError as error:
            raise GraphUnreachable from error
        except httpx.HTTPError as error:
            raise GraphUncertain from error
        return GraphResponse(answer.status_code, answer.headers, answer.content[: limit + 1])

    async def aclose(self) -> None:
        """Close the client."""
        await self._http.aclose()
