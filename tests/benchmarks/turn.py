"""Benchmark of whole turns: a webhook comes in, a reply reaches the Graph API.

Buyers play stories against a real gateway: they greet, choose a raffle, take random or picked
numbers, confirm, ask for their tickets and for help, and write what nobody understands. Meta's side
accepts each reply at once and reports it as sent and as delivered, as Meta does, so each turn is
three webhooks and one request.

Compared in the same run, in interleaved rounds: the same gateway with one transaction per contact,
a trivial flow fused (`peers.fused`), and with `--against PATH` the gateway of another checkout.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from shared.core.config import PROJECT_ROOT
from tests.benchmarks.support import conversation_process, databases
from tests.benchmarks.support.conversation_process import Conversation
from tests.benchmarks.support.databases import Server
from tests.benchmarks.support.figures import Figure, Options, Results, at_least, at_most
from tests.benchmarks.support.rounds import compute_median, interleave
from tests.benchmarks.support.stories import NUMBERS

RAFFLES: Final = (NUMBERS, 5_000)
ROUNDS: Final = 3
SECONDS: Final = 5.0
ALONE_SECONDS: Final = 1.5
OPEN_SECONDS: Final = 8.0
RATES: Final = (10, 25, 50, 100, 200)
"""Messages a second in the open loop."""

MIN_ON_THE_WAY: Final = 32
MAX_ON_THE_WAY: Final = 256
"""Messages on the way in the closed loop: as many as are answered in a second, in these bounds."""

THINKING_SECONDS: Final = 2.5
"""So many buyers per message a second are in the middle of a story when an open loop begins, or
newcomers would say hello most of the time."""

SATURATED_BELOW: Final = 0.9
"""Share of the offered messages; a design that answers less is saturated, and no rate is higher."""

PRODUCT: Final = "the gateway"
AGAINST: Final = "the other checkout"
ONE_CONTACT: Final = "one transaction per contact"
FUSED: Final = "a trivial flow fused"

SATURATION: Final = at_least(8)
SATURATED_CPU: Final = at_most(7)
ALONE_CPU: Final = at_most(20)
GOAL_RATE: Final = 50
P50: Final = at_most(40)
P99: Final = at_most(150)

type Measured = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Design:
    """What is measured.

    Attributes:
        app: the ASGI application of the gateway.
        checkout: whose code runs.
        is_product: whether its database is one of the product.

    """

    app: str = "gateway.asgi:app"
    checkout: Path = PROJECT_ROOT
    is_product: bool = True


def run(options: Options) -> list[Figure]:
    """Measure all designs on one database.

    Raises:
        WrongResult: a message was lost or answered twice, or a number was sold twice.

    """
    designs = _list_designs(options)
    with run_designs(options, designs) as running:
        on_the_way = {name: _fill(each, options) for name, each in running.items()}
        rounds = 1 if options.quick else ROUNDS
        saturated = interleave(
            {
                name: partial(_saturate, each, buyers=on_the_way[name], options=options)
                for name, each in running.items()
            },
            rounds=rounds,
        )
        alone = interleave(
            {
                name: partial(_measure_alone, each, options=options)
                for name, each in running.items()
            },
            rounds=rounds,
        )
        unreported = {
            name: _saturate(
                running[name], 0, buyers=on_the_way[name], options=options, statuses=False
            )
            for name in running
        }
        opened = {
            name: _raise_rates(each, options, at_least_to=GOAL_RATE if name == PRODUCT else 0)
            for name, each in running.items()
            if name in {PRODUCT, AGAINST}
        }
        for name, each in running.items():
            if designs[name].is_product:
                written = each.load.command("count")["written"]
                conversation_process.check_outcome(each, written=written)
    results = Results("turn", options.database)
    _report_saturation(results, saturated)
    for name, measured in unreported.items():
        words = f"saturation without status webhooks: {name}"
        results.add(words, measured["per_second"], "turns/s")
    _report_cpu(results, saturated=saturated, alone=alone)
    _report_open(results, opened)
    return results.figures


def _list_designs(options: Options) -> dict[str, Design]:
    designs = {PRODUCT: Design()}
    if options.against is not None:
        designs[AGAINST] = Design(checkout=options.against.resolve())
    designs[ONE_CONTACT] = Design(app="tests.benchmarks.peers.one_contact:build_app()")
    designs[FUSED] = Design(app="tests.benchmarks.peers.fused:build_app()", is_product=False)
    return designs


@contextmanager
def run_designs(
    options: Options, designs: Mapping[str, Design]
) -> Iterator[dict[str, Conversation]]:
    """Start every design with a database of its own on one server."""
    with databases.run_server(options.database) as server, ExitStack() as stack:
        yield {
            name: stack.enter_context(_run_design(server, design, place=place))
            for place, (name, design) in enumerate(designs.items())
        }


@contextmanager
def _run_design(server: Server, design: Design, *, place: int) -> Iterator[Conversation]:
    database = server.create(f"design{place}")
    if design.is_product:
        conversation_process.prepare_database(database, numbers=RAFFLES, checkout=design.checkout)
    with conversation_process.run_conversation(
        database, prefix=f"1555{place}", app=design.app, checkout=design.checkout
    ) as conversation:
        yield conversation


def _fill(running: Conversation, options: Options) -> int:
    """Let buyers join; return how many messages are on the way when the queue is full."""
    load = running.load
    load.command("ramp", buyers=MIN_ON_THE_WAY)
    seconds = 1.0 if options.quick else 2.0
    first = load.command("run_closed", buyers=MIN_ON_THE_WAY, seconds=seconds, warm_up=0.5)
    buyers = max(MIN_ON_THE_WAY, min(MAX_ON_THE_WAY, int(first["per_second"])))
    load.command("ramp", buyers=buyers)
    return buyers


def _saturate(
    running: Conversation, _: int, *, buyers: int, options: Options, statuses: bool = True
) -> Measured:
    seconds = 1.0 if options.quick else SECONDS
    return running.load.command(
        "run_closed", buyers=buyers, seconds=seconds, warm_up=1.0, statuses=statuses
    )


def _measure_alone(running: Conversation, _: int, *, options: Options) -> Measured:
    seconds = 1.0 if options.quick else ALONE_SECONDS
    return running.load.command("run_closed", buyers=1, seconds=seconds, warm_up=0.5)


def _raise_rates(
    running: Conversation, options: Options, *, at_least_to: int
) -> dict[int, Measured]:
    """Measure one rate after the other until one above `at_least_to` is not answered in time."""
    measured: dict[int, Measured] = {}
    for rate in RATES:
        running.load.command("ramp", buyers=int(rate * THINKING_SECONDS))
        measured[rate] = running.load.command(
            "run_open",
            rate=rate,
            seconds=1.0 if options.quick else OPEN_SECONDS,
            warm_up=1.0,
            seed=rate,
        )
        if rate >= at_least_to and measured[rate]["per_second"] < SATURATED_BELOW * rate:
            break
    return measured


def _report_saturation(results: Results, saturated: Mapping[str, list[Measured]]) -> None:
    rates = {name: _median(rounds, "per_second") for name, rounds in saturated.items()}
    for name, rate in rates.items():
        if name == PRODUCT:
            results.add("saturation: the gateway", rate, "turns/s")
            continue
        results.add(f"saturation: {name}", rate, "turns/s")
        results.compare(
            "saturation",
            rates[PRODUCT],
            "turns/s",
            baseline=name,
            baseline_value=rate,
            goal=SATURATION if name == AGAINST else None,
        )


def _report_cpu(
    results: Results,
    *,
    saturated: Mapping[str, list[Measured]],
    alone: Mapping[str, list[Measured]],
) -> None:
    for name, rounds in saturated.items():
        is_product = name == PRODUCT
        results.add(
            f"CPU of a turn, saturated: {name}",
            _median(rounds, "cpu_ms"),
            "ms",
            goal=SATURATED_CPU if is_product else None,
        )
        results.add(
            f"CPU of a turn, alone: {name}",
            _median(alone[name], "cpu_ms"),
            "ms",
            goal=ALONE_CPU if is_product else None,
        )
        results.add(f"p50 of a turn, alone: {name}", _median(alone[name], "p50_ms"), "ms")


def _report_open(results: Results, opened: Mapping[str, Mapping[int, Measured]]) -> None:
    for name, rates in opened.items():
        for rate, measured in rates.items():
            judged = name == PRODUCT and rate == GOAL_RATE
            words = f"at {rate} a second: {name}"
            results.add(f"p50 {words}", measured["p50_ms"], "ms", goal=P50 if judged else None)
            results.add(f"p99 {words}", measured["p99_ms"], "ms", goal=P99 if judged else None)
            results.add(f"answered {words}", measured["per_second"], "turns/s")
            results.add(f"CPU of a turn {words}", measured["cpu_ms"], "ms")


def _median(rounds: list[Measured], key: str) -> float:
    return compute_median(rounds, itemgetter(key))
