"""Tests of sending events to receivers that behave well, badly or not at all."""

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from datetime import timedelta
from ipaddress import ip_address

import httpx
import pytest

from gateway.resolver import Addresses, Resolver
from gateway.webhook_sender import MAX_RESPONSE_BYTES, WebhookSender
from shared.events.services.deliveries import MAX_RESPONSE_CHARACTERS, AttemptResult
from tests.waiting import PATIENCE

SOON, LATER = timedelta(seconds=0.3), timedelta(seconds=PATIENCE)
PUBLIC, OTHER_PUBLIC = "93.184.216.34", "93.184.216.35"

type Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class FakeResolver(Resolver):
    """Resolver that knows some host names and counts the queries."""

    def __init__(self, **names: list[str]) -> None:
        super().__init__()
        self.names = names
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int) -> Addresses:
        self.asked.append(host)
        if host.partition(".")[0] in self.names:
            return [ip_address(ip) for ip in self.names[host.partition(".")[0]]]
        return await super().resolve(host, port)


@asynccontextmanager
async def receiver(behaves: Behaviour) -> AsyncIterator[str]:
    """Run a receiver that reads a request and then behaves as given; yield its URL."""
    met: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met[asyncio.ensure_future(converse(reader, writer))] = writer

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError), closing(writer):
            await reader.readuntil(b"\r\n\r\n")
            await behaves(reader, writer)

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        await asyncio.sleep(0)  # else a connection accepted just now would stay open
        server.close()
        for task in met:
            task.cancel()
        await asyncio.gather(*met, return_exceptions=True)
        for writer in met.values():
            writer.transport.abort()
        await server.wait_closed()


