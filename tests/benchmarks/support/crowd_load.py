"""Loads of many buyers at once: a rush, a flood by one buyer, webhooks at full speed."""

import asyncio
import random
import time
from typing import Any, Final

from tests.benchmarks.support.conversation_load import ConversationLoad, Tally
from tests.benchmarks.support.gateway_process import read_cpu_seconds
from tests.benchmarks.support.http_pool import WebhookPool, encode_messages
from tests.benchmarks.support.stories import (
    PURCHASE_STEPS,
    Buyer,
    build_purchase,
    build_rush_story,
)

RUSH_PATIENCE: Final = 600.0
"""Seconds after the last arrival in which everybody must have been served."""
RUSH_PAUSE: Final = 1.0
"""Seconds between a reply and the buyer's next message in a rush."""
FLOOD_AHEAD: Final = 0.3
"""Seconds between the texts of a flood and the first message of another buyer."""
OTHERS_TEXTS: Final = ("hi", "my tickets", "help", "menu", "what a lovely day it is")
"""What each sender of `run_flood` writes, one text after the other."""
TEXTS_PER_SENDER: Final = len(OTHERS_TEXTS)


class CrowdLoad(ConversationLoad):
    """The commands for crowds."""

    async def run_rush(self, *, buyers: int, numbers: int, seconds: float) -> dict[str, Any]:
        """Let new buyers come within some seconds, each going on a second after each reply.

        Args:
            buyers: how many come.
            numbers: how many numbers the raffle has.
            seconds: in which they come.

        Returns:
            Also under `served_after`, the seconds from the last buyer's first message to the last
            reply to anybody, and under `replies` the texts that each buyer got.

        """
        dice = random.Random(buyers)
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        tally = Tally(began=began, latencies=[], cpu_began=read_cpu_seconds(self._pid))
        playing: set[str] = set()

        def go_on(buyer: Buyer, took: float) -> None:
            tally.latencies.append(took)
            tally.answered += 1
            loop.call_later(RUSH_PAUSE, write, buyer)

        def write(buyer: Buyer) -> None:
            if not self._write(buyer, due=time.perf_counter()):
                playing.remove(buyer.wa_id)

        self._answer_hook = go_on
        arrivals = [dice.uniform(0, seconds) for _ in range(buyers)]
        for serial, moment in enumerate(arrivals):
            buyer = self._join(steps=build_rush_story(serial, numbers=numbers))
            playing.add(buyer.wa_id)
            loop.call_later(moment, write, buyer)
        await self._wait_until(lambda: not playing, patience=seconds + RUSH_PATIENCE)
        tally.cpu_ended = read_cpu_seconds(self._pid)
        report = self._report(tally, seconds=self._last_answered - began)
        report["served_after"] = self._last_answered - began - max(arrivals)
        report["replies"] = {each.wa_id: each.replies for each in self._buyers.values()}
        await self._settle()
        return report

    async def run_purchase(self, *, flood: int) -> dict[str, Any]:
        """Let one buyer buy, while another one sends `flood` texts in one webhook.

        Returns:
            Under `seconds`, how long each answer took.

        """
        flooder = self._join(steps=iter(()))
        self._others.add(flooder.wa_id)
        if flood:
            texts = [
                flooder.write_text(f"hello number {number}", at=int(time.time()))
                for number in range(flood)
            ]
            self._pool.post(encode_messages(texts))
            await asyncio.sleep(FLOOD_AHEAD)
        took: list[float] = []

        def go_on(buyer: Buyer, seconds: float) -> None:
            took.append(seconds)
            self._write(buyer, due=time.perf_counter())

        self._answer_hook = go_on
        self._write(self._join(steps=build_purchase()), due=time.perf_counter())
        await self._wait_until(lambda: len(took) == PURCHASE_STEPS)
        return {"seconds": took}

    async def run_flood(
        self, *, connections: int, seconds: float, warm_up: float
    ) -> dict[str, Any]:
        """Post texts as fast as they are accepted, each connection one after the other.

        Nobody waits for the replies, which are counted. What was not answered at the end stays in
        the database, so the gateway is of no further use.

        Args:
            connections: connections, each with one webhook on the way.
            seconds: length of the measurement.
            warm_up: seconds before it.

        """
        pool = WebhookPool(self._port)
        tally = Tally(began=time.perf_counter() + warm_up, latencies=[])
        end = tally.began + seconds

        def post_next() -> None:
            if time.perf_counter() < end:
                pool.post(encode_messages([self._write_as_other(pool.posted)]))

        pool.released = post_next
        for _ in range(connections):
            post_next()
        await asyncio.sleep(warm_up)
        accepted, replies = pool.accepted, self._replies_to_others
        await self._measure_window(tally, end=end)
        accepted, replies = pool.accepted - accepted, self._replies_to_others - replies
        self._statuses = False  # of the replies to what is left; the gateway is about to end
        await self._wait_until(lambda: not pool.pending)
        await self._settle()
        return {
            "accepted_per_second": accepted / seconds,
            "answered_per_second": replies / seconds,
            "cpu_ms": (tally.cpu_ended - tally.cpu_began) * 1000 / max(1, accepted),
            "accepted": pool.accepted,
            "refused": pool.refused,
        }

    def _write_as_other(self, serial: int) -> dict[str, Any]:
        """Return a text of one of many senders, each of whom writes too little for a flood."""
        other = Buyer(serial, f"{self._prefix}9{serial // TEXTS_PER_SENDER:05}", iter(()))
        self._others.add(other.wa_id)
        other.written = serial % TEXTS_PER_SENDER
        return other.write_text(OTHERS_TEXTS[other.written], at=int(time.time()))
