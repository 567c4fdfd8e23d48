"""A gateway with its own buyers and Graph API: the design that `turn` and others measure."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.core.config import PROJECT_ROOT
from tests.benchmarks.support import gateway_process
from tests.benchmarks.support.figures import WrongResult
from tests.benchmarks.support.gateway_process import GatewayProcess

SEEDING = Path(__file__).with_name("seeding.py")


@dataclass(frozen=True, slots=True)
class LoadProcess:
    """A running `load_process`, connected to a gateway."""

    process: subprocess.Popen[str]
    graph_port: int

    def command(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Carry out a command and return its result.

        Raises:
            WrongResult: a message was answered twice, or a webhook was refused.

        """
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([name, arguments]) + "\n")
        self.process.stdin.flush()
        result: dict[str, Any] = json.loads(self.read_line())
        if result.get("doubled") or result.get("refused"):
            raise WrongResult(f"{name}: {result}")
        return result

    def read_line(self) -> str:
        """Return the next line of its output.

        Raises:
            WrongResult: it has ended, most likely because a message was not answered.

        """
        assert self.process.stdout is not None
        line: str = self.process.stdout.readline()
        if not line:
            raise WrongResult("the load ended; standard error says why")
        return line


@dataclass(frozen=True, slots=True)
class Conversation:
    """A gateway, its database, and the buyers who write to it."""

    gateway: GatewayProcess
    load: LoadProcess
    database: str
    checkout: Path


@contextmanager
def run_conversation(
    database: str,
    *,
    prefix: str,
    app: str = "gateway.asgi:app",
    checkout: Path = PROJECT_ROOT,
) -> Iterator[Conversation]:
    """Start a gateway and its buyers, and stop both at the end of the block.

    Args:
        database: URL of a database that is migrated and seeded.
        prefix: begins the buyers' phone numbers; five digits.
        app: the ASGI application, as for `run_gateway`.
        checkout: root of the checkout whose code runs.

    """
    with run_load() as load:
        graph_url = f"http://127.0.0.1:{load.graph_port}"
        environment = gateway_process.build_environment(
            database, checkout=checkout, graph_url=graph_url
        )
        with gateway_process.run_gateway(environment, app=app, checkout=checkout) as gateway:
            load.command("connect", port=gateway.port, pid=gateway.process.pid, prefix=prefix)
            yield Conversation(gateway, load, database, checkout)


@contextmanager
def run_load() -> Iterator[LoadProcess]:
    """Start the process of the buyers, and stop it at the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.support.load_process"],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        load = LoadProcess(process, 0)
        yield LoadProcess(process, int(load.read_line()))
    finally:
        process.terminate()
        process.wait()


def prepare_database(
    database: str, *, numbers: tuple[int, ...], checkout: Path = PROJECT_ROOT
) -> None:
    """Create the tables of a checkout's version and raffles with so many numbers."""
    gateway_process.migrate(database, checkout=checkout)
    gateway_process.run_python(
        str(SEEDING),
        *map(str, numbers),
        checkout=checkout,
        environment=gateway_process.build_environment(database, checkout=checkout),
    )


def check_outcome(conversation: Conversation, *, written: int) -> None:
    """Check that every message was stored and answered once, and that the inventory is whole.

    Args:
        conversation: what ran.
        written: messages that the buyers wrote.

    Raises:
        WrongResult: something was lost or doubled, or a number was sold twice.

    """
    gateway_process.run_python(
        *("-m", "backoffice.manage", "check_inventory"),
        checkout=conversation.checkout,
        environment=gateway_process.build_environment(
            conversation.database, checkout=conversation.checkout
        ),
    )
    found = {
        "messages answered": count_rows(
            conversation.database, "whatsapp_inboundmessage WHERE status = 'PROCESSED'"
        ),
        "messages": count_rows(conversation.database, "whatsapp_inboundmessage"),
        "replies": count_rows(conversation.database, "whatsapp_outboundmessage"),
        "replies sent": count_rows(
            conversation.database, "whatsapp_outboundmessage WHERE status = 'SENT'"
        ),
    }
    wrong = {what: count for what, count in found.items() if count != written}
    if wrong:
        raise WrongResult(f"buyers wrote {written} messages, but: {wrong}")


def count_rows(database: str, source: str) -> int:
    """Return the number of rows of a table, with conditions, whatever version it is of."""
    statement = f"SELECT count(*) FROM {source}"
    if database.startswith("sqlite"):
        import sqlite3
        from contextlib import closing

        with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as sqlite:
            return int(sqlite.execute(statement).fetchone()[0])
    import psycopg

    with psycopg.connect(database) as postgres:
        row = postgres.execute(statement.encode()).fetchone()
        assert row is not None
        return int(row[0])
