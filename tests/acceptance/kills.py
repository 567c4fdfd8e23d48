"""Kills gateways at random moments while many buyers write: `python -m tests.acceptance.kills`.

Buyers play the stories of the benchmarks, some dozens of messages a second, whether the gateway
runs or not; Meta's side posts each webhook until it is accepted and reports statuses. Each gateway
is killed with SIGKILL a moment after it listens, and started again. Nothing else is done to the
database: leases expire by themselves, so the end takes some minutes.

It fails unless at the end every message has one answer, every answer was accepted by Meta, more
than once only if it was being sent at a kill, and no ticket number is lost or has two orders.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final, get_args, override

from django.db import connections
from django.db.models import Count

from deploy.child_processes import LOOPBACK_HOST, find_free_ports
from tests.benchmarks.support import conversation_process, databases, gateway_process
from tests.benchmarks.support.conversation_load import ConversationLoad
from tests.benchmarks.support.databases import Kind
from tests.benchmarks.support.gateway_process import GatewayProcess
from tests.benchmarks.support.stories import NUMBERS

DATABASES: Final[tuple[Kind, ...]] = get_args(Kind.__value__)
RAFFLES: Final = (NUMBERS, 5_000)
ALIVE: Final = (0.2, 3.0)
"""Least and most seconds between the moment at which a gateway listens and its kill."""
FARTHEST_POST: Final = 0.3
"""Seconds after a kill in which Meta's side has read what the gateway had sent."""
PATIENCE: Final = 900.0
"""Seconds after the last kill in which everything must be answered and sent."""
POLL: Final = 1.0


class WrongOutcome(Exception):
    """Something was lost or doubled; the message says what."""


class KillLoad(ConversationLoad):
    """Buyers who write at random moments, and Meta's side, which may get a message twice."""

    def __init__(self) -> None:
        """Create a load that is not connected."""
        super().__init__()
        self.sends: Counter[str] = Counter()
        """How often each message was accepted, by its callback data."""
        self.answered = 0
        self._answer_hook = self._go_on

    async def write_until(self, stop: asyncio.Event, *, rate: float) -> None:
        """Write `rate` messages a second on average until `stop` is set."""
        while not stop.is_set():
            await asyncio.sleep(random.expovariate(rate))
            self._write_next(due=time.perf_counter())

    @property
    def written(self) -> int:
        """Return how many messages the buyers wrote."""
        return sum(buyer.written for buyer in self._buyers.values())

    @property
    def is_settled(self) -> bool:
        """Return whether every message is answered and every webhook accepted."""
        return not (self._waiting or self._pool.pending)

    @property
    def doubled(self) -> int:
        """Return how many different answers came to buyers who had written nothing."""
        return self._doubled

    @override
    def _accept_message(self, body: dict[str, Any]) -> str:
        callback_data = body["biz_opaque_callback_data"]
        self.sends[callback_data] += 1
        if self.sends[callback_data] == 1:
            return super()._accept_message(body)
        wamid = f"wamid.copy.{callback_data}.{self.sends[callback_data]}"
        self._report_statuses(wamid, body)
        return wamid

    def _go_on(self, buyer: Any, _: float) -> None:
        self.answered += 1
        self._idle.append(buyer)


@dataclass(kw_only=True)
class KillRun:
    """Gateways that are killed and started again, of which the first one gets the webhooks.

    Attributes:
        environment: complete environment of the gateways.
        ports: port of each gateway.
        in_progress: the callback data of the messages that were being sent at some kill.

    """

    environment: dict[str, str]
    ports: list[int]
    gateways: list[tuple[GatewayProcess, ExitStack]] = field(default_factory=list)
    in_progress: set[str] = field(default_factory=set)

    def start(self) -> None:
        """Start all gateways."""
        self.gateways = [self._start_gateway(port) for port in self.ports]

    def kill(self, place: int) -> None:
        """Kill a gateway and remember which messages were being sent."""
        from shared.core.enums import OutboxStatus
        from shared.whatsapp.models import OutboundMessage

        gateway, _ = self.gateways[place]
        gateway.process.kill()
        gateway.process.wait()
        under_way = OutboundMessage.objects.filter(
            status__in=(OutboxStatus.SENDING, OutboxStatus.UNKNOWN)
        )
        self.in_progress |= {
            str(each) for each in under_way.values_list("callback_data", flat=True)
        }

    def restart(self, place: int) -> None:
        """Start a killed gateway again, on its port."""
        _, ending = self.gateways[place]
        ending.close()
        self.gateways[place] = self._start_gateway(self.ports[place])

    def stop(self) -> None:
        """Stop all gateways."""
        for _, ending in self.gateways:
            ending.close()

    def _start_gateway(self, port: int) -> tuple[GatewayProcess, ExitStack]:
        ending = ExitStack()
        running = gateway_process.run_gateway(self.environment, port=port)
        return ending.enter_context(running), ending


