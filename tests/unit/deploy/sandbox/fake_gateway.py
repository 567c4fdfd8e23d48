"""Fake gateway that records webhooks and answers with the given statuses."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

VERIFY_TOKEN = "the-verify-token"


@dataclass(frozen=True)
class PostedWebhook:
    """A recorded POST request."""

    body: bytes
    headers: dict[str, str]
    answered: int

    @property
    def value(self) -> dict[str, Any]:
        """Return the first `value` of the payload."""
        found: dict[str, Any] = json.loads(self.body)["entry"][0]["changes"][0]["value"]
        return found


@dataclass
class FakeGateway:
    """Records requests; answers with the statuses in `answers`, and then with 200."""

    url: str
    posted: list[PostedWebhook] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    pause: float = 0
    barrier: threading.Barrier | None = None
    """Barrier where requests wait for each other before they are answered."""

    def reset_answers(self) -> None:
        """Answer 200 at once from now on."""
        self.answers.clear()
        self.pause = 0
        self.barrier = None

    def messages(self) -> list[dict[str, Any]]:
        """Return every accepted message in the order of arrival."""
        return [item for value in self._values() for item in value.get("messages", [])]

    def statuses(self, message_id: str | None = None) -> list[dict[str, Any]]:
        """Return every accepted status, or those of one message."""
        found = [item for value in self._values() for item in value.get("statuses", [])]
        return [each for each in found if message_id in (None, each["id"])]

    def _values(self) -> list[dict[str, Any]]:
        return [posted.value for posted in list(self.posted) if posted.answered == 200]


@contextmanager
def run_fake_gateway() -> Iterator[FakeGateway]:
    """Run the fake gateway on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    gateway = FakeGateway(url=f"http://127.0.0.1:{server.server_port}/webhook")
    server.gateway = gateway  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        gateway: FakeGateway = self.server.gateway  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["content-length"]))
        time.sleep(gateway.pause)
        if gateway.barrier:
            gateway.barrier.wait()
        status = gateway.answers.pop(0) if gateway.answers else 200
        headers = {key.lower(): value for key, value in self.headers.items()}
        gateway.posted.append(PostedWebhook(body, headers, status))
        self._answer(status, b"noted")

    def do_GET(self) -> None:
        query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        good = query.get("hub.verify_token") == VERIFY_TOKEN
        self._answer(200 if good else 403, query["hub.challenge"].encode() if good else b"no")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Ignore the log message."""
