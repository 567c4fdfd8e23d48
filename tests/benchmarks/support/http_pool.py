"""Webhooks over keep-alive connections, and a stand-in for the Graph API, without a library.

A library would take more processor time than the gateway that is measured beside it.
"""

import asyncio
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

import orjson

from tests.benchmarks.support.gateway_process import APP_SECRET, PHONE_NUMBER_ID

HEAD_END: Final = b"\r\n\r\n"


RETRY_SECONDS: Final = 0.1
"""Pause before a webhook without an answer is posted again, as Meta does.

uvicorn closes idle connections after five seconds, at times just when a webhook comes.
"""


class WebhookPool:
    """Posts signed webhooks to a gateway, each over a free connection, or a new one.

    Attributes:
        posted: all webhooks so far.
        pending: webhooks without an answer so far.
        accepted: answers with 200.
        refused: other answers.
        released: called after each answer.

    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[_WebhookConnection] = []
        self._connecting: set[asyncio.Task[None]] = set()
        self.posted = 0
        self.pending = 0
        self.accepted = 0
        self.refused = 0
        self.released: Callable[[], None] | None = None

    def post(self, body: bytes) -> None:
        """Post a body as soon as a connection is there."""
        self.posted += 1
        self.pending += 1
        self.send(build_request(body))

    def send(self, request: bytes) -> None:
        """Send an HTTP request over a free connection, or a new one."""
        if self._free:
            self._free.pop().send(request)
            return
        task = asyncio.create_task(self._connect_and_send(request))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect_and_send(self, request: bytes) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, protocol = await loop.create_connection(
                lambda: _WebhookConnection(self), "127.0.0.1", self._port
            )
        except ConnectionRefusedError:
            loop.call_later(RETRY_SECONDS, self.send, request)
        else:
            protocol.send(request)

    def close(self) -> None:
        """Close the connections that are free."""
        for connection in self._free:
            connection.close()

    def release(self, connection: "_WebhookConnection", *, status: int) -> None:
        """Take back a connection whose request was answered."""
        self.pending -= 1
        self.accepted += status == 200
        self.refused += status != 200
        self._free.append(connection)
        if self.released is not None:
            self.released()

    def forget(self, connection: "_WebhookConnection", *, unanswered: bytes) -> None:
        """Drop a connection that the gateway closed, and send its request over another one."""
        if unanswered:
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self.send, unanswered)
        elif connection in self._free:
            self._free.remove(connection)


class _WebhookConnection(asyncio.Protocol):
    def __init__(self, pool: WebhookPool) -> None:
        self._pool = pool
        self._buffer = b""
        self._request = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self, request: bytes) -> None:
        self._request = request
        self._transport.write(request)

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if HEAD_END not in self._buffer:  # an answer has an empty body
            return
        status = int(self._buffer[9:12])
        self._buffer = self._request = b""
        self._pool.release(self, status=status)

    def connection_lost(self, exc: Exception | None) -> None:
        self._pool.forget(self, unanswered=self._request)


def build_request(body: bytes) -> bytes:
    """Return an HTTP request with a signed body."""
    signature = hmac.digest(APP_SECRET, body, "sha256").hex().encode()
    return (
        b"POST /webhook HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\nX-Hub-Signature-256: sha256=%s\r\n\r\n%s"
        % (len(body), signature, body)
    )


def encode_webhook(**value: Any) -> bytes:
    """Encode a webhook with one change of the field `messages`."""
    metadata = {"display_phone_number": "15550100000", "phone_number_id": PHONE_NUMBER_ID}
    change = {
        "value": {"messaging_product": "whatsapp", "metadata": metadata, **value},
        "field": "messages",
    }
    entry = {"id": "102290129340398", "changes": [change]}
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})


def encode_messages(messages: Sequence[Mapping[str, Any]]) -> bytes:
    """Encode a webhook with messages of one sender."""
    sender = messages[0]
    contact = {
        "profile": {"name": f"Buyer {sender['from'][-6:]}"},
        "wa_id": sender["from"],
        "user_id": sender["from_user_id"],
    }
    return encode_webhook(contacts=[contact], messages=messages)


class GraphConnection(asyncio.Protocol):
    """A connection to the stand-in for the Graph API: accepts every message at once.

    Source of the answer's format: Meta, "Send messages".
    """

    def __init__(self, accept: Callable[[dict[str, Any]], str]) -> None:
        """Create the connection.

        Args:
            accept: takes the body of a message and returns Meta's id of it.

        """
        self._accept = accept
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(HEAD_END)) >= 0:
            head = self._buffer[:end].lower()
            size = 0
            if (at := head.find(b"content-length:")) >= 0:
                size = int(head[at + 15 :].split(b"\r\n", 1)[0])
            begin = end + len(HEAD_END)
            if len(self._buffer) < begin + size:
                return
            body = self._buffer[begin : begin + size]
            self._buffer = self._buffer[begin + size :]
            self._answer(b"{}" if not size else self._send_message(body))

    def _send_message(self, body: bytes) -> bytes:
        message = orjson.loads(body)
        wa_id = message["to"].removeprefix("+")
        return orjson.dumps(
            {
                "messaging_product": "whatsapp",
                "contacts": [{"input": message["to"], "wa_id": wa_id}],
                "messages": [{"id": self._accept(message)}],
            }
        )

    def _answer(self, body: bytes) -> None:
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (len(body), body)
        )
