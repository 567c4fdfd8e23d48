"""Benchmark of an update: migrates a full database while the former release still writes.

Two threads write with the former release's models: messages, orders, proofs and confirmations. The
longest time of one of their transactions is how long a buyer or a reviewer waits.
"""

import time
from typing import Final

from tests.benchmarks.support import databases
from tests.benchmarks.support.table import print_table

NUMBERS: Final = 1_000_000
ORDERS: Final = 100_000
KINDS: Final[tuple[databases.Kind, ...]] = ("sqlite", "postgresql")


def run() -> None:
    """Measure on both databases and print the results."""
    print_table(
        f"An update with {NUMBERS:,} numbers and {ORDERS:,} orders while the former release writes",
        columns=(
            "database",
            "migrated in",
            "transactions",
            "repeated",
            "longest",
            "failed",
            "completed in",
        ),
        rows=[measure_update(kind) for kind in KINDS],
    )


def measure_update(kind: databases.Kind) -> tuple[str, ...]:
    """Fill, migrate beside writers, complete what they wrote, and return the figures."""
    with databases.create_database(kind, migrated=False):
        from django.core.management import call_command

        from shared.raffles.services.ticket_numbers import inventory
        from shared.use_cases import former_version
        from tests import former_release

        former_release.create_former_tables()
        release = former_release.FormerRelease(
            former_release.load_former_models(), numbers=NUMBERS, orders=ORDERS
        )
        release.fill()
        with former_release.run_writers(release) as writers:
            time.sleep(1)
            began = time.monotonic()
            call_command("migrate")
            took = time.monotonic() - began
        for error in writers.errors:
            print(f"a writer failed: {error!r}")
        began = time.monotonic()
        former_version.complete_former_writes()
        completed = time.monotonic() - began
        for problem in inventory.find_inventory_problems():
            print(problem.description)
    return (
        kind,
        f"{took:.1f} s",
        f"{writers.transactions:,}",
        str(writers.repeated),
        f"{writers.longest:.2f} s",
        str(len(writers.errors)),
        f"{completed:.1f} s",
    )


if __name__ == "__main__":
    run()