def main() -> int:
    """Run on each database and print the figures; return the exit status."""
    options = _build_parser().parse_args()
    print(f"seed {options.seed}", flush=True)
    random.seed(options.seed)
    for kind in [options.database] if options.database else DATABASES:
        with databases.create_database(kind, migrated=False) as address:
            conversation_process.prepare_database(address, numbers=RAFFLES)
            asyncio.run(_play(kind, address, options))
    return 0


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.acceptance.kills", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--database", choices=DATABASES, help="default: one after the other")
    parser.add_argument("--rate", type=float, default=40.0, help="messages a second")
    parser.add_argument("--gateways", type=int, default=1, help="gateways on the database")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    return parser


async def _play(kind: Kind, address: str, options: argparse.Namespace) -> None:
    load = KillLoad()
    graph_url = f"http://{LOOPBACK_HOST}:{await load.serve_graph()}"
    run = KillRun(
        environment=gateway_process.build_environment(address, graph_url=graph_url),
        ports=find_free_ports(*[0] * options.gateways),
    )
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as helper:

        async def call(function: Callable[..., Any], *arguments: Any) -> Any:
            return await loop.run_in_executor(helper, function, *arguments)

        try:
            await call(run.start)
            await load.connect(port=run.ports[0], pid=0, prefix="15551")
            began, stop = time.perf_counter(), asyncio.Event()
            writing = asyncio.create_task(load.write_until(stop, rate=options.rate))
            for _ in range(options.kills):
                await asyncio.sleep(random.uniform(*ALIVE))
                place = random.randrange(options.gateways)
                await call(run.kill, place)
                await asyncio.sleep(FARTHEST_POST)
                await call(run.restart, place)
            stop.set()
            await writing
            last_kill = time.perf_counter()
            await _wait_until_quiet(load, call)
            settled_after = time.perf_counter() - last_kill
            await call(_check_outcome, load, run)
        finally:
            await call(run.stop)
            await call(connections.close_all)
            load.close()
    copies = {callback: times for callback, times in load.sends.items() if times > 1}
    print(
        f"{kind}: {options.kills} kills, {options.gateways} gateway(s), in "
        f"{last_kill - began:.0f} s; {load.written} messages, all answered once "
        f"{settled_after:.0f} s later; {len(run.in_progress)} replies were being sent at a kill, "
        f"{len(copies)} of them were sent again; no number lost or with two orders",
        flush=True,
    )


async def _wait_until_quiet(load: KillLoad, call: Callable[..., Any]) -> None:
    """Wait until everything is answered, sent and reported.

    Raises:
        WrongOutcome: something is not, after `PATIENCE` seconds.

    """
    until = time.perf_counter() + PATIENCE
    while not (load.is_settled and await call(_is_database_quiet)):
        if time.perf_counter() > until:
            raise WrongOutcome(f"{load.written} messages, {load.answered} answered")
        await asyncio.sleep(POLL)


def _is_database_quiet() -> bool:
    from shared.core.enums import InboxStatus
    from shared.whatsapp.models import (
        DeliveryStatus,
        InboundMessage,
        OutboundMessage,
        ReceivedWebhook,
    )

    waiting = (
        ReceivedWebhook.objects,
        InboundMessage.objects.filter(status=InboxStatus.RECEIVED),
        OutboundMessage.objects.filter(status__in=OutboundMessage.UNSENT),
        DeliveryStatus.objects.filter(applied_at=None),
    )
    return not any(each.exists() for each in waiting)


def _check_outcome(load: KillLoad, run: KillRun) -> None:
    """Check that nothing was lost, and doubled only if it was being sent at a kill.

    Raises:
        WrongOutcome: something was.

    """
    from shared.core.enums import InboxStatus, OutboxStatus
    from shared.raffles.services.ticket_numbers import inventory
    from shared.whatsapp.models import InboundMessage, OutboundMessage, UnreadableItem

    written = load.written
    answers = InboundMessage.objects.filter(status=InboxStatus.PROCESSED).annotate(
        answers=Count("replies")
    )
    found = {
        "messages": InboundMessage.objects.count(),
        "messages answered once": answers.filter(answers=1).count(),
        "replies": OutboundMessage.objects.count(),
        "replies sent": OutboundMessage.objects.filter(status=OutboxStatus.SENT).count(),
        "replies that Meta accepted": len(load.sends),
        "replies that buyers saw": load.answered,
    }
    problems = [f"{what}: {count}" for what, count in found.items() if count != written]
    if doubled := {each for each, times in load.sends.items() if times > 1} - run.in_progress:
        problems.append(f"sent twice, but not being sent at a kill: {sorted(doubled)}")
    if load.doubled:
        problems.append(f"answers to nothing: {load.doubled}")
    if UnreadableItem.objects.exists():
        problems.append("webhooks that were given up")
    problems += [str(each) for each in inventory.find_inventory_problems()]
    if problems:
        raise WrongOutcome(f"buyers wrote {written} messages; " + "; ".join(problems))


if __name__ == "__main__":
    sys.exit(main())
