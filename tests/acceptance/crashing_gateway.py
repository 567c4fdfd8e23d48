"""A gateway that crashes at a chosen point: `python -m tests.acceptance.crashing_gateway PORT`.

No code of the gateway is replaced. A Django execute wrapper sees each SQL statement; at the one
that the test chose, the process kills itself, as in a power failure. A parent process imports
everything once and forks one gateway after the other, so a restart takes 0.1 seconds, not 2.
"""

import gc
import json
import os
import re
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any, Final

from gateway.asgi import app  # isort: skip - sets Django up

import uvicorn
from django.db import transaction
from django.db.backends.signals import connection_created
from django.db.migrations.loader import MigrationLoader

from deploy import die_with_parent
from deploy.child_processes import LOOPBACK_HOST
from shared.conversation.understanding.vocabulary import load_vocabulary

FOLDER: Final = Path(os.environ["ACCEPTANCE_FOLDER"])
CRASH_FILE: Final = FOLDER / "crash_point.json"
"""Written by the test: part of the `statement`, one of its values (may be empty), the `moment`."""
PROCESS_FILE: Final = FOLDER / "process_state.json"
"""Written by the parent: the `pid` of the gateway and, after its end, the exit `code`."""

_wrappers = ExitStack()


def main() -> None:
    """Fork a gateway, record its end, fork another one at SIGUSR1, and stop at SIGTERM."""
    _load_what_gateways_load_later()
    signals = {signal.SIGCHLD, signal.SIGUSR1, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    pid: int | None = _fork_gateway()
    while (received := signal.sigwait(signals)) != signal.SIGTERM:
        if received == signal.SIGUSR1:
            pid = _fork_gateway()
        else:
            dead, status = os.waitpid(-1, 0)
            _write_process_state(pid=dead, code=os.waitstatus_to_exitcode(status))
            pid = None
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


def _load_what_gateways_load_later() -> None:
    """Load the words that buyers write and the migrations, before the first text and check."""
    load_vocabulary()
    MigrationLoader(None)
    gc.freeze()


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


def _write_process_state(**state: int | None) -> None:
    draft = PROCESS_FILE.with_suffix(".draft")
    draft.write_text(json.dumps(state))
    draft.replace(PROCESS_FILE)


def _wrap_connection(*, connection: Any, **_: Any) -> None:
    _wrappers.enter_context(connection.execute_wrapper(_execute_or_die))


def _execute_or_die(
    execute: Callable[..., Any], statement: str, values: Any, many: bool, context: Any
) -> Any:
    moment = _find_crash_moment(statement, chain.from_iterable(values) if many else values)
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
    crash = json.loads(CRASH_FILE.read_text())
    plain = statement.replace('"', "")
    written = {*map(str, values or ()), *re.findall(r"'(\w+)'", plain)}
    if crash["statement"] not in plain or (crash["value"] and crash["value"] not in written):
        return None
    return str(crash["moment"])


def _kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
