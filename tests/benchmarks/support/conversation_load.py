"""Buyers and Meta's side of them: webhooks to a gateway, its replies, their statuses.

A message's time runs from the moment at which it was due, not from the moment at which it was
posted, so a late load does not hide a slow gateway.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from tests.benchmarks.support.gateway_process import read_cpu_seconds
from tests.benchmarks.support.http_pool import (
    GraphConnection,
    WebhookPool,
    encode_messages,
    encode_webhook,
)
from tests.benchmarks.support.stories import (
    Buyer,
    StoryStep,
    build_story,
    read_text,
)

SENT_AFTER: Final = 0.1
"""Seconds after which Meta reports that a message was sent."""
DELIVERED_AFTER: Final = 0.3
THINKING: Final = (1.0, 3.0)
"""Least and most seconds between a reply and the buyer's next message in an open loop."""
PATIENCE: Final = 180.0
"""Seconds in which everything that was sent must have been answered."""
RAMP_STEPS: Final = 8


@dataclass(slots=True)
class Tally:
    """What was answered in a window of time: the seconds each took, and the gateway's CPU time."""

    began: float
    latencies: list[float]
    cpu_began: float = 0.0
    cpu_ended: float = 0.0
    answered: int = 0


class ConversationLoad:
    """All buyers, the connections to one gateway, and Meta's side of its replies."""

    def __init__(self) -> None:
        self._buyers: dict[str, Buyer] = {}
        self._idle: deque[Buyer] = deque()
        """Buyers in the middle of a story for whom nothing is on the way."""
        self._waiting = 0
        self._serial = 0
        self._outgoing = 0
        self._last_answered = 0.0
        self._doubled = 0
        self._statuses = True
        self._answer_hook: Callable[[Buyer, float], None] = _ignore_answer
        self._others: set[str] = set()
        """Phone numbers that write without waiting for replies."""
        self._replies_to_others = 0
        self._pool: WebhookPool
        self._server: asyncio.Server

    async def serve_graph(self) -> int:
        """Start the Graph API and return its port."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: GraphConnection(self._accept_message), "127.0.0.1", 0
        )
        self._server = server
        return int(server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Close the Graph API and the connections to the gateway."""
        self._server.close()
        self._pool.close()

    async def connect(self, *, port: int, pid: int, prefix: str) -> dict[str, Any]:
        """Use a gateway.

        Args:
            port: its port.
            pid: its process.
            prefix: begins the phone numbers of the buyers, without which they would repeat.

        """
        self._pool = WebhookPool(port)
        self._port = port
        self._pid = pid
        self._prefix = prefix
        return {}

    async def count(self) -> dict[str, Any]:
        """Return the messages written by all buyers so far."""
        return {"written": sum(buyer.written for buyer in self._buyers.values())}

    async def ramp(self, *, buyers: int) -> dict[str, Any]:
        """Let buyers join until there are `buyers`, each at another step of its story."""
        newcomers = [self._join() for _ in range(buyers - len(self._idle))]
        left = {each.wa_id: each.serial % RAMP_STEPS for each in newcomers}

        def go_on(buyer: Buyer, _: float) -> None:
            left[buyer.wa_id] -= 1
            if left[buyer.wa_id] <= 0 or not self._write(buyer, due=time.perf_counter()):
                self._idle.append(buyer)

        self._answer_hook = go_on
        began = time.perf_counter()
        steps = 0
        for buyer in newcomers:
            steps += left[buyer.wa_id]
            if not (left[buyer.wa_id] and self._write(buyer, due=time.perf_counter())):
                self._idle.append(buyer)
        await self._settle()
        return {"per_second": steps / (time.perf_counter() - began)}

    async def run_closed(
        self, *, buyers: int, seconds: float, warm_up: float, statuses: bool = True
    ) -> dict[str, Any]:
        """Keep a number of messages on the way: each reply is followed by the next message.

        Buyers take turns, so that nobody writes the moment the reply is there unless everybody
        waits.

        Args:
            buyers: messages on the way at the same time.
            seconds: length of the measurement.
            warm_up: seconds before it.
            statuses: whether Meta reports statuses.

        """
        self._statuses = statuses
        now = time.perf_counter()
        tally = Tally(began=now + warm_up, latencies=[])
        end = tally.began + seconds

        def go_on(buyer: Buyer, took: float) -> None:
            moment = time.perf_counter()
            self._count(tally, took, now=moment, end=end)
            self._idle.append(buyer)
            if moment < end:
                self._write_next(due=moment)

        self._answer_hook = go_on
        for _ in range(buyers):
            self._write_next(due=now)
        await self._measure_window(tally, end=end)
        await self._settle()
        self._statuses = True
        return self._report(tally, seconds=seconds)

    async def run_open(
        self, *, rate: float, seconds: float, warm_up: float, seed: int
    ) -> dict[str, Any]:
        """Write messages at random moments, `rate` a second on average, whatever is answered.

        Args:
            rate: messages a second.
            seconds: length of the measurement.
            warm_up: seconds before it.
            seed: of the moments.

        """
        dice = random.Random(seed)
        began = time.perf_counter()
        tally = Tally(began=began + warm_up, latencies=[])
        end = tally.began + seconds
        loop = asyncio.get_running_loop()
        shift = loop.time() - began

        def go_on(buyer: Buyer, took: float) -> None:
            moment = time.perf_counter()
            if moment - took >= tally.began:
                tally.latencies.append(took)
            tally.answered += tally.began <= moment < end
            loop.call_later(dice.uniform(*THINKING), self._idle.append, buyer)

        self._answer_hook = go_on
        due = began
        while (due := due + dice.expovariate(rate)) < end:
            loop.call_at(due + shift, partial(self._write_next, due=due))
        await self._measure_window(tally, end=end)
        await self._settle()
        await asyncio.sleep(THINKING[1])  # until everybody is idle again
        return self._report(tally, seconds=seconds)

    def _report(self, tally: Tally, *, seconds: float) -> dict[str, Any]:
        times = sorted(tally.latencies)
        return {
            "per_second": tally.answered / seconds,
            "answered": tally.answered,
            "p50_ms": times[len(times) // 2] * 1000 if times else 0.0,
            "p99_ms": times[len(times) * 99 // 100] * 1000 if times else 0.0,
            "cpu_ms": (tally.cpu_ended - tally.cpu_began) * 1000 / max(1, tally.answered),
            "written": sum(buyer.written for buyer in self._buyers.values()),
            "doubled": self._doubled,
            "refused": self._pool.refused,
        }

    def _count(self, tally: Tally, took: float, *, now: float, end: float) -> None:
        if tally.began <= now < end:
            tally.answered += 1
            tally.latencies.append(took)

    async def _measure_window(self, tally: Tally, *, end: float) -> None:
        await asyncio.sleep(tally.began - time.perf_counter())
        tally.cpu_began = read_cpu_seconds(self._pid)
        await asyncio.sleep(end - time.perf_counter())
        tally.cpu_ended = read_cpu_seconds(self._pid)

    async def _settle(self) -> None:
        """Wait until every message is answered and every webhook accepted."""
        await self._wait_until(lambda: not (self._waiting or self._pool.pending))
        await asyncio.sleep(DELIVERED_AFTER + 0.1)
        await self._wait_until(lambda: not self._pool.pending)

    async def _wait_until(
        self, condition: Callable[[], bool], *, patience: float = PATIENCE
    ) -> None:
        """Return once `condition` holds.

        Raises:
            TimeoutError: it does not hold in time, so a message is lost or the gateway hangs.

        """
        until = time.perf_counter() + patience
        while not condition():
            if time.perf_counter() > until:
                lost = [each.wa_id for each in self._buyers.values() if each.scheduled is not None]
                raise TimeoutError(
                    f"not answered: {lost}; webhooks not accepted: {self._pool.pending}"
                )
            await asyncio.sleep(0.02)

    def _join(self, steps: Iterator[StoryStep] | None = None) -> Buyer:
        serial = self._serial
        self._serial += 1
        wa_id = f"{self._prefix}{serial:06}"
        buyer = Buyer(serial, wa_id, build_story(serial) if steps is None else steps)
        self._buyers[wa_id] = buyer
        return buyer

    def _write_next(self, *, due: float) -> None:
        """Let the buyer who waits longest write, or a new one."""
        while self._idle:
            if self._write(self._idle.popleft(), due=due):
                return
        self._write(self._join(), due=due)

    def _write(self, buyer: Buyer, *, due: float) -> bool:
        """Post the next message of a buyer's story; return whether there was one."""
        message = buyer.build_next_message(at=int(time.time()))
        if message is None:
            return False
        buyer.scheduled = due
        self._waiting += 1
        self._pool.post(encode_messages([message]))
        return True

    def _accept_message(self, body: dict[str, Any]) -> str:
        now = time.perf_counter()
        self._last_answered = now
        self._outgoing += 1
        wamid = f"wamid.out.{self._prefix}.{self._outgoing}"
        wa_id = body["to"].removeprefix("+")
        if self._statuses:
            self._report_statuses(wamid, body)
        if wa_id in self._others:
            self._replies_to_others += 1
            return wamid
        buyer = self._buyers.get(wa_id)
        if buyer is None or buyer.scheduled is None:
            self._doubled += 1
            return wamid
        took = now - buyer.scheduled
        buyer.scheduled = None
        buyer.read_reply(body)
        buyer.replies.append(read_text(body))
        self._waiting -= 1
        self._answer_hook(buyer, took)
        return wamid

    def _report_statuses(self, wamid: str, body: dict[str, Any]) -> None:
        loop = asyncio.get_running_loop()
        for after, name in ((SENT_AFTER, "sent"), (DELIVERED_AFTER, "delivered")):
            loop.call_later(after, self._post_status, wamid, name, body)

    def _post_status(self, wamid: str, name: str, body: dict[str, Any]) -> None:
        wa_id = body["to"].removeprefix("+")
        status = {
            "id": wamid,
            "status": name,
            "timestamp": str(int(time.time())),
            "recipient_id": wa_id,
            "recipient_user_id": f"US.{wa_id}",
            "biz_opaque_callback_data": body.get("biz_opaque_callback_data", ""),
            "pricing": {
                "billable": False,
                "pricing_model": "PMP",
                "type": "free_customer_service",
                "category": "service",
            },
        }
        self._pool.post(encode_webhook(statuses=[status]))


def _ignore_answer(buyer: Buyer, took: float) -> None:
    """Do nothing; nobody writes before a command says what follows a reply."""
