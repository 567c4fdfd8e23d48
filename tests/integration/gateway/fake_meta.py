"""A fake of Meta: signed webhooks and a Graph API that accepts messages and serves files."""

import asyncio
import hmac
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson

APP_SECRET = "test_app_secret"
PHONE_NUMBER_ID = "106540352242922"

type RunGateway = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
"""A function that runs the gateway and yields a client of it."""


class FakeGraph:
    """A fake Graph API that by default accepts every message, and serves files."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.answers: list[httpx.Response | Exception] = []
        self.files: dict[str, bytes] = {}
        self.refusals: dict[str, httpx.Response] = {}
        self.under_way = 0
        self.most_under_way = 0
        self.overlaps = 0
        self.pause = 0.0
        self._buyers: set[str] = set()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return self._file(request)
        return await self._send(orjson.loads(request.content))

    @property
    def texts(self) -> list[str]:
        """The texts of the sent messages."""
        return [
            body.get("text", {}).get("body") or body["interactive"]["body"]["text"]
            for body in self.sent
        ]

    async def _send(self, body: dict[str, Any]) -> httpx.Response:
        buyer = body["to"]
        self.overlaps += buyer in self._buyers
        self._buyers.add(buyer)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(self.pause)
        self.under_way -= 1
        self._buyers.discard(buyer)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        self.sent.append(body)
        message = {"id": f"wamid.OURS{len(self.sent)}"}
        contact = {"input": buyer, "wa_id": buyer.removeprefix("+")}
        return httpx.Response(200, json={"contacts": [contact], "messages": [message]})

    def _file(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        if name in self.refusals:
            return self.refusals[name]
        if name == PHONE_NUMBER_ID:
            return httpx.Response(200, json={"id": name})
        if name not in self.files:
            return httpx.Response(404, json={"error": {"code": 100, "message": "gone"}})
        if request.url.path.startswith("/files/"):
            return httpx.Response(200, content=self.files[name])
        return httpx.Response(200, json={"url": f"http://127.0.0.1:1/files/{name}", "id": name})


async def post_webhook(client: httpx.AsyncClient, document: object) -> httpx.Response:
    """Post a signed webhook as Meta does."""
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    signature = hmac.digest(APP_SECRET.encode(), body, "sha256").hex()
    return await client.post(
        "/webhook", content=body, headers={"X-Hub-Signature-256": f"sha256={signature}"}
    )


def build_webhook(*, field: str = "messages", **value: Any) -> dict[str, Any]:
    """Return a webhook with one change."""
    metadata = {"display_phone_number": "15550100000", "phone_number_id": PHONE_NUMBER_ID}
    change = {"field": field, "value": {"metadata": metadata, **value}}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "102290129340398", "changes": [change]}],
    }


def build_text_webhook(
    words: str, *, serial: int = 1, sender: str | None = "15550100001", **changed: Any
) -> dict[str, Any]:
    """Return a webhook with one text message, sent just now."""
    message = {
        "from": sender,
        "id": f"wamid.{sender}.{serial}",
        "timestamp": str(int(datetime.now(UTC).timestamp())),
        "type": "text",
        "text": {"body": words},
        **changed,
    }
    return build_webhook(
        contacts=[{"profile": {"name": "Sheena"}, "wa_id": sender}] if sender else [],
        messages=[{key: value for key, value in message.items() if value is not None}],
    )
