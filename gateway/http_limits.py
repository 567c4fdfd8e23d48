"""Limits in size and time of HTTP requests, for a gateway without a proxy in front of it.

uvicorn's fast parser has none: it stores headers of any length and waits for ever. Used with
`uvicorn gateway.asgi:app --http gateway.http_limits:LimitedProtocol`.
"""

import asyncio
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import Any, ClassVar, override

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from shared.core import logs

logger = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Limits of each request on a connection.

    Attributes:
        header_bytes: bytes of a request that are not its body.
        headers: count of its headers.
        header_seconds: seconds until its headers are complete, also of a silent new connection.
        body_seconds: seconds until its body is complete.
        rate_seconds: seconds after which the rate of the body is measured, again and again.
        body_bytes_per_second: the smallest rate of a body.

    """

    header_bytes: int = 64 * 1024
    headers: int = 100
    header_seconds: float = 20.0
    body_seconds: float = 60.0
    rate_seconds: float = 10.0
    body_bytes_per_second: int = 1024


class Stage(Enum):
    """The part of a request that is awaited."""

    IDLE = auto()
    HEADERS = auto()
    BODY = auto()


class TooManyHeaders(Exception):
    """The headers of a request exceed a limit."""


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with limits; between requests its own keep-alive timeout applies."""

    limits: ClassVar[HttpLimits] = HttpLimits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stage = Stage.HEADERS
        self._requests = 0
        self._header_bytes = 0  # parsed
        self._overhead_bytes = 0  # received, without the body
        self._body_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timed: tuple[Stage, int] | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request, a limited time."""
        super().connection_made(transport)
        self._restart_timer()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    @override
    def handle_websocket_upgrade(self) -> None:
        """Stop the timer; another protocol takes over the connection."""
        self._stop_timer()
        self._stage, self._timed = Stage.IDLE, (Stage.IDLE, self._requests)
        super().handle_websocket_upgrade()

    @override
    def data_received(self, data: bytes) -> None:
        """Parse what arrived; refuse the request if its headers are too long."""
        if self._stage is Stage.IDLE:
            self._stage = Stage.HEADERS
        self._overhead_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            self._stop_timer()
        elif self._overhead_bytes > self.limits.header_bytes:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._timed != (self._stage, self._requests):
            self._restart_timer()

    @override
    def on_message_begin(self) -> None:
        """Count a new request."""
        super().on_message_begin()
        self._stage = Stage.HEADERS
        self._requests += 1
        self._header_bytes = self._body_bytes = 0

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        """Store a header or trailer.

        Raises:
            TooManyHeaders: a limit is exceeded; the parser stops.

        """
        super().on_header(name, value)
        self._header_bytes += len(name) + len(value)
        too_long = self._header_bytes > self.limits.header_bytes
        if too_long or len(self.headers) > self.limits.headers:
            self._header_bytes = self.limits.header_bytes + 1
            raise TooManyHeaders

    @override
    def on_headers_complete(self) -> None:
        """Start to handle the request."""
        self._stage = Stage.BODY
        super().on_headers_complete()

    @override
    def on_body(self, body: bytes) -> None:
        """Pass on a part of the body."""
        self._overhead_bytes -= len(body)
        self._body_bytes += len(body)
        super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        """Wait for the next request, as long as uvicorn keeps the connection alive."""
        self._stage = Stage.IDLE
        self._overhead_bytes = 0
        super().on_message_complete()

    @override
    def send_400_response(self, msg: str) -> None:
        """Refuse a request that the parser rejected: 431 if it exceeds a limit, else 400."""
        if self._header_bytes > self.limits.header_bytes:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        else:
            super().send_400_response(msg)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _restart_timer(self) -> None:
        self._stop_timer()
        self._timed = (self._stage, self._requests)
        if self._stage is Stage.HEADERS:
            self._timer = self.loop.call_later(self.limits.header_seconds, self._end_header_wait)
        elif self._stage is Stage.BODY:
            end = self.loop.time() + self.limits.body_seconds
            self._measure_body_later(end, self._body_bytes)

    def _end_header_wait(self) -> None:
        cycle = self._find_last_cycle()
        if cycle is not None and not cycle.response_complete:
            self._restart_timer()  # the previous request is being answered
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def _measure_body_later(self, end: float, received: int) -> None:
        wait = min(self.limits.rate_seconds, max(0.0, end - self.loop.time()))
        self._timer = self.loop.call_later(wait, self._measure_body, end, received)

    def _measure_body(self, end: float, received: int) -> None:
        needed = self.limits.body_bytes_per_second * self.limits.rate_seconds
        if self.flow.read_paused:
            self._restart_timer()  # the application has not yet read what arrived
        elif self.loop.time() >= end or self._body_bytes - received < needed:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self._measure_body_later(end, self._body_bytes)

    def _refuse(self, status: HTTPStatus) -> None:
        """Close the connection, with an answer if something arrived and nothing was answered."""
        self._stop_timer()
        logger.warning("request_cut_off", status=status.value, stage=self._stage.name)
        if self._overhead_bytes and self._may_answer():
            line = f"HTTP/1.1 {status} {status.phrase}\r\n"
            self.transport.write(f"{line}content-length: 0\r\nconnection: close\r\n\r\n".encode())
        self.transport.close()

    def _may_answer(self) -> bool:
        """Whether an answer would not come in the middle of another one, or after its own."""
        cycle = self._find_last_cycle()
        if cycle is None:
            return True
        if self._stage is Stage.HEADERS:
            return cycle.response_complete
        return not cycle.response_started and not self.pipeline

    def _find_last_cycle(self) -> RequestResponseCycle | None:
        """Return the last request whose headers were complete; None before the first."""
        return self.cycle
