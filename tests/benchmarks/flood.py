"""Benchmark of floods: what other buyers notice of them.

- *A flood of one buyer*: 1,000 texts of one buyer in one webhook, as Meta may send them, and 0.3
  seconds later another buyer begins to buy three numbers. Compared with the same purchase alone.
- *A flood of many*: 64 connections post texts of other senders, one each, as fast as they are
  accepted. Compared are the replies per second meanwhile with what the same gateway answers when
  buyers wait for their replies (its own saturation, as `turn` measures it).
"""

import time
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.support import conversation_process, databases
from tests.benchmarks.support.conversation_process import Conversation
from tests.benchmarks.support.databases import Server
from tests.benchmarks.support.figures import (
    Figure,
    Options,
    Results,
    WrongResult,
    at_least,
    at_most,
)
from tests.benchmarks.support.rounds import compute_median, interleave

ROUNDS: Final = 3
TEXTS: Final = 1_000
PATIENCE: Final = 300.0
"""Seconds until the flood of one buyer must be handled."""
RAFFLE: Final = 100_000
UNREAD: Final = "whatsapp_receivedwebhook"
UNANSWERED: Final = "whatsapp_inboundmessage WHERE status = 'RECEIVED'"

CONNECTIONS: Final = 64
ON_THE_WAY: Final = 128
SECONDS: Final = 5.0

LONGEST_ANSWER: Final = at_most(1.0)
"""Seconds: what a person takes for an answer and not for a wait."""
ANSWERED_SHARE: Final = at_least(0.5)

ALONE: Final = "the same purchase alone"
FLOODED: Final = "a purchase in a flood of one buyer"

type Measured = dict[str, Any]


def run(options: Options) -> list[Figure]:
    """Measure both floods.

    Raises:
        WrongResult: a message was lost, or a number was sold twice.

    """
    rounds = 1 if options.quick else ROUNDS
    texts = 50 if options.quick else TEXTS
    results = Results("flood", options.database)
    with databases.run_server(options.database) as server:
        purchases = interleave(
            {
                ALONE: partial(_buy_in_flood, server, texts=0),
                FLOODED: partial(_buy_in_flood, server, texts=texts),
            },
            rounds=rounds,
        )
        floods = [_flood(server, number, quick=options.quick) for number in range(rounds)]
    _report_purchases(results, purchases)
    _report_flood(results, floods)
    return results.figures


def _buy_in_flood(server: Server, number: int, *, texts: int) -> Measured:
    """Let one buyer buy while another one sends `texts` texts."""
    database = server.create(f"purchase{number}_{texts}")
    conversation_process.prepare_database(database, numbers=(RAFFLE,))
    with conversation_process.run_conversation(database, prefix="15550") as conversation:
        measured = conversation.load.command("run_purchase", flood=texts)
        began = time.monotonic()
        _wait_until_none(database, UNREAD, UNANSWERED)
        measured["handled_after"] = time.monotonic() - began
    return measured


def _wait_until_none(database: str, *sources: str) -> None:
    """Wait until none of these tables, with conditions, has a row.

    Raises:
        WrongResult: one still has after `PATIENCE`.

    """
    until = time.monotonic() + PATIENCE
    while any(conversation_process.count_rows(database, source) for source in sources):
        if time.monotonic() > until:
            raise WrongResult(f"not handled in time: {sources}")
        time.sleep(0.1)


def _flood(server: Server, number: int, *, quick: bool) -> Measured:
    """Measure saturation, then what is answered while webhooks arrive at full speed."""
    seconds = 1.0 if quick else SECONDS
    database = server.create(f"flood{number}")
    conversation_process.prepare_database(database, numbers=(RAFFLE,))
    with conversation_process.run_conversation(database, prefix="15550") as conversation:
        load = conversation.load
        load.command("ramp", buyers=ON_THE_WAY)
        saturated = load.command("run_closed", buyers=ON_THE_WAY, seconds=seconds, warm_up=1.0)
        before = _measure_memory(conversation)
        measured = load.command("run_flood", connections=CONNECTIONS, seconds=seconds, warm_up=1.0)
        measured["grown_by"] = _measure_memory(conversation) - before
        _wait_until_none(database, UNREAD)
    stored = conversation_process.count_rows(database, "whatsapp_inboundmessage")
    if stored != saturated["written"] + measured["accepted"]:
        raise WrongResult(f"{measured} after {saturated['written']} messages, {stored} stored")
    return measured | {"saturation": saturated["per_second"]}


def _measure_memory(conversation: Conversation) -> float:
    """Return the memory of the gateway in MB (Linux only)."""
    status = Path(f"/proc/{conversation.gateway.process.pid}/status").read_text()
    [resident] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(resident.split()[1]) / 1024


def _report_purchases(results: Results, purchases: dict[str, list[Measured]]) -> None:
    longest = {
        name: compute_median(rounds, lambda measured: max(measured["seconds"]))
        for name, rounds in purchases.items()
    }
    results.compare(
        f"longest of three answers, {FLOODED}",
        longest[FLOODED],
        "s",
        baseline=ALONE,
        baseline_value=longest[ALONE],
    )
    results.add(f"longest of three answers, {FLOODED}", longest[FLOODED], "s", goal=LONGEST_ANSWER)
    results.add(f"longest of three answers, {ALONE}", longest[ALONE], "s")
    results.add(
        "the rest of the flood handled after the purchase",
        compute_median(purchases[FLOODED], itemgetter("handled_after")),
        "s",
    )


def _report_flood(results: Results, floods: list[Measured]) -> None:
    def median(key: str) -> float:
        return compute_median(floods, itemgetter(key))

    results.compare(
        "answered in a flood of many",
        median("answered_per_second"),
        "turns/s",
        baseline="its own saturation",
        baseline_value=median("saturation"),
        goal=ANSWERED_SHARE,
    )
    results.add("its own saturation", median("saturation"), "turns/s")
    results.add("stored in a flood of many", median("accepted_per_second"), "messages/s")
    results.add("memory of the gateway grew by", median("grown_by"), "MB")
