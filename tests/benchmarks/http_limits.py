"""Benchmark of the limits of HTTP requests: the gateway's protocol compared with uvicorn's own.

Both store the same load in turns. The server's processor time per webhook is compared, because
other work on the machine changes the webhooks per second much more than the protocol does.
"""

from functools import partial
from typing import Final

from tests.benchmarks import ingest
from tests.benchmarks.support import databases, gateway_process
from tests.benchmarks.support.figures import Figure, Options, Results, at_most
from tests.benchmarks.support.rounds import compute_median, interleave

ROUNDS: Final = 8
GOAL: Final = 1.1
"""Processor time per webhook with limits, as a multiple of that without."""

PLAIN: Final = "httptools"
LIMITED: Final = gateway_process.LIMITED_PROTOCOL


def run(options: Options) -> list[Figure]:
    """Measure both in turns.

    Raises:
        WrongResult: a webhook was lost.

    """
    with databases.create_database(options.database) as address:
        ingest.create_peers_table(options.database)
        measured = interleave(
            {
                protocol: partial(
                    ingest.measure_design,
                    address=address,
                    design=ingest.DESIGNS[ingest.GATEWAY],
                    seconds=0.5 if options.quick else ingest.SECONDS,
                    protocol=protocol,
                )
                for protocol in (PLAIN, LIMITED)
            },
            rounds=1 if options.quick else ROUNDS,
        )
    cpu = {
        protocol: compute_median(rounds, lambda each: each.server_cpu * 1_000_000)
        for protocol, rounds in measured.items()
    }
    results = Results("http_limits", options.database)
    results.compare(
        "processor time of a webhook with limits",
        cpu[LIMITED],
        "µs",
        baseline="uvicorn's own protocol",
        baseline_value=cpu[PLAIN],
        goal=at_most(GOAL),
    )
    return results.figures
