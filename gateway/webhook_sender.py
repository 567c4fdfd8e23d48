"""HTTP client for event webhooks: one attempt per call, and an error is part of its result.

It uses a transport and no httpx client, so that endpoints share no cookies, connections, redirects,
proxies or passwords with each other or with the environment.
"""

import asyncio
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import httpx

from gateway.resolver import Addresses, Resolver
from shared.core import logs
from shared.events import addresses
from shared.events.services.deliveries import HTTP_GONE, MAX_RESPONSE_CHARACTERS, AttemptResult

ATTEMPT_TIMEOUT: Final = timedelta(seconds=10)
"""For a whole attempt, from the look-up of the name to the end of the response."""

CONNECT_TIMEOUT_SECONDS: Final = 3.0
"""Seconds for each connection; one of several addresses of a name may be dead."""

MAX_RESPONSE_BYTES: Final = 64 * 1024
"""Bytes of a response that are read at most."""

MAX_ADDRESSES_PER_ATTEMPT: Final = 3
"""Addresses of a name that are tried within the deadline."""

_CONNECT_ERRORS: Final = (httpx.ConnectError, httpx.ConnectTimeout)
_RETRY_AFTER_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_MAX_BYTES_PER_CHARACTER: Final = 4  # bytes of the longest character in UTF-8

logger = logs.get_logger(__name__)


class _SendingRefused(Exception):
    """The event was not sent; the message says why."""


@dataclass(slots=True)
class _PartialResponse:
    """The part of a response that has arrived, which counts even if the body is cut off."""

    response: httpx.Response | None = None
    body: bytes = b""


