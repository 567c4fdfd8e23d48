"""Benchmark of a rush: 2,000 buyers come within a minute, and there are 1,000 numbers.

Each buyer greets, asks for one number (half of them for a certain one, the others for any) and
confirms what is held, each a second after the reply. At the end no number is sold twice, all are
sold, and everybody without one was told so.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from tests.benchmarks.support import conversation_process, databases
from tests.benchmarks.support.figures import Figure, Options, Results, WrongResult, at_most

BUYERS: Final = 2_000
NUMBERS: Final = 1_000
ARRIVE_WITHIN: Final = 60.0
QUICK: Final = (100, 50, 5.0)
SERVED_AFTER: Final = at_most(60)

ORDERED: Final = re.compile(r"Order \*R-[0-9A-Z]{5}\*")
"""In the answer to a confirmation."""
NONE_LEFT: Final = re.compile(r"taken already|sold out")
"""In the answer to a wish that cannot be fulfilled."""


def run(options: Options) -> list[Figure]:
    """Let the crowd in and measure until everybody is served.

    Raises:
        WrongResult: a message was lost, a number was sold twice or to nobody, or a buyer was not
            told the outcome.

    """
    buyers, numbers, seconds = QUICK if options.quick else (BUYERS, NUMBERS, ARRIVE_WITHIN)
    with databases.run_server(options.database) as server:
        database = server.create("rush")
        conversation_process.prepare_database(database, numbers=(numbers,))
        with conversation_process.run_conversation(database, prefix="15550") as conversation:
            measured = conversation.load.command(
                "run_rush", buyers=buyers, numbers=numbers, seconds=seconds
            )
            conversation_process.check_outcome(conversation, written=measured["written"])
        sold = conversation_process.count_rows(
            database, "raffles_order WHERE status = 'PENDING_PAYMENT'"
        )
    _check_replies(measured["replies"].values(), sold=sold, numbers=numbers)
    results = Results("rush", options.database)
    results.add(
        "from the last buyer's first message to the last reply to anybody",
        measured["served_after"],
        "s",
        goal=SERVED_AFTER,
    )
    results.add("p50 of a reply", measured["p50_ms"], "ms")
    results.add("p99 of a reply", measured["p99_ms"], "ms")
    results.add("messages answered", measured["per_second"], "turns/s")
    results.add("buyers with a number", sold, "")
    results.add("buyers who were told that none is left", buyers - sold, "")
    return results.figures


def _check_replies(replies: Iterable[Sequence[str]], *, sold: int, numbers: int) -> None:
    """Check that all numbers are sold, and that everybody was told the outcome."""
    last = [each[-1] for each in replies]
    ordered = sum(bool(ORDERED.search(text)) for text in last)
    told = sum(bool(NONE_LEFT.search(text)) for text in last)
    if not ordered == sold == numbers or ordered + told != len(last):
        raise WrongResult(
            f"{numbers} numbers, {sold} sold; of {len(last)} buyers {ordered} were told that they "
            f"have one, {told} that none is left"
        )
