"""A gateway is killed between any two steps of a message's way; the next one goes on."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from random import randint

import pytest

from deploy.sandbox.client import Buyer
from shared.core.enums import OutboxStatus
from shared.raffles.models import Order
from shared.raffles.services import inventory
from shared.whatsapp.models import OutboundMessage
from shared.whatsapp.services import outbox
from tests.acceptance.buying import asks, hears, holds, pays, places
from tests.acceptance.house import House, all_sent, copies, sent_to, until

pytestmark = pytest.mark.acceptance

INBOUND = 'INSERT INTO "whatsapp_inboundmessage"'
LINKS = 'INSERT INTO "raffles_orderticket"'
OUTBOUND = 'INSERT INTO "whatsapp_outboundmessage"'
OUTBOX = 'UPDATE "whatsapp_outboundmessage"'
STATUS = 'INSERT INTO "whatsapp_deliverystatus"'
MORTAL = "tests.acceptance.doomed:app"

POINTS = {
    "webhook written": (INBOUND, "", "after"),
    "webhook committed, Meta not told": (INBOUND, "", "committed"),
    "numbers held": (LINKS, "", "after"),
    "answer written": (OUTBOUND, "", "after"),
    "answer committed": (OUTBOUND, "", "committed"),
    "answer claimed": (OUTBOX, "SENDING", "committed"),
    "answer sent": (OUTBOX, "SENT", "before"),
    "sending committed": (OUTBOX, "SENT", "committed"),
    "status committed": (STATUS, "", "committed"),
}
"""Statement, one of its values, and when the process dies: around every commit there is."""
LOST = "answer claimed"
"""Whoever finds this cannot know that nothing was sent, and has to wait for a status."""

KILLS = 8
BUYERS = 24


@pytest.fixture(scope="module")
def mortal(house: House) -> House:
    """Give a house whose gateway can be told when to die."""
    house.opens(app=MORTAL)
    return house


@pytest.fixture
def doomed(mortal: House) -> Iterator[House]:
    """Give the house, and leave it with a gateway that lives."""
    yield mortal
    if not mortal.gateway.child.running:
        revive(mortal)
    mortal.meta.settings(statuses=["sent", "delivered", "read"])


def doom(house: House, point: str) -> None:
    """Let the gateway die at this point."""
    statement, value, moment = POINTS[point]
    told = {"statement": statement, "value": value, "moment": moment}
    draft = house.folder / "doom.draft"
    draft.write_text(json.dumps(told))
    draft.replace(house.folder / "doom.json")


def revive(house: House) -> None:
    """Start the next gateway in the place of the dead one."""
    (house.folder / "doom.json").unlink(missing_ok=True)
    house.opens(app=MORTAL, port=house.gateway.port)


class TestAKill:
    @pytest.mark.parametrize("point", POINTS)
    def test_at_any_point_leaves_the_buyer_answered_exactly_once(
        self, doomed: House, point: str
    ) -> None:
        buyer = doomed.buyer()
        asks(buyer)
        doomed.settles()

        doom(doomed, point)
        buyer.says("3 random")
        assert doomed.gateway.dies()
        revive(doomed)
        doomed.settles()
        if point == LOST:
            doomed.lets_time_pass()
        hears(buyer, "Held for you")

        places(buyer)  # the conversation goes on
        doomed.settles()
        assert all_sent(buyer)
        assert list(copies(doomed, buyer).values()) == [1, 1, 1]
        assert doomed.meta.refused() == []
        assert inventory.check() == []

    def test_while_sending_without_ever_a_status_sends_that_one_message_again(
        self, doomed: House
    ) -> None:
        buyer = doomed.buyer()
        doomed.meta.settings(statuses=[])

        doom(doomed, "answer sent")
        buyer.says("hi")
        assert doomed.gateway.dies()
        revive(doomed)
        doomed.settles()
        assert list(copies(doomed, buyer).values()) == [1]
        doomed.lets_time_pass()
        until(lambda: all_sent(buyer))

        assert list(copies(doomed, buyer).values()) == [2]


class TestKillsAtRandom:
    def test_lose_nothing_and_double_only_what_was_under_way(self, doomed: House) -> None:
        crowd = [doomed.buyer() for _ in range(BUYERS)]
        under_way: set[str] = set()
        with ThreadPoolExecutor(max_workers=8) as phones:
            purchases = [phones.submit(buys, buyer) for buyer in crowd]
            for _ in range(KILLS):
                under_way |= kill_and_revive(doomed, after=randint(2, 8))
            codes = [purchase.result(timeout=60) for purchase in purchases]

        doomed.settles()
        until(doomed.is_quiet)
        taken = sum((copies(doomed, buyer) for buyer in crowd), Counter())
        assert {callback for callback, times in taken.items() if times > 1} <= under_way
        assert len(taken) == 3 * BUYERS  # held, to pay, under review
        assert inventory.check() == []
        orders = Order.objects.filter(code__in=codes, under_review_since__isnull=False)
        assert orders.count() == len(set(codes)) == BUYERS
        answered = [message.in_reply_to_id for buyer in crowd for message in sent_to(buyer)]
        assert len(answered) == len(set(answered)) == 3 * BUYERS


def buys(buyer: Buyer) -> str:
    """Buy three numbers and give the order's code."""
    holds(buyer)
    code = places(buyer)
    pays(buyer)
    return code


def kill_and_revive(house: House, *, after: int) -> set[str]:
    """Kill the gateway once Meta took so many more messages, and start another.

    Returns:
        What was under way, by what we gave along.

    """
    so_far = max(message["n"] for message in house.meta.outgoing())
    until(lambda: len(house.meta.outgoing(after=so_far, wait=1)) >= after)
    house.gateway.kill()
    outbox.sweep(now=datetime.now(UTC) + timedelta(minutes=3))  # nobody sends: all leases end
    lost = OutboundMessage.objects.filter(status=OutboxStatus.UNKNOWN)
    under_way = {str(callback) for callback in lost.values_list("callback_data", flat=True)}
    revive(house)
    # No status will come of what never reached Meta: its minute and a half go by at once.
    arrived = {message["body"]["biz_opaque_callback_data"] for message in house.meta.outgoing()}
    lost.filter(callback_data__in=under_way - arrived).update(next_attempt_at=datetime.now(UTC))
    outbox.sweep(now=datetime.now(UTC))
    return under_way
