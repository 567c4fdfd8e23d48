"""Check of the link to a file in a message.

Meta loads `link` at delivery; a link that cannot be loaded fails with 131053
(developers.facebook.com/documentation/business-messaging/whatsapp, page messages/image-messages).
"""

from collections.abc import Mapping
from typing import Any, Final

import httpx

from deploy.sandbox.graph_api.attachments import SENDABLE_MEDIA

FETCH_TIMEOUT_SECONDS: Final = 10.0


async def is_link_reachable(body: Mapping[str, Any]) -> bool:
    """Whether the link of a message, if any, leads to a file of an allowed type and size."""
    link, kind = _find_link(body)
    if not link:
        return True
    largest, types = SENDABLE_MEDIA[kind]
    size = 0
    try:
        async with (
            httpx.AsyncClient(
                trust_env=False, timeout=FETCH_TIMEOUT_SECONDS, follow_redirects=True
            ) as http,
            http.stream("GET", link) as response,
        ):
            mime_type = response.headers.get("content-type", "").partition(";")[0].strip()
            if not response.is_success or mime_type not in types:
                return False
            async for chunk in response.aiter_bytes():
                size += len(chunk)
                if size > largest:
                    return False
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
    return size > 0


def _find_link(body: Mapping[str, Any]) -> tuple[str, str]:
    kind = str(body.get("type"))
    holder = body
    if kind == "interactive":
        holder = body["interactive"].get("header", {})
        kind = str(holder.get("type"))
    if kind not in SENDABLE_MEDIA:
        return "", kind
    return str(holder[kind].get("link") or ""), kind
