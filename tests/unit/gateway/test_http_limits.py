"""Tests of the limits of HTTP requests: raw sockets against a real uvicorn."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.http_limits import HttpLimits, LimitedProtocol
from tests.waiting import PATIENCE

pytestmark = pytest.mark.acceptance

type Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class HurriedProtocol(LimitedProtocol):
    """The protocol with limits that a test can wait for."""

    limits = HttpLimits(
        header_bytes=8 * 1024,
        headers=20,
        header_seconds=0.3,
        body_seconds=1.0,
        rate_seconds=0.3,
        body_bytes_per_second=100,
    )


async def measure_body_view(request: Request) -> Response:
    """Answer with the length of the body."""
    try:
        return Response(str(len(await request.body())))
    except ClientDisconnect:
        return Response(status_code=400)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Run a server and return its port."""
    app = Starlette(routes=[Route("/", measure_body_view, methods=["GET", "POST"])])
    config = uvicorn.Config(app, port=0, http=HurriedProtocol, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


async def exchange(port: int, *parts: bytes, pause_seconds: float = 0.0) -> bytes:
    """Send parts with pauses between them, and return what came until the connection closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.create_task(reader.read())
    try:
        for part in parts:
            if answer.done():
                break
            writer.write(part)
            await asyncio.sleep(pause_seconds)
        return await asyncio.wait_for(answer, PATIENCE)
    finally:
        writer.close()


CLOSED = b"Host: x\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    ("parts", "answer"),
    [
        ([b"GET / HTTP/1.1\r\n" + CLOSED + b"\r\n"], b"200"),
        ([b"GET / HTTP/1.1\r\n" + CLOSED + b"A: b\r\n" * 18 + b"\r\n"], b"200"),
        ([b"GET / HTTP/1.1\r\n" + CLOSED + b"A: b\r\n" * 19 + b"\r\n"], b"431"),
        ([b"GET / HTTP/1.1\r\n" + CLOSED + b"A: " + b"a" * 9_000 + b"\r\n\r\n"], b"431"),
        ([b"GET / HTTP/1.1\r\nA: ", *[b"a" * 1_000] * 20], b"431"),
        ([b"GET /" + b"a" * 9_000], b"431"),
        ([b"\r\n" * 5_000], b"431"),
        ([b"nonsense\r\n\r\n"], b"400"),
    ],
)
async def test_headers_are_limited_in_size_and_number(
    port: int, parts: list[bytes], answer: bytes
) -> None:
    received = await exchange(port, *parts, pause_seconds=0.001)

    assert received.startswith(b"HTTP/1.1 " + answer)


async def test_a_silent_connection_is_closed(port: int) -> None:
    assert await exchange(port) == b""


@pytest.mark.parametrize("head", [b"GET / HTTP/1.1\r\n", b""])
async def test_slow_headers_are_cut_off(port: int, head: bytes) -> None:
    received = await exchange(port, head, *[b"A: b\r\n"] * 15, pause_seconds=0.1)

    assert received.startswith((b"HTTP/1.1 408", b"HTTP/1.1 400"))


@pytest.mark.parametrize("pause_seconds", [0.1, 0.5])
async def test_a_slow_body_is_cut_off(port: int, pause_seconds: float) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"

    received = await exchange(port, head, *[b"a"] * 30, pause_seconds=pause_seconds)

    assert received.startswith(b"HTTP/1.1 408")


async def test_a_body_that_never_ends_is_cut_off(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"

    received = await exchange(port, head, *[b"a" * 200] * 40, pause_seconds=0.1)

    assert received.startswith(b"HTTP/1.1 408")


async def test_long_bodies_and_many_requests_on_a_connection_are_served(port: int) -> None:
    request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b"a" * 100_000
    last = b"GET / HTTP/1.1\r\n" + CLOSED + b"\r\n"

    received = await exchange(port, *[request] * 5, last, pause_seconds=0.15)

    assert received.count(b"HTTP/1.1 200") == 6
