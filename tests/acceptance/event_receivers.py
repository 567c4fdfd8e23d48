"""HTTP receivers of events: one that records requests, and one that never answers."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from deploy.child_processes import LOOPBACK_HOST


@dataclass(frozen=True)
class ReceivedEvent:
    """A recorded request and the status of the answer."""

    headers: dict[str, str]
    body: bytes
    status: int


@dataclass
class EventReceiver:
    """Receiver that answers with the given statuses one after the other, and then with 200."""

    url: str
    statuses: list[int]
    got: list[ReceivedEvent] = field(default_factory=list)

    def record_request(self, headers: dict[str, str], body: bytes) -> int:
        """Record a request and return the status of the answer."""
        status = self.statuses.pop(0) if self.statuses else 200
        self.got.append(ReceivedEvent(headers, body, status))
        return status


@contextmanager
def run_receiver(*, statuses: Sequence[int] = ()) -> Iterator[EventReceiver]:
    """Run a receiver on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(receiver.record_request(dict(self.headers), body))
            self.end_headers()
            self.wfile.write(b"noted")

        def log_message(self, *_: object) -> None:
            """Ignore the log message."""

    with ThreadingHTTPServer((LOOPBACK_HOST, 0), Handler) as server:
        receiver = EventReceiver(
            f"http://{LOOPBACK_HOST}:{server.server_port}/events", list(statuses)
        )
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield receiver
        finally:
            server.shutdown()


@contextmanager
def run_silent_receiver() -> Iterator[str]:
    """Accept every connection, never answer, and yield the URL."""
    with socket.create_server((LOOPBACK_HOST, 0), backlog=64) as server:
        yield f"http://{LOOPBACK_HOST}:{server.getsockname()[1]}/events"
