"""A gateway that dies at a point a test names: `python -m tests.acceptance.crashing_gateway PORT`.

Nothing of the gateway is replaced. Django lets anybody look at each statement of a connection;
at the one that the test names the process kills itself, as if the machine had lost its power.
Everything is imported once, by a parent that forks one gateway after the other: a new life then
costs a tenth of a second and not two.
"""

import json
import os
import re
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from gateway.asgi import app  # isort: skip - sets Django up

import uvicorn
from django.db import transaction
from django.db.backends.signals import connection_created

from deploy import die_with_parent
from deploy.child_processes import LOOPBACK_HOST

FOLDER: Final = Path(os.environ["ACCEPTANCE_FOLDER"])
DOOM: Final = FOLDER / "doom.json"
"""Where the test writes a piece of the `statement`, a `value` in it, if any, and the `moment`."""
LIFE: Final = FOLDER / "life.json"
"""Where the parent writes the `pid` of the gateway and, after its end, the `code`."""

_watched = ExitStack()


def main() -> None:
    """Fork a gateway, note its end, fork the next at each SIGUSR1; end with it at SIGTERM."""
    news = {signal.SIGCHLD, signal.SIGUSR1, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, news)
    pid: int | None = _born()
    while (heard := signal.sigwait(news)) != signal.SIGTERM:
        if heard == signal.SIGUSR1:
            pid = _born()
        else:
            dead, status = os.waitpid(-1, 0)
            _tell(pid=dead, code=os.waitstatus_to_exitcode(status))
            pid = None
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


def _born() -> int:
    pid = os.fork()
    if pid == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        _live(port=int(sys.argv[1]))
    _tell(pid=pid, code=None)
    return pid


def _live(*, port: int) -> None:
    die_with_parent.set_parent_death_signal(parent=os.getppid())
    connection_created.connect(_watch)
    uvicorn.run(app, host=LOOPBACK_HOST, port=port)
    os._exit(0)


def _tell(**life: int | None) -> None:
    draft = LIFE.with_suffix(".draft")
    draft.write_text(json.dumps(life))
    draft.replace(LIFE)


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
    plain = statement.replace('"', "")
    written = {*map(str, values or ()), *re.findall(r"'(\w+)'", plain)}
    if doom["statement"] not in plain or (doom["value"] and doom["value"] not in written):
        return None
    return str(doom["moment"])


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
