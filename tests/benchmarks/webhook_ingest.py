"""Benchmark of storing webhooks durably: group commit compared with one commit per webhook.

Both designs are measured in turns in the same run, each on its own database, and every accepted
webhook is checked in the database. Only the ratio is comparable between machines.
"""

import json
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from tests.benchmarks.webhook_load import CONNECTIONS, SECRET

ROUNDS: Final = 3
SECONDS: Final = 2.5
GOAL: Final = 4.0
"""Factor by which group commit must store more webhooks."""

DESIGNS: Final = {"alone": "one commit a webhook", "together": "group commit (the gateway)"}


@dataclass(frozen=True)
class Round:
    """One measurement of one design."""

    design: str
    per_second: float
    p50_ms: float
    p99_ms: float
    stored: int
    load_cpu: float
    server_cpu: float


def run() -> None:
    """Measure both designs and print the results.

    Raises:
        SystemExit: a webhook was lost, or the goal is missed.

    """
    with tempfile.TemporaryDirectory(prefix="rafflebot-bench-") as folder:
        rounds = [
            measure_design(design, number=number, folder=Path(folder))
            for number in range(ROUNDS)
            for design in DESIGNS
        ]
    ratio = print_report(rounds)
    if ratio < GOAL:
        raise SystemExit(f"group commit is only {ratio:.1f} times as fast; the goal is {GOAL}")


def measure_design(design: str, *, number: int, folder: Path, parser: str = "httptools") -> Round:
    """Send load to a new server on a new database and count the stored webhooks.

    Args:
        design: the function of `webhook_apps` that builds the application.
        number: the number of the round, which also names the database.
        folder: the folder of the database.
        parser: uvicorn's option `--http`.

    """
    file = folder / f"{design}-{number}.sqlite3"
    environment = build_environment(file)
    subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "django", "migrate", "-v0"],
        env=environment,
        check=True,
    )
    with run_server(design, environment=environment, parser=parser) as (port, process):
        command = [sys.executable, "-m", "tests.benchmarks.webhook_load"]
        before = measure_cpu_seconds(process)
        answer = subprocess.run(
            [*command, str(port), str(SECONDS), str(number)], check=True, capture_output=True
        )
        busy = measure_cpu_seconds(process) - before
    figures: dict[str, Any] = json.loads(answer.stdout)
    with closing(sqlite3.connect(file)) as database:
        [stored] = database.execute("SELECT count(*) FROM whatsapp_receivedwebhook").fetchone()
    if figures["refused"] or stored != figures["accepted"]:
        raise SystemExit(f"{design}: {figures} but {stored} rows in the database")
    return Round(
        design,
        figures["per_second"],
        figures["p50_ms"],
        figures["p99_ms"],
        stored,
        figures["cpu_cores"],
        busy / SECONDS,
    )


def build_environment(file: Path) -> dict[str, str]:
    """Return the environment of a gateway on a SQLite file, independent of the caller's."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "DJANGO_SETTINGS_MODULE": "gateway.settings",
        "DATABASE_URL": f"sqlite:///{file}",
        "DJANGO_SECRET_KEY": "only-for-benchmarks-" + "x" * 40,
        "META_APP_SECRET": SECRET.decode(),
        "META_VERIFY_TOKEN": "benchmark",
        "META_ACCESS_TOKEN": "benchmark",
        "META_PHONE_NUMBER_ID": "106540352242922",
        "META_GRAPH_URL": "http://127.0.0.1:1",
        "LOG_LEVEL": "WARNING",
        "DRAIN_SECONDS": "0",
    }


@contextmanager
def run_server(
    design: str, *, environment: dict[str, str], parser: str
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run one of the applications under uvicorn on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    application = f"tests.benchmarks.webhook_apps:{design}"
    command = [sys.executable, "-m", "uvicorn", "--factory", application, "--port", str(port)]
    command += ["--http", parser, "--log-level", "warning"]
    process = subprocess.Popen(command, env=environment)
    try:
        wait_until_listening(port, process)
        yield port, process
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_until_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until the server listens."""
    for _ in range(200):
        if process.poll() is not None:
            raise SystemExit("the server did not start")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("the server does not listen")


def measure_cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """Return the CPU time of a process in seconds (0 on other systems than Linux)."""
    stat = Path(f"/proc/{process.pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def print_report(rounds: list[Round]) -> float:
    """Print the medians and return the ratio of the two designs."""
    table = Table(
        title=f"Webhooks stored, {CONNECTIONS} connections, SQLite synchronous=FULL, "
        f"medians of {ROUNDS} x {SECONDS} s"
    )
    for heading in (
        "design",
        "per s",
        "min-max",
        "p50 ms",
        "p99 ms",
        "server cpu",
        "load cpu",
        "ratio",
    ):
        table.add_column(heading, justify="left" if heading == "design" else "right")
    base = compute_median(rounds, "alone", "per_second")
    for design, words in DESIGNS.items():
        rates = [each.per_second for each in rounds if each.design == design]
        rate = statistics.median(rates)
        table.add_row(
            words,
            f"{rate:,.0f}",
            f"{min(rates):,.0f}-{max(rates):,.0f}",
            *(
                f"{compute_median(rounds, design, name):.{digits}f}"
                for name, digits in (
                    ("p50_ms", 1),
                    ("p99_ms", 1),
                    ("server_cpu", 2),
                    ("load_cpu", 2),
                )
            ),
            f"{rate / base:.1f}",
        )
    console = Console(width=110)
    console.print(table)
    total = sum(each.stored for each in rounds)
    console.print(f"{total:,} webhooks answered with 200, {total:,} found in the databases.")
    return compute_median(rounds, "together", "per_second") / base


def compute_median(rounds: list[Round], design: str, name: str) -> float:
    """Return the median of one measurement of one design."""
    return float(statistics.median(getattr(each, name) for each in rounds if each.design == design))


if __name__ == "__main__":
    run()
