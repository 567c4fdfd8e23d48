"""TCP proxy between the gateway and Meta that tests can disconnect and reconnect."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

from deploy.child_processes import LOOPBACK_HOST

CHUNK_BYTES: Final = 65_536
POLL_SECONDS: Final = 0.05
"""Seconds between two checks whether the proxy has been disconnected."""


class TcpProxy:
    """Proxy that forwards all data while it is connected."""

    def __init__(self, *, to: str) -> None:
        target = urlsplit(to)
        self._target = (str(target.hostname), int(target.port or 80))
        self._listening: socket.socket | None = None
        self._threads: list[threading.Thread] = []
        self._cut = threading.Event()
        self._port = 0
        self.reconnect()

    @property
    def address(self) -> str:
        """Return the URL that the gateway uses as Meta's."""
        return f"http://{LOOPBACK_HOST}:{self._port}"

    def reconnect(self) -> None:
        """Accept connections, on the same port as before."""
        self._cut.clear()
        self._listening = socket.create_server((LOOPBACK_HOST, self._port))
        self._listening.settimeout(POLL_SECONDS)
        self._port = self._listening.getsockname()[1]
        self._begin(self._accept, self._listening)

    def disconnect(self) -> None:
        """Refuse new connections and close the open ones."""
        self._cut.set()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def _begin(self, work: object, *sockets: socket.socket) -> None:
        thread = threading.Thread(target=work, args=sockets, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self, listening: socket.socket) -> None:
        with listening:
            while not self._cut.is_set():
                with suppress(TimeoutError):
                    caller, _ = listening.accept()
                    self._begin(self._pass_on, caller)

    def _pass_on(self, caller: socket.socket) -> None:
        with caller, socket.create_connection(self._target) as meta:
            other = {caller: meta, meta: caller}
            while not self._cut.is_set():
                for ready in select.select(list(other), [], [], POLL_SECONDS)[0]:
                    with suppress(ConnectionError):
                        if data := ready.recv(CHUNK_BYTES):
                            other[ready].sendall(data)
                            continue
                    return


@contextmanager
def run_tcp_proxy(*, to: str) -> Iterator[TcpProxy]:
    """Run a connected proxy, and disconnect it at the end."""
    proxy = TcpProxy(to=to)
    try:
        yield proxy
    finally:
        proxy.disconnect()
