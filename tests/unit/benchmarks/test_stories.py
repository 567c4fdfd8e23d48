"""Tests of the buyers that benchmarks play, and of what the load notices about their replies."""

import asyncio
import os
from typing import Any

import orjson
import pytest

from tests.benchmarks.support import http_pool
from tests.benchmarks.support.conversation_load import ConversationLoad
from tests.benchmarks.support.stories import Buyer, build_story, read_text

BUTTONS = {
    "type": "interactive",
    "interactive": {
        "type": "button",
        "body": {"text": "Held for you"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": "r1:confirm:7", "title": "Yes"}}]},
    },
}


def test_a_buyer_taps_what_the_last_reply_offers_and_leaves_out_what_it_does_not() -> None:
    steps = iter([("says", "hi"), ("taps", "r1:pay:"), ("taps", "r1:confirm:"), ("taps", "r1:")])
    buyer = Buyer(3, "15550000003", steps)

    first = buyer.build_next_message(at=1)
    buyer.read_reply(BUTTONS)
    second = buyer.build_next_message(at=2)
    buyer.read_reply({"type": "text", "text": {"body": "Order"}})

    assert first is not None
    assert second is not None
    assert first["text"] == {"body": "hi"}
    assert second["interactive"]["button_reply"] == {"id": "r1:confirm:7", "title": "Yes"}
    assert first["id"] != second["id"]
    assert buyer.build_next_message(at=3) is None
    assert read_text(BUTTONS) == "Held for you"


def test_stories_differ_and_are_the_same_in_every_run() -> None:
    stories = [tuple(build_story(serial)) for serial in range(40)]

    assert stories == [tuple(build_story(serial)) for serial in range(40)]
    assert len(set(stories)) > 10


class _Gateway(asyncio.Protocol):
    """Accepts every webhook, and answers each message as often as told."""

    def __init__(self, graph: asyncio.Transport, *, replies: int) -> None:
        self._graph = graph
        self._replies = replies

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")  # type: ignore[attr-defined]
        [change] = orjson.loads(data.partition(http_pool.HEAD_END)[2])["entry"][0]["changes"]
        for message in change["value"].get("messages", ()):
            reply = orjson.dumps(BUTTONS | {"to": "+" + message["from"]})
            request = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(reply), reply)
            asyncio.get_running_loop().call_later(0.02, self._graph.write, request * self._replies)


@pytest.mark.parametrize("replies", [1, 2])
async def test_every_reply_is_counted_and_a_second_one_is_noticed(replies: int) -> None:
    load, loop = ConversationLoad(), asyncio.get_running_loop()
    graph, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", await load.serve_graph())
    server = await loop.create_server(lambda: _Gateway(graph, replies=replies), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    await load.connect(port=port, pid=os.getpid(), prefix="15550")

    async with asyncio.timeout(20):
        measured: dict[str, Any] = await load.run_closed(buyers=3, seconds=0.1, warm_up=0)
    load.close()
    graph.close()
    server.close()
    await asyncio.sleep(0.05)  # until the transports are closed

    answered_late = 3
    assert 0 < measured["answered"] <= measured["written"] <= measured["answered"] + answered_late
    assert bool(measured["doubled"]) == (replies == 2)
    assert measured["refused"] == 0
