"""Speed of the machine during a run, without which absolute figures mean nothing elsewhere."""

import os
import tempfile
import time
from statistics import median
from typing import Final

from tests.benchmarks.support.figures import MACHINE, Figure, Results

SQUARES: Final = 5_000_000
SYNCED: Final = b"x" * 4096
SYNCS: Final = 15


def measure_machine(benchmark: str, database: str) -> list[Figure]:
    """Measure the processor and the disk, and read the load average."""
    load = os.getloadavg()[0]  # before the loop below adds to it
    results = Results(benchmark, database)
    results.add(f"{MACHINE}load average at the start", load, "processes")
    results.add(f"{MACHINE}five million squares", time_squares(), "s")
    results.add(f"{MACHINE}fsync of 4 KiB", median(time_syncs()) * 1000, "ms")
    return results.figures


def time_squares() -> float:
    """Return the seconds that a fixed loop in Python takes."""
    began = time.perf_counter()
    for number in range(SQUARES):
        number * number
    return time.perf_counter() - began


def time_syncs() -> list[float]:
    """Return how long the disk took to store 4 KiB, in seconds."""
    took = []
    with tempfile.NamedTemporaryFile(prefix="rafflebot-fsync-") as file:
        for _ in range(SYNCS):
            file.write(SYNCED)
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    return took
