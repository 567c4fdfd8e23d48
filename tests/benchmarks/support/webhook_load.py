"""Load generator that posts signed webhooks over keep-alive connections.

Each connection sends a request as soon as the previous one is answered. Runs as a separate process:
`python -m tests.benchmarks.support.webhook_load PORT SECONDS PREFIX PHONE_NUMBER_ID`.
"""

import asyncio
import hmac
import itertools
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final, cast

import orjson
import uvloop

from tests.benchmarks.support.gateway_process import APP_SECRET, PHONE_NUMBER_ID

CONNECTIONS: Final = 64
SENDERS: Final = 500
WARM_UP: Final = 0.5
"""Seconds at the start in which answers are counted but not timed."""

PATIENCE: Final = 20.0
"""Time limit of the last answers in seconds."""
REQUESTS_PER_SECOND: Final = 15_000
"""Requests built beforehand, so that building them takes no processor time from the server."""

_VALUE: Final = {
    "messaging_product": "whatsapp",
    "metadata": {"display_phone_number": "15550100000", "phone_number_id": PHONE_NUMBER_ID},
    "contacts": [
        {
            "profile": {"name": "Sheena Nelson", "username": "realsheenanelson"},
            "wa_id": "1555010SENDER",
            "user_id": "US.13491208655302SENDER",
        }
    ],
    "messages": [
        {
            "from": "1555010SENDER",
            "from_user_id": "US.13491208655302SENDER",
            "id": "wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RSERIAL",
            "timestamp": "1749416383",
            "type": "text",
            "text": {
                "body": "Hello, I would like five numbers of the summer raffle, please. "
                "If 0007 and 0013 are free I take these two and three others at random; "
                "if they are not, any five will do. How can I pay, and until when? "
                "My sister would like to join too; may she write to you on this number?"
            },
        }
    ],
}
TEMPLATE: Final = orjson.dumps(
    {
        "object": "whatsapp_business_account",
        "entry": [{"id": "102290129340398", "changes": [{"value": _VALUE, "field": "messages"}]}],
    }
)


def build_request(serial: int, *, prefix: int, phone_number_id: str) -> bytes:
    """Build an HTTP request with a unique message; `prefix` distinguishes rounds."""
    body = (
        TEMPLATE.replace(b"SENDER", b"%04d" % (serial % SENDERS))
        .replace(b"SERIAL", b"%04d%08d" % (prefix, serial))
        .replace(PHONE_NUMBER_ID.encode(), phone_number_id.encode())
    )
    return (
        b"POST /webhook HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\nX-Hub-Signature-256: sha256=%s\r\n\r\n"
        % (len(body), hmac.digest(APP_SECRET, body, "sha256").hex().encode())
    ) + body


@dataclass(slots=True)
class Tally:
    """Counts of the answers by status, and response times in seconds."""

    requests: Iterator[bytes]
    begin: float = 0.0
    end: float = 0.0
    sent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)


class Connection(asyncio.Protocol):
    """A keep-alive connection with one request in progress."""

    def __init__(self, tally: Tally, closed: asyncio.Future[None]) -> None:
        self.tally = tally
        self.closed = closed
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._post()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        begin = self.buffer.find(b"HTTP/1.1 ")  # a short body of the last answer may come before
        if begin < 0 or self.buffer.find(b"\r\n\r\n", begin) < 0:
            return
        now = time.perf_counter()
        self.tally.statuses[int(self.buffer[begin + 9 : begin + 12])] += 1
        if self.since >= self.tally.begin:
            self.tally.times.append(now - self.since)
        self.buffer = b""
        if now < self.tally.end:
            self._post()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set_result(None)

    def _post(self) -> None:
        self.tally.sent += 1
        self.since = time.perf_counter()
        self.transport.write(next(self.tally.requests))


async def run_load(port: int, *, seconds: float, requests: Iterator[bytes]) -> Tally:
    """Keep all connections busy for the warm-up and then for `seconds`."""
    loop = asyncio.get_running_loop()
    tally = Tally(requests)
    tally.begin = time.perf_counter() + WARM_UP
    tally.end = tally.begin + seconds
    ends = [loop.create_future() for _ in range(CONNECTIONS)]
    for closed in ends:
        await loop.create_connection(partial(Connection, tally, closed), "127.0.0.1", port)
    async with asyncio.timeout(WARM_UP + seconds + PATIENCE):
        await asyncio.gather(*ends)
    return tally


def main() -> None:
    """Send load to one server and print the results as JSON."""
    port, seconds, prefix, phone_number_id = sys.argv[1:]
    build = partial(build_request, prefix=int(prefix), phone_number_id=phone_number_id)
    built = [build(serial) for serial in range(int(float(seconds) * REQUESTS_PER_SECOND))]
    requests = itertools.chain(built, map(build, itertools.count(len(built))))
    began = time.process_time()
    tally = uvloop.run(run_load(int(port), seconds=float(seconds), requests=requests))
    used = time.process_time() - began
    times = sorted(tally.times)
    figures = {
        "accepted": tally.statuses[200],
        "refused": tally.sent - tally.statuses[200],
        "per_second": len(times) / float(seconds),
        "p50_ms": times[len(times) // 2] * 1000,
        "p99_ms": times[len(times) * 99 // 100] * 1000,
        "cpu_cores": used / (float(seconds) + WARM_UP),
    }
    sys.stdout.write(orjson.dumps(figures).decode())


if __name__ == "__main__":
    main()
