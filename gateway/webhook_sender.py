"""Brings a signed event to an address: one try, what came of it in words, never an exception.

A transport and no client: no cookie, connection, redirect, proxy or password of one endpoint or of
the environment ever meets another endpoint.
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
"""For a whole try, from looking the name up to the end of the answer."""

CONNECT_TIMEOUT_SECONDS: Final = 3.0
"""Seconds for a connection; a name may have several addresses, of which one is dead."""

MAX_RESPONSE_BYTES: Final = 64 * 1024
"""Bytes of an answer that are read at most."""

MAX_ADDRESSES_PER_ATTEMPT: Final = 3
"""So many are connected to within the deadline."""

_CONNECT_ERRORS: Final = (httpx.ConnectError, httpx.ConnectTimeout)
_RETRY_AFTER_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_MAX_BYTES_PER_CHARACTER: Final = 4  # bytes of the longest character in UTF-8

logger = logs.get_logger(__name__)


class _SendingRefused(Exception):
    """Nothing was sent; the words say why."""


@dataclass(slots=True)
class _PartialResponse:
    """What is known of an answer so far, also when time runs out over its body."""

    response: httpx.Response | None = None
    body: bytes = b""


class WebhookSender:
    """Posts to any public address; lives in one event loop."""

    def __init__(
        self,
        *,
        allow_private: bool,
        deadline: timedelta = ATTEMPT_TIMEOUT,
        resolver: Resolver | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Make a sender; nothing is connected yet.

        Args:
            allow_private: whether it may go into a private network.
            deadline: for a whole try.
            resolver: replaces the real one.
            transport: replaces the real one.

        """
        self._allow_private = allow_private
        self._deadline = deadline.total_seconds()
        self._resolver = resolver or Resolver()
        self._transport = transport

    async def aclose(self) -> None:
        """Close what is still open."""
        if self._transport is not None:
            await self._transport.aclose()

    async def send_event(
        self, url: str, *, headers: Mapping[str, str], body: bytes
    ) -> AttemptResult:
        """Post a body and say what came of it; any 2xx is a success, whatever its body.

        The name is looked up here, every address it has must be a public one, and the connection
        goes to the very address that was looked at, while certificate and `Host` are the name's.

        Args:
            url: where to; http or https.
            headers: what goes along.
            body: what is posted.

        """
        clock = asyncio.get_running_loop().time
        begun, heard, error = clock(), _PartialResponse(), ""
        try:
            async with asyncio.timeout(self._deadline):
                await self._post(url, headers=headers, body=body, heard=heard)
        except _SendingRefused as refused:
            error = str(refused)
        except TimeoutError:
            error = f"It did not answer within {self._deadline:g} seconds."
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            error = _describe_network_error(failure)
        except Exception as failure:  # noqa: BLE001 - whatever an address does is its own trouble
            logger.warning("event_not_brought", error=type(failure).__name__)
            error = f"It could not be sent ({type(failure).__name__})."
        return _build_attempt_result(heard, error=error, latency_ms=round(1000 * (clock() - begun)))

    async def _post(
        self, url: str, *, headers: Mapping[str, str], body: bytes, heard: _PartialResponse
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
        response = heard.response = await self._send_to_first_reachable(
            request, await self._resolve_host(asked)
        )
        try:
            async for chunk in response.aiter_raw():
                heard.body += chunk[: MAX_RESPONSE_BYTES - len(heard.body)]
                if len(heard.body) >= MAX_RESPONSE_BYTES:
                    break
        finally:
            await response.aclose()

    async def _resolve_host(self, url: httpx.URL) -> Addresses:
        """Look the name up and give its addresses, all of them public ones."""
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
        """Send to the first address that can be connected to."""
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
    """Make the real transport: certificates are checked, nothing is kept for later.

    A connection would be found again by its address, although another name may be asked for there.
    `SSL_CERT_FILE` is heard, for a certificate authority of one's own; a proxy is not.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    verify: ssl.SSLContext = httpx.create_ssl_context()
    return httpx.AsyncHTTPTransport(verify=verify, trust_env=False, limits=limits)


def _build_attempt_result(heard: _PartialResponse, *, error: str, latency_ms: int) -> AttemptResult:
    """Judge a try: once there is a status, that is what counts."""
    response = heard.response
    if response is None:
        return AttemptResult(http_status=None, latency_ms=latency_ms, error=error)
    return AttemptResult(
        http_status=response.status_code,
        latency_ms=latency_ms,
        body=_decode_body(heard.body),
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
    """Say what went wrong before there was an answer."""
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
    """Read `Retry-After`: seconds, or a date, which is compared with the answer's own.

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
