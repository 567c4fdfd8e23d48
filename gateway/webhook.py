"""The webhook endpoint: Meta's verification request, and webhooks stored before the answer.

Webhooks arrive in masses, so `WebhookReceiver` is a plain ASGI application: what a framework does
around a request would take longer than the request.

Source: Meta, "Create a webhook endpoint".
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from secrets import token_hex
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.ingest import WebhookNotStored
from shared.core import logs
from shared.core.constants import WEBHOOK_BODY_LIMIT
from shared.whatsapp.services import security
from shared.whatsapp.services.inbox.received_webhooks import SignedBody

WEBHOOK_PATHS: Final = ("/webhook", "/webhook/")
"""The address of the webhook, also with a slash at the end, without a redirect."""

NO_SNIFF_HEADERS: Final = {"X-Content-Type-Options": "nosniff"}

_EMPTY_BODY: Final = (b"content-length", b"0")
_CLOSE_CONNECTION: Final = (b"connection", b"close")
"""Sent with a refusal of a body that is too long; its rest is not read."""

logger = logs.get_logger(__name__)


class BodyTooLong(Exception):
    """The request body is longer than any that Meta sends."""


class BodyCutShort(Exception):
    """The client closed the connection before the end of the body."""


class WebhookReceiver:
    """ASGI application that stores a signed webhook and then acknowledges it."""

    def __init__(
        self, *, store: Callable[[SignedBody], Awaitable[None]], secrets: Sequence[str]
    ) -> None:
        """Create the application.

        Args:
            store: returns once the webhook is committed, or raises `WebhookNotStored`.
            secrets: the app secrets, any of which may have signed a webhook.

        """
        self._store = store
        self._secrets = secrets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 200 once the webhook is stored; 400, 401, 413 or 503 if it is not."""
        signature, length = _read_headers(scope["headers"])
        if not security.is_signature_well_formed(signature):
            await _refuse_webhook(send, 401, reason="signature_missing_or_malformed")
            return
        try:
            body = await _read_body(receive, announced=length)
        except BodyTooLong:
            await _refuse_webhook(send, 413, _CLOSE_CONNECTION, reason="too_long")
            return
        except BodyCutShort:
            await _refuse_webhook(send, 400, reason="cut_short")
            return
        if not security.is_signed(body, header=signature, secrets=self._secrets):
            await _refuse_webhook(send, 401, reason="signature_wrong")
            return
        try:
            await self._store(SignedBody(body, token_hex(8)))
        except WebhookNotStored:
            await _answer(send, 503)
        else:
            await _answer(send, 200)


def build_verification_routes(*, verify_token: str) -> list[Route]:
    """Return the routes of Meta's verification request.

    Args:
        verify_token: the token that Meta sends in it.

    """

    async def verify_webhook_view(request: Request) -> Response:
        asked = request.query_params
        known = security.is_verify_token(asked.get("hub.verify_token"), token=verify_token)
        if not known or asked.get("hub.mode") != "subscribe" or "hub.challenge" not in asked:
            logger.warning("webhook_not_verified")
            return Response(status_code=403)
        logger.info("webhook_verified")
        return PlainTextResponse(asked["hub.challenge"], headers=NO_SNIFF_HEADERS)

    return [Route(path, verify_webhook_view, methods=["GET"]) for path in WEBHOOK_PATHS]


def _read_headers(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str | None, str]:
    """Return the signature (the first, if there are several) and the announced length."""
    signature, length = None, ""
    for name, value in headers:
        if name == b"x-hub-signature-256" and signature is None:
            signature = value.decode("latin-1")
        elif name == b"content-length":
            length = value.decode("latin-1")
    return signature, length


async def _read_body(receive: Receive, *, announced: str) -> bytes:
    """Return the body; never read more than the limit, whatever `Content-Length` says.

    Raises:
        BodyTooLong: the body is longer than `WEBHOOK_BODY_LIMIT`.
        BodyCutShort: the client closed the connection before the end of the body.

    """
    if announced.isdecimal() and int(announced[:18]) > WEBHOOK_BODY_LIMIT:
        raise BodyTooLong
    chunks: list[bytes] = []
    size, is_complete = 0, False
    while not is_complete:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BodyCutShort
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > WEBHOOK_BODY_LIMIT:
            raise BodyTooLong
        chunks.append(chunk)
        is_complete = not message.get("more_body", False)
    return b"".join(chunks)


async def _refuse_webhook(
    send: Send, status: int, *headers: tuple[bytes, bytes], reason: str
) -> None:
    logger.warning("webhook_refused", status=status, reason=reason)
    await _answer(send, status, *headers)


async def _answer(send: Send, status: int, *headers: tuple[bytes, bytes]) -> None:
    """Send an answer without a body."""
    await send(
        {"type": "http.response.start", "status": status, "headers": [_EMPTY_BODY, *headers]}
    )
    await send({"type": "http.response.body", "body": b""})
