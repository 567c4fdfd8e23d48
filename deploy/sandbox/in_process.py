"""The stand-in on a real port within this process, for tests."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from deploy.sandbox import app, uvicorn_server
from deploy.sandbox.client import Sandbox
from deploy.sandbox.options import Behaviour, Options

SECONDS_TO_START: Final = 15


@contextmanager
def running(
    *, webhook_url: str, options: Options | None = None, port: int = 0, **settings: Any
) -> Iterator[Sandbox]:
    """Run a server in a thread and give its client; `settings` are those of `Behaviour`.

    Raises:
        TimeoutError: when it does not start within fifteen seconds.

    """
    opened = uvicorn_server.listening("127.0.0.1", port)
    behaviour = Behaviour(webhook_url=webhook_url, **settings)
    server = uvicorn_server.server(app.build(options or Options(), behaviour))
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [opened]}, name="sandbox", daemon=True
    )
    thread.start()
    try:
        _wait_until_started(server, thread)
        with Sandbox(uvicorn_server.address(opened)) as sandbox:
            yield sandbox
    finally:
        server.should_exit = True
        thread.join(SECONDS_TO_START)
        opened.close()


def _wait_until_started(server: Any, thread: threading.Thread) -> None:
    ends = time.monotonic() + SECONDS_TO_START
    while not server.started:
        if time.monotonic() > ends or not thread.is_alive():
            raise TimeoutError("the stand-in for Meta did not start")
        time.sleep(0.01)
