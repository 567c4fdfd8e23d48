"""Load generator that posts signed webhooks over keep-alive connections.

Each connection sends a request as soon as the previous one is answered. Runs as a separate process:
`python -m tests.benchmarks.webhook_load PORT SECONDS ROUND`.
"""

import asyncio
import hmac
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Final, cast

import orjson
import uvloop

SECRET: Final = b"benchmark_app_secret"
CONNECTIONS: Final = 64
SENDERS: Final = 500
WARM_UP: Final = 0.5
"""Seconds at the start in which answers are counted but not timed."""

PATIENCE: Final = 20.0
"""Time limit of the last answers in seconds."""

_VALUE: Final = {
    "messaging_product": "whatsapp",
    "metadata": {"display_phone_number": "15550100000", "phone_number_id": "106540352242922"},
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


def build_request(serial: int, *, prefix: int) -> bytes:
    """Build an HTTP request with a unique message; `prefix` distinguishes rounds."""
    body = TEMPLATE.replace(b"SENDER", b"%04d" % (serial % SENDERS)).replace(
        b"SERIAL", b"%04d%08d" % (prefix, serial)
    )
    return (
        b"POST /webhook HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\nX-Hub-Signature-256: sha256=%s\r\n\r\n"
        % (len(body), hmac.digest(SECRET, body, "sha256").hex().encode())
    ) + body


@dataclass(slots=True)
class Tally:
    """Counts of the answers by status, and response times in seconds."""

    prefix: int
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
        if b"\r\n\r\n" not in self.buffer:  # every answer has an empty body
            return
        now = time.perf_counter()
        self.tally.statuses[int(self.buffer[9:12])] += 1
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
        self.transport.write(build_request(self.tally.sent, prefix=self.tally.prefix))


async def run_load(port: int, *, seconds: float, prefix: int) -> Tally:
    """Keep all connections busy for the warm-up and then for `seconds`."""
    loop = asyncio.get_running_loop()
    tally = Tally(prefix)
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
    port, seconds, prefix = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    tally = uvloop.run(run_load(port, seconds=seconds, prefix=prefix))
    times = sorted(tally.times)
    figures = {
        "accepted": tally.statuses[200],
        "refused": tally.sent - tally.statuses[200],
        "per_second": len(times) / seconds,
        "p50_ms": times[len(times) // 2] * 1000,
        "p99_ms": times[len(times) * 99 // 100] * 1000,
        "cpu_cores": time.process_time() / (seconds + WARM_UP),
    }
    sys.stdout.write(orjson.dumps(figures).decode())


if __name__ == "__main__":
    main()
