"""Benchmark of the limits of HTTP requests: the gateway's protocol compared with uvicorn's own.

Both store the same load in turns, each round on a new database. The server's processor time per
webhook is compared, because other work on the machine changes the webhooks per second much more
than the protocol does.
"""

import os
import statistics
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.benchmarks import webhook_ingest
from tests.benchmarks.webhook_ingest import Round

PAIRS: Final = 8
GOAL: Final = 1.1
"""Processor time per webhook with limits, as a multiple of that without."""

PLAIN: Final = "httptools"
LIMITED: Final = "gateway.http_limits:LimitedProtocol"


def run() -> None:
    """Measure both in turns and print the results.

    Raises:
        SystemExit: a webhook was lost, or the goal is missed.

    """
    with tempfile.TemporaryDirectory(prefix="rafflebot-bench-") as folder:
        pairs = [measure_pair(number, folder=Path(folder)) for number in range(PAIRS)]
    ratio = print_report(pairs)
    if ratio > GOAL:
        raise SystemExit(f"limits cost {ratio:.2f} times the processor time; the goal is {GOAL}")


def measure_pair(number: int, *, folder: Path) -> tuple[Round, Round]:
    """Measure without and with limits; each goes first in every second pair."""
    order = (PLAIN, LIMITED) if number % 2 else (LIMITED, PLAIN)
    rounds = {
        parser: webhook_ingest.measure_design(
            "together", number=2 * number + place, folder=folder, parser=parser
        )
        for place, parser in enumerate(order)
    }
    return rounds[PLAIN], rounds[LIMITED]


def print_report(pairs: list[tuple[Round, Round]]) -> float:
    """Print the medians and the spread, and return the ratio of the processor times."""
    table = Table(title=f"Webhooks stored, medians of {PAIRS} x {webhook_ingest.SECONDS} s")
    for heading in ("protocol", "per s", "min-max", "p99 ms", "cpu µs a webhook", "min-max"):
        table.add_column(heading, justify="left" if heading == "protocol" else "right")
    for place, words in enumerate((PLAIN, "with limits")):
        rounds = [pair[place] for pair in pairs]
        rates = [each.per_second for each in rounds]
        times = [compute_cpu_per_webhook(each) for each in rounds]
        table.add_row(
            words,
            f"{statistics.median(rates):,.0f}",
            f"{min(rates):,.0f}-{max(rates):,.0f}",
            f"{statistics.median(each.p99_ms for each in rounds):.1f}",
            f"{statistics.median(times):.0f}",
            f"{min(times):.0f}-{max(times):.0f}",
        )
    ratios = sorted(
        compute_cpu_per_webhook(limited) / compute_cpu_per_webhook(plain)
        for plain, limited in pairs
    )
    ratio = statistics.median(ratios)
    console = Console(width=110)
    console.print(table)
    console.print(
        f"With limits {ratio:.2f} times the processor time per webhook "
        f"({ratios[0]:.2f} to {ratios[-1]:.2f}); load average {os.getloadavg()[0]:.1f}."
    )
    return ratio


def compute_cpu_per_webhook(measured: Round) -> float:
    """Return the server's processor time per webhook in microseconds."""
    return measured.server_cpu * webhook_ingest.SECONDS / measured.stored * 1_000_000


if __name__ == "__main__":
    run()
