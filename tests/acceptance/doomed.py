"""A gateway that dies at a point a test names: `uvicorn tests.acceptance.doomed:app`.

Nothing of the gateway is replaced. Django lets anybody look at each statement of a connection;
at the one that the test names the process kills itself, as if the machine had lost its power.
"""

import json
import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from gateway.asgi import app  # isort: skip - sets Django up

from django.db import connections, transaction
from django.db.backends.signals import connection_created

__all__ = ["app"]

DOOM: Final = Path(os.environ["ACCEPTANCE_DOOM"])
"""Where the test writes `statement`, `value` (one of its parameters, if any) and `moment`."""

_watched = ExitStack()


def _watch(*, connection: Any, **_: Any) -> None:
    _watched.enter_context(connection.execute_wrapper(_execute))


def _execute(
    execute: Callable[..., Any], statement: str, values: Any, many: bool, context: Any
) -> Any:
    moment = _moment(statement, values)
    if moment == "before":
        _die()
    done = execute(statement, values, many, context)
    if moment == "after":
        _die()
    if moment == "committed":
        transaction.on_commit(_die)
    return done


def _moment(statement: str, values: Any) -> str | None:
    if not DOOM.exists():
        return None
    doom = json.loads(DOOM.read_text())
    named = statement.startswith(doom["statement"])
    if not named or (doom["value"] and doom["value"] not in map(str, values or ())):
        return None
    return str(doom["moment"])


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


connection_created.connect(_watch)
connections.close_all()  # one that is open already would not be watched