class WebhookSender:
    """HTTP client that posts to any public address; belongs to one event loop."""

    def __init__(
        self,
        *,
        allow_private: bool,
        deadline: timedelta = ATTEMPT_TIMEOUT,
        resolver: Resolver | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Create a sender; nothing is connected yet.

        Args:
            allow_private: whether it may send to addresses in private networks.
            deadline: for a whole attempt.
            resolver: replaces the real one.
            transport: replaces the real one.

        """
        self._allow_private = allow_private
        self._deadline = deadline.total_seconds()
        self._resolver = resolver or Resolver()
        self._transport = transport

    async def aclose(self) -> None:
        """Close the open connections."""
        if self._transport is not None:
            await self._transport.aclose()

    async def send_event(
        self, url: str, *, headers: Mapping[str, str], body: bytes
    ) -> AttemptResult:
        """Post an event and return the result; any 2xx status is a success.

        The name is looked up here and all its addresses must be public. The connection goes to an
        address that was checked, while the certificate and the `Host` header are those of the name.

        Args:
            url: address of the endpoint; http or https.
            headers: sent with the request, in addition to those of the client.
            body: the request body.

        Returns:
            Status, body, error and latency in milliseconds; errors never raise.

        """
        clock = asyncio.get_running_loop().time
        begun, received, error = clock(), _PartialResponse(), ""
        try:
            async with asyncio.timeout(self._deadline):
                await self._post(url, headers=headers, body=body, received=received)
        except _SendingRefused as refused:
            error = str(refused)
        except TimeoutError:
            error = f"It did not answer within {self._deadline:g} seconds."
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            error = _describe_network_error(failure)
        except Exception as failure:  # noqa: BLE001 - no endpoint may stop the worker
            logger.warning("event_not_brought", error=type(failure).__name__)
            error = f"It could not be sent ({type(failure).__name__})."
        return _build_attempt_result(
            received, error=error, latency_ms=round(1000 * (clock() - begun))
        )

    async def _post(
        self, url: str, *, headers: Mapping[str, str], body: bytes, received: _PartialResponse
    ) -> None:
        asked = httpx.URL(url)
        if asked.scheme not in {"http", "https"} or not asked.host:
            raise _SendingRefused("Its address is not one of http or https.")
        own = {"Host": asked.netloc.decode("ascii"), "Accept-Encoding": "identity"}
        request = httpx.Request(
            "POST",
            asked.copy_with(userinfo=b"", fragment=None),
            headers={**headers, **own, "Connection": "close"},
            content=body,
            extensions={
                "sni_hostname": asked.raw_host.decode("ascii"),
                "timeout": {"connect": min(CONNECT_TIMEOUT_SECONDS, self._deadline)},
            },
        )
        response = received.response = await self._send_to_first_reachable(
            request, await self._resolve_host(asked)
        )
        try:
            async for chunk in response.aiter_raw():
                received.body += chunk[: MAX_RESPONSE_BYTES - len(received.body)]
                if len(received.body) >= MAX_RESPONSE_BYTES:
                    break
        finally:
            await response.aclose()

    async def _resolve_host(self, url: httpx.URL) -> Addresses:
        """Return the addresses of the host.

        Raises:
            _SendingRefused: the name is not known, or one of its addresses is private.

        """
        host = url.raw_host.decode("ascii").strip("[]")
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            found = await self._resolver.resolve(host, port)
        except OSError:
            raise _SendingRefused("The name in its address is not known.") from None
        if not self._allow_private and any(map(addresses.is_blocked_ip, found)):
            raise _SendingRefused(
                "Its address leads into a private network; EVENTS_ALLOW_PRIVATE allows that."
            )
        return found[:MAX_ADDRESSES_PER_ATTEMPT]

    async def _send_to_first_reachable(
        self, request: httpx.Request, found: Addresses
    ) -> httpx.Response:
        """Send to the first address that accepts a connection."""
        name = request.url
        self._transport = transport = self._transport or _build_transport()
        for position, address in enumerate(found, start=1):
            request.url = name.copy_with(host=str(address))
            try:
                response = await transport.handle_async_request(request)
            except _CONNECT_ERRORS:
                if position == len(found):
                    raise
            else:
                response.request = request
                return response
        raise _SendingRefused("The name in its address is not known.")


def _build_transport() -> httpx.AsyncHTTPTransport:
    """Build the transport: certificates are checked and no connection is kept alive.

    A kept connection would be reused for its IP address, even under another host name. The
    variable `SSL_CERT_FILE` is respected, for a private certificate authority; proxies are not.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    verify: ssl.SSLContext = httpx.create_ssl_context()
    return httpx.AsyncHTTPTransport(verify=verify, trust_env=False, limits=limits)


def _build_attempt_result(
    received: _PartialResponse, *, error: str, latency_ms: int
) -> AttemptResult:
    """Build the result; if a status arrived, it decides."""
    response = received.response
    if response is None:
        return AttemptResult(http_status=None, latency_ms=latency_ms, error=error)
    return AttemptResult(
        http_status=response.status_code,
        latency_ms=latency_ms,
        body=_decode_body(received.body),
        error="" if response.is_success else _describe_error_status(response.status_code),
        retry_after=_parse_retry_after(response.headers),
    )


def _decode_body(body: bytes) -> str:
    return body[: _MAX_BYTES_PER_CHARACTER * MAX_RESPONSE_CHARACTERS].decode(errors="replace")[
        :MAX_RESPONSE_CHARACTERS
    ]


def _describe_error_status(status: int) -> str:
    if status == HTTP_GONE:
        return "It answered 410 Gone: it wants no more events."
    if httpx.codes.is_redirect(status):
        return f"It answered {status}: redirects are not followed. Give the address it leads to."
    phrase = HTTPStatus(status).phrase if status in HTTPStatus else ""
    return f"It answered {status} {phrase}".strip() + "."


def _describe_network_error(error: Exception) -> str:
    """Return a sentence for an error that happened before the response."""
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return "Nobody answered at its address: no connection in time."
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"Its certificate is not to be trusted: {cause.verify_message.rstrip('.')}."
        if isinstance(cause, ConnectionRefusedError):
            return "Nobody listens at its address: the connection was refused."
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ConnectError):
        return "It could not be connected to."
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return "Its address is not one of http or https."
    return "The connection broke off before it answered."


def _parse_retry_after(headers: httpx.Headers) -> timedelta | None:
    """Parse `Retry-After`: seconds, or a date, which is compared with the response's date.

    Source: RFC 9110, section 10.2.3.
    """
    value = headers.get("retry-after", "").strip()
    if _RETRY_AFTER_SECONDS.fullmatch(value):
        return timedelta(seconds=int(value))
    try:
        until = parsedate_to_datetime(value)
        since = parsedate_to_datetime(headers["date"]) if "date" in headers else datetime.now(UTC)
        return max(until - since, timedelta(0))
    except (TypeError, ValueError):
        return None
