"""The stand-in as a real server in a thread of this process, for tests."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from deploy.sandbox import app, uvicorn_server
from deploy.sandbox.client import SandboxClient
from deploy.sandbox.options import SandboxBehaviour, SandboxOptions

START_TIMEOUT_SECONDS: Final = 15


@contextmanager
def run_sandbox(
    *, webhook_url: str, options: SandboxOptions | None = None, port: int = 0, **settings: Any
) -> Iterator[SandboxClient]:
    """Run a server in a thread for the `with` block, which gets a client.

    Args:
        webhook_url: address to which webhooks are posted.
        options: secrets and business numbers.
        port: the port; 0 takes a free one.
        settings: further fields of `SandboxBehaviour`.

    Raises:
        TimeoutError: it did not start within fifteen seconds.

    """
    opened = uvicorn_server.open_loopback_socket("127.0.0.1", port)
    behaviour = SandboxBehaviour(webhook_url=webhook_url, **settings)
    server = uvicorn_server.build_server(app.build_app(options or SandboxOptions(), behaviour))
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [opened]}, name="sandbox", daemon=True
    )
    thread.start()
    try:
        _wait_until_started(server, thread)
        with SandboxClient(uvicorn_server.format_address(opened)) as sandbox:
            yield sandbox
    finally:
        server.should_exit = True
        thread.join(START_TIMEOUT_SECONDS)
        opened.close()


def _wait_until_started(server: Any, thread: threading.Thread) -> None:
    ends = time.monotonic() + START_TIMEOUT_SECONDS
    while not server.started:
        if time.monotonic() > ends or not thread.is_alive():
            raise TimeoutError("the stand-in for Meta did not start")
        time.sleep(0.01)