def says(head: str, body: bytes = b"") -> Behaviour:
    """Return a behaviour that answers with this head and body and then closes the connection."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {head}\r\n\r\n".encode() + body)
        await writer.drain()

    return answer


async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def drips_its_head(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for sign in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 600:
        writer.write(bytes([sign]))
        await asyncio.sleep(0.01)


async def drips_its_body(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _number in range(6000):
        writer.write(b"x")
        await asyncio.sleep(0.01)


async def never_ends(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"\0\xff" * 4096)
        await writer.drain()


async def hangs_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def send_to(
    url: str,
    *,
    deadline: timedelta = LATER,
    allow_private: bool = True,
    resolver: Resolver | None = None,
) -> AttemptResult:
    sender = WebhookSender(allow_private=allow_private, deadline=deadline, resolver=resolver)
    try:
        return await sender.send_event(url, headers={"X-One": "1"}, body=b"{}")
    finally:
        await sender.aclose()


@pytest.mark.parametrize(
    ("behaves", "status", "words"),
    [
        (says("200 OK", b"thanks"), 200, ""),
        (says("204 No Content\r\nContent-Length: 0"), 204, ""),
        (never_ends, 200, ""),
        (says("500 Oh"), 500, "It answered 500 Internal Server Error."),
        (says("404 Oh"), 404, "It answered 404 Not Found."),
        (says("599 Oh"), 599, "It answered 599."),
        (says("410 Oh"), 410, "It answered 410 Gone: it wants no more events."),
        (
            says("302 Found\r\nLocation: http://127.0.0.1:1/"),
            302,
            "It answered 302: redirects are not followed. Give the address it leads to.",
        ),
        (hangs_up, None, "The connection broke off before it answered."),
        (says("nonsense"), None, "The connection broke off before it answered."),
    ],
)
async def test_says_what_came_of(behaves: Behaviour, status: int | None, words: str) -> None:
    async with receiver(behaves) as url:
        answer = await send_to(url)

    assert (answer.http_status, answer.error) == (status, words)
    assert len(answer.body) <= MAX_RESPONSE_CHARACTERS < MAX_RESPONSE_BYTES


@pytest.mark.parametrize("behaves", [silent, drips_its_head])
async def test_ends_by_itself_with(behaves: Behaviour) -> None:
    async with receiver(behaves) as url:
        answer = await send_to(url, deadline=SOON)

    assert (answer.http_status, answer.error) == (None, "It did not answer within 0.3 seconds.")


async def test_takes_a_body_that_drips_for_ever_as_an_answer() -> None:
    async with receiver(drips_its_body) as url:
        answer = await send_to(url, deadline=timedelta(seconds=2))

    assert (answer.http_status, answer.error) == (200, "")


async def test_says_that_nobody_listens() -> None:
    answer = await send_to("http://127.0.0.1:1/")

    assert answer.error == "Nobody listens at its address: the connection was refused."


async def test_keeps_the_beginning_of_the_answer_readable() -> None:
    async with receiver(says("500 Oh", "é".encode() * 5000 + b"\xff")) as url:
        answer = await send_to(url)
    async with receiver(says("500 Oh", b"\xffno")) as url:
        undecodable = await send_to(url)

    assert answer.body == "é" * MAX_RESPONSE_CHARACTERS
    assert undecodable.body == "\ufffdno"


@pytest.mark.parametrize(
    ("asks", "wait"),
    [
        ("Retry-After: 120", timedelta(seconds=120)),
        (
            "Date: Sun, 22 Nov 2026 12:00:00 GMT\r\nRetry-After: Sun, 22 Nov 2026 13:00:00 GMT",
            timedelta(hours=1),
        ),
        (
            "Date: Sun, 22 Nov 2026 12:00:00 GMT\r\nRetry-After: Sun, 22 Nov 2026 11:00:00 GMT",
            timedelta(0),
        ),
        ("Retry-After: soon", None),
        ("X-Nothing: 1", None),
    ],
)
async def test_reads_how_long_the_receiver_asks_to_wait(asks: str, wait: timedelta | None) -> None:
    async with receiver(says(f"503 Busy\r\n{asks}")) as url:
        assert (await send_to(url)).retry_after == wait


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://2130706433:{port}/",
        "http://127.1:{port}/",
        "http://0x7f.1:{port}/",
        "http://0:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://half.example:{port}/",  # one public and one private address
    ],
)
async def test_never_connects_into_a_private_network(url: str) -> None:
    met = []

    async def notes(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(writer)

    async with receiver(notes) as own:
        port = httpx.URL(own).port
        resolver = FakeResolver(half=[PUBLIC, "127.0.0.1"])
        answer = await send_to(url.format(port=port), allow_private=False, resolver=resolver)

    assert "private network" in answer.error
    assert answer.http_status is None
    assert not met


async def test_does_not_follow_a_redirect() -> None:
    met = []

    async def notes(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(writer)

    async with (
        receiver(notes) as private,
        receiver(says(f"307 Away\r\nLocation: {private}")) as url,
    ):
        answer = await send_to(url)

    assert answer.http_status == 307
    assert not met


@pytest.mark.parametrize(
    "url",
    [
        "http://no-such-name.invalid/",
        "http://" + "x" * 64 + ".example/",
        "http://half..example/",
        "gopher://n8n.example/",
        "http://",
        "nonsense",
        "http://n8n.example:port/",
    ],
)
async def test_answers_for_an_address_that_is_none(url: str) -> None:
    answer = await send_to(url, resolver=FakeResolver())

    assert answer.error.startswith(("Its address", "The name in its address"))


async def test_goes_to_the_address_it_looked_at_under_the_name_it_was_given() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(httpx.Request("POST", request.url, headers=request.headers))
        seen[-1].extensions = dict(request.extensions)
        if request.url.host == PUBLIC:
            raise httpx.ConnectError("no route", request=request)
        return httpx.Response(200, headers={"Set-Cookie": "a=1; Domain=example"})

    resolver = FakeResolver(n8n=[PUBLIC, OTHER_PUBLIC])
    sender = WebhookSender(
        allow_private=False, resolver=resolver, transport=httpx.MockTransport(answer)
    )
    url = "https://n8n.example:8443/webhook/a?key=1#part"
    for _ in range(2):
        assert (await sender.send_event(url, headers={"X-One": "1"}, body=b"{}")).error == ""

    assert [str(request.url) for request in seen] == 2 * [
        f"https://{PUBLIC}:8443/webhook/a?key=1",
        f"https://{OTHER_PUBLIC}:8443/webhook/a?key=1",
    ]
    assert {request.headers["host"] for request in seen} == {"n8n.example:8443"}
    assert {request.extensions["sni_hostname"] for request in seen} == {"n8n.example"}
    assert not any("cookie" in request.headers for request in seen)
    assert resolver.asked == ["n8n.example", "n8n.example"]  # looked up again for each attempt


async def test_ignores_the_proxies_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with receiver(says("200 OK")) as url:
        assert (await send_to(url)).error == ""


async def test_says_what_is_wrong_with_a_certificate() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        cause = ssl.SSLCertVerificationError()
        cause.verify_message = "self-signed certificate."
        raise httpx.ConnectError("failed", request=request) from cause

    sender = WebhookSender(allow_private=True, transport=httpx.MockTransport(answer))
    brought = await sender.send_event("https://127.0.0.1/", headers={}, body=b"{}")

    assert brought.error == "Its certificate is not to be trusted: self-signed certificate."


async def test_a_name_server_that_hangs_is_asked_once_and_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, released = [], threading.Event()

    def hangs(host: str, *_: object, **__: object) -> None:
        asked.append(host)
        released.wait(PATIENCE)
        raise OSError

    monkeypatch.setattr("socket.getaddrinfo", hangs)
    sender = WebhookSender(allow_private=True, deadline=timedelta(seconds=0.1))
    answers = await asyncio.gather(
        *(sender.send_event("http://slow.example/", headers={}, body=b"{}") for _ in range(3))
    )
    await asyncio.to_thread(released.set)  # the hanging query does not use up the threads

    assert {answer.error for answer in answers} == {"It did not answer within 0.1 seconds."}
    assert asked == ["slow.example"]
