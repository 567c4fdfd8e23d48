"""Receivers of events: one that notes what it gets, and one that takes calls and never answers."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from deploy.child_processes import LOOPBACK_HOST


@dataclass(frozen=True)
class ReceivedEvent:
    """One request, as it came, and the status it was answered with."""

    headers: dict[str, str]
    body: bytes
    status: int


@dataclass
class EventReceiver:
    """Answers with the statuses it was given, one after the other, and then with 200."""

    url: str
    statuses: list[int]
    got: list[ReceivedEvent] = field(default_factory=list)

    def takes(self, headers: dict[str, str], body: bytes) -> int:
        """Note a request, and give the status to answer with."""
        status = self.statuses.pop(0) if self.statuses else 200
        self.got.append(ReceivedEvent(headers, body, status))
        return status


@contextmanager
def run_receiver(*, statuses: Sequence[int] = ()) -> Iterator[EventReceiver]:
    """Run a receiver on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(receiver.takes(dict(self.headers), body))
            self.end_headers()
            self.wfile.write(b"noted")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

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
    """Take every call and never answer; give the address."""
    with socket.create_server((LOOPBACK_HOST, 0), backlog=64) as server:
        yield f"http://{LOOPBACK_HOST}:{server.getsockname()[1]}/events"
