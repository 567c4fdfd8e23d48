"""Benchmark of an update: migrates a full database while the former release still writes.

Two threads write with the former release's models: messages, orders, proofs and confirmations. The
longest time of one of their transactions is how long a buyer or a reviewer waits.
"""

import time
from typing import Final

from tests.benchmarks.support import databases
from tests.benchmarks.support.figures import Figure, Options, Results, WrongResult, at_most

NUMBERS: Final = 1_000_000
ORDERS: Final = 100_000
LONGEST_SECONDS: Final = 5.0
"""Goal of the longest transaction: a buyer waits for it, and Meta for nothing."""


def run(options: Options) -> list[Figure]:
    """Fill, migrate beside writers, complete what they wrote, and return the figures.

    Raises:
        WrongResult: a writer failed, or the numbers of a raffle are not whole afterwards.

    """
    share = 100 if options.quick else 1
    with databases.create_database(options.database, migrated=False):
        from django.core.management import call_command

        from shared.raffles.services.ticket_numbers import inventory
        from shared.use_cases import former_version
        from tests import former_release

        former_release.create_former_tables()
        release = former_release.FormerRelease(
            former_release.load_former_models(), numbers=NUMBERS // share, orders=ORDERS // share
        )
        release.fill()
        with former_release.run_writers(release) as writers:
            time.sleep(1)
            began = time.monotonic()
            call_command("migrate", verbosity=0)
            took = time.monotonic() - began
        if writers.errors:
            raise WrongResult(f"a writer failed: {writers.errors[0]!r}")
        began = time.monotonic()
        former_version.complete_former_writes(now=former_release.NOW)
        completed = time.monotonic() - began
        if problems := list(inventory.find_inventory_problems()):
            raise WrongResult(problems[0].description)
    results = Results("migrate", options.database)
    results.add("migrated in", took, "s")
    results.add("completed what was written meanwhile in", completed, "s")
    results.add("transactions of the former release meanwhile", writers.transactions, "")
    results.add("of these tried again", writers.repeated, "")
    results.add(
        "the longest of these transactions", writers.longest, "s", goal=at_most(LONGEST_SECONDS)
    )
    return results.figures
