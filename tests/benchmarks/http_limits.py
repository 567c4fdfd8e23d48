"""Benchmark of the limits of HTTP requests: the gateway's protocol compared with uvicorn's own.

Both store the same webhooks in turns, each round on a new database. The gateway's processor time
per webhook is compared, because other work on the machine changes the webhooks per second much more
than the protocol does.
"""

from functools import partial
from operator import itemgetter
from typing import Any, Final

from tests.benchmarks.support import conversation_process, databases, gateway_process
from tests.benchmarks.support.databases import Server
from tests.benchmarks.support.figures import Figure, Options, Results, WrongResult, at_most
from tests.benchmarks.support.rounds import compute_median, interleave

ROUNDS: Final = 6
SECONDS: Final = 3.0
CONNECTIONS: Final = 64
COST: Final = at_most(1.1)

WITHOUT: Final = "uvicorn's own protocol"
LIMITED: Final = "the protocol with limits"
PROTOCOLS: Final = {WITHOUT: "httptools", LIMITED: gateway_process.LIMITED_PROTOCOL}


def run(options: Options) -> list[Figure]:
    """Measure both protocols.

    Raises:
        WrongResult: a webhook was lost.

    """
    with databases.run_server(options.database) as server:
        measured = interleave(
            {
                name: partial(_store, server, name=name, seconds=1 if options.quick else SECONDS)
                for name in PROTOCOLS
            },
            rounds=1 if options.quick else ROUNDS,
        )
    cpu = {name: compute_median(rounds, itemgetter("cpu_ms")) for name, rounds in measured.items()}
    results = Results("http_limits", options.database)
    results.compare(
        f"CPU of a webhook, {LIMITED}",
        cpu[LIMITED],
        "ms",
        baseline=WITHOUT,
        baseline_value=cpu[WITHOUT],
        goal=COST,
    )
    for name, rounds in measured.items():
        rate = compute_median(rounds, itemgetter("accepted_per_second"))
        results.add(f"webhooks stored, {name}", rate, "/s")
    return results.figures


def _store(server: Server, number: int, *, name: str, seconds: float) -> dict[str, Any]:
    """Store webhooks on a new database for some seconds."""
    database = server.create(f"round{number}_{list(PROTOCOLS).index(name)}")
    gateway_process.migrate(database)
    with conversation_process.run_conversation(
        database,
        prefix="15550",
        app="tests.benchmarks.peers.store_only:build_app()",
        protocol=PROTOCOLS[name],
    ) as conversation:
        measured = conversation.load.command(
            "run_flood", connections=CONNECTIONS, seconds=seconds, warm_up=0.5
        )
    stored = conversation_process.count_rows(database, "whatsapp_inboundmessage")
    if stored != measured["accepted"]:
        raise WrongResult(f"{measured['accepted']} webhooks accepted, {stored} messages stored")
    return measured
