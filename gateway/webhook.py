"""The webhook endpoint: Meta's verification request, and webhooks stored before the answer.

Source: Meta, "Create a webhook endpoint".
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from structlog.contextvars import bind_contextvars

from gateway.ingest import WebhookNotStored
from shared.core import logs
from shared.core.constants import WEBHOOK_BODY_LIMIT
from shared.whatsapp import payloads
from shared.whatsapp.services import security
from shared.whatsapp.webhook_items import Webhook

NO_SNIFF_HEADERS: Final = {"X-Content-Type-Options": "nosniff"}
CLOSE_CONNECTION_HEADERS: Final = {"Connection": "close"}
"""Sent with a refusal of a body that is too long; its rest is not read."""

logger = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReceivedWebhook:
    """A webhook to be stored, and the correlation id under which it is logged."""

    webhook: Webhook
    correlation_id: str


class BodyTooLong(Exception):
    """The request body is longer than any that Meta sends."""


def build_webhook_routes(
    *,
    store: Callable[[ReceivedWebhook], Awaitable[None]],
    secrets: Sequence[str],
    verify_token: str,
) -> list[Route]:
    """Return the routes of `/webhook`, each also with a slash at the end, without a redirect.

    Args:
        store: returns once the webhook is committed, or raises `WebhookNotStored`.
        secrets: the app secrets, any of which may have signed a webhook.
        verify_token: the token that Meta sends in its verification request.

    """

    async def verify_webhook_view(request: Request) -> Response:
        asked = request.query_params
        known = security.is_verify_token(asked.get("hub.verify_token"), token=verify_token)
        if not known or asked.get("hub.mode") != "subscribe" or "hub.challenge" not in asked:
            logger.warning("webhook_not_verified")
            return Response(status_code=403)
        logger.info("webhook_verified")
        return PlainTextResponse(asked["hub.challenge"], headers=NO_SNIFF_HEADERS)

    async def receive_webhook_view(request: Request) -> Response:
        correlation_id = token_hex(8)
        bind_contextvars(correlation_id=correlation_id)
        header = request.headers.get("x-hub-signature-256")
        if not security.is_signature_well_formed(header):
            return _refuse_webhook(401, reason="signature_missing_or_malformed")
        try:
            body = await _read_body(request)
        except BodyTooLong:
            return _refuse_webhook(413, reason="too_long", headers=CLOSE_CONNECTION_HEADERS)
        except ClientDisconnect:
            return _refuse_webhook(400, reason="cut_short")
        if not security.is_signed(body, header=header, secrets=secrets):
            return _refuse_webhook(401, reason="signature_wrong")
        try:
            await store(ReceivedWebhook(payloads.parse_webhook(body), correlation_id))
        except WebhookNotStored:
            return Response(status_code=503)
        logger.debug("webhook_kept")
        return Response()

    return [
        Route(path, view, methods=[method])
        for path in ("/webhook", "/webhook/")
        for method, view in (("GET", verify_webhook_view), ("POST", receive_webhook_view))
    ]


def _refuse_webhook(
    status: int, *, reason: str, headers: Mapping[str, str] | None = None
) -> Response:
    logger.warning("webhook_refused", status=status, reason=reason)
    return Response(status_code=status, headers=headers)


async def _read_body(request: Request) -> bytes:
    """Return the body; never read more than the limit, whatever `Content-Length` says.

    Raises:
        BodyTooLong: the body is longer than `WEBHOOK_BODY_LIMIT`.
        ClientDisconnect: the client closed the connection before the end of the body.

    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:18]) > WEBHOOK_BODY_LIMIT:
        raise BodyTooLong
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > WEBHOOK_BODY_LIMIT:
            raise BodyTooLong
        chunks.append(chunk)
    return b"".join(chunks)
