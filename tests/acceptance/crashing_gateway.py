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
CRASH_FILE: Final = FOLDER / "doom.json"
"""Where the test writes a piece of the `statement`, a `value` in it, if any, and the `moment`."""
PROCESS_FILE: Final = FOLDER / "life.json"
"""Where the parent writes the `pid` of the gateway and, after its end, the `code`."""

_wrappers = ExitStack()


def main() -> None:
    """Fork a gateway, note its end, fork the next at each SIGUSR1; end with it at SIGTERM."""
    news = {signal.SIGCHLD, signal.SIGUSR1, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, news)
    pid: int | None = _fork_gateway()
    while (heard := signal.sigwait(news)) != signal.SIGTERM:
        if heard == signal.SIGUSR1:
            pid = _fork_gateway()
        else:
            dead, status = os.waitpid(-1, 0)
            _write_process_state(pid=dead, code=os.waitstatus_to_exitcode(status))
            pid = None
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


def _fork_gateway() -> int:
    pid = os.fork()
    if pid == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        _run_gateway(port=int(sys.argv[1]))
    _write_process_state(pid=pid, code=None)
    return pid


def _run_gateway(*, port: int) -> None:
    die_with_parent.set_parent_death_signal(parent=os.getppid())
    connection_created.connect(_wrap_connection)
    uvicorn.run(app, host=LOOPBACK_HOST, port=port)
    os._exit(0)


def _write_process_state(**life: int | None) -> None:
    draft = PROCESS_FILE.with_suffix(".draft")
    draft.write_text(json.dumps(life))
    draft.replace(PROCESS_FILE)


def _wrap_connection(*, connection: Any, **_: Any) -> None:
    _wrappers.enter_context(connection.execute_wrapper(_execute_or_die))


def _execute_or_die(
    execute: Callable[..., Any], statement: str, values: Any, many: bool, context: Any
) -> Any:
    moment = _find_crash_moment(statement, values)
    if moment == "before":
        _kill_self()
    done = execute(statement, values, many, context)
    if moment == "after":
        _kill_self()
    if moment == "committed":
        transaction.on_commit(_kill_self)
    return done


def _find_crash_moment(statement: str, values: Any) -> str | None:
    if not CRASH_FILE.exists():
        return None
    doom = json.loads(CRASH_FILE.read_text())
    plain = statement.replace('"', "")
    written = {*map(str, values or ()), *re.findall(r"'(\w+)'", plain)}
    if doom["statement"] not in plain or (doom["value"] and doom["value"] not in written):
        return None
    return str(doom["moment"])


def _kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
