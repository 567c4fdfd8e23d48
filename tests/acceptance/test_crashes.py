"""A gateway is killed between any two steps of a message's way; the next one goes on."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from random import randint

import pytest

from deploy.sandbox.client import BuyerClient
from shared.core.enums import OutboxStatus, ProofStatus
from shared.raffles.models import Order, PaymentProof
from shared.raffles.services.ticket_numbers import inventory
from shared.whatsapp.models import OutboundMessage
from shared.whatsapp.services.outbox import outbox_queue
from tests.acceptance.buyer_steps import (
    hold_numbers,
    place_order,
    request_card,
    send_receipt,
    wait_for_message,
)
from tests.acceptance.crash_controller import CRASH_POINTS, CrashController
from tests.acceptance.stack import (
    Stack,
    count_sends,
    is_everything_sent,
    load_messages_to,
    wait_while_messages_move,
)

LOST = "answer claimed"
"""Whoever finds this cannot know that nothing was sent, and has to wait for a status."""

KILLS = 6
BUYERS = 15


@pytest.fixture(scope="module")
def mortal(house: Stack) -> CrashController:
    """Give a gateway that can be told when to die."""
    return CrashController.begin(house)


@pytest.fixture
def gateway(house: Stack, mortal: CrashController) -> Iterator[CrashController]:
    """Give it alive, and leave it so."""
    yield mortal
    house.meta.settings(statuses=["sent", "delivered", "read"])
    if not mortal.lives:
        mortal.again()


class TestAKill:
    @pytest.mark.parametrize("point", CRASH_POINTS)
    def test_at_any_point_leaves_the_buyer_answered_exactly_once(
        self, house: Stack, gateway: CrashController, point: str
    ) -> None:
        buyer = house.buyer()
        request_card(buyer)
        house.settles()

        gateway.dies_at(point)
        buyer.says("3 random")
        assert gateway.is_over()
        gateway.again()
        house.settles()
        if point == LOST:
            house.lets_time_pass()
        wait_for_message(buyer, "Held for you")

        place_order(buyer)  # the conversation goes on
        house.settles()
        assert is_everything_sent(buyer)
        assert list(count_sends(house, buyer).values()) == [1, 1, 1]
        assert house.meta.list_refused_requests() == []
        assert inventory.find_inventory_problems() == []

    def test_while_sending_without_ever_a_status_sends_that_one_message_again(
        self, house: Stack, gateway: CrashController
    ) -> None:
        buyer = house.buyer()
        house.meta.settings(statuses=[])

        gateway.dies_at("answer sent")
        buyer.says("hi")
        assert gateway.is_over()
        gateway.again()
        house.settles()
        assert list(count_sends(house, buyer).values()) == [1]
        house.lets_time_pass()
        wait_while_messages_move(lambda: is_everything_sent(buyer))

        assert list(count_sends(house, buyer).values()) == [2]


class TestKillsAtRandom:
    def test_lose_nothing_and_double_only_what_was_under_way(
        self, house: Stack, gateway: CrashController
    ) -> None:
        crowd = [house.buyer() for _ in range(BUYERS)]
        under_way: set[str] = set()
        with ThreadPoolExecutor(max_workers=8) as phones:
            purchases = [phones.submit(buys, buyer) for buyer in crowd]
            for _ in range(KILLS):
                wait_for_sends(house, randint(2, 8), unless=purchases)
                under_way |= kill(gateway)
            codes = [purchase.result() for purchase in purchases]

        house.settles()
        wait_while_messages_move(house.is_quiet)
        taken = sum((count_sends(house, buyer) for buyer in crowd), Counter())
        assert {callback for callback, times in taken.items() if times > 1} <= under_way
        assert len(taken) == 3 * BUYERS  # held, to pay, under review
        assert inventory.find_inventory_problems() == []
        orders = Order.objects.filter(code__in=codes, under_review_since__isnull=False)
        assert orders.count() == len(set(codes)) == BUYERS
        answered = [
            message.in_reply_to_id for buyer in crowd for message in load_messages_to(buyer)
        ]
        assert len(answered) == len(set(answered)) == 3 * BUYERS
        fetching = PaymentProof.objects.filter(status=ProofStatus.FETCHING)
        fetching.update(fetch_at=datetime.now(UTC))  # whoever fetched them may be dead
        wait_while_messages_move(lambda: not fetching.exists())
        kept = PaymentProof.objects.filter(order__in=orders, status=ProofStatus.KEPT)
        assert kept.count() == BUYERS


def buys(buyer: BuyerClient) -> str:
    """Buy three numbers and give the order's code."""
    hold_numbers(buyer)
    code = place_order(buyer)
    send_receipt(buyer)
    return code


def wait_for_sends(house: Stack, number: int, *, unless: Sequence[Future[str]]) -> None:
    """Wait until Meta took so many more messages, or everybody has bought."""
    so_far = max((message["n"] for message in house.meta.outgoing()), default=0)
    wait_while_messages_move(
        lambda: (
            len(house.meta.outgoing(after=so_far, wait=1)) >= number
            or all(purchase.done() for purchase in unless)
        )
    )


def kill(gateway: CrashController) -> set[str]:
    """Kill the gateway and start another.

    Returns:
        What was under way, by what we gave along.

    """
    house = gateway.house
    gateway.kill()
    outbox_queue.settle_abandoned_sends(
        now=datetime.now(UTC) + timedelta(minutes=3)
    )  # nobody sends: all leases end
    lost = OutboundMessage.objects.filter(status=OutboxStatus.UNKNOWN)
    under_way = {str(callback) for callback in lost.values_list("callback_data", flat=True)}
    gateway.again()
    # No status will come of what never reached Meta: its minute and a half go by at once.
    arrived = {message["body"]["biz_opaque_callback_data"] for message in house.meta.outgoing()}
    lost.filter(callback_data__in=under_way - arrived).update(next_attempt_at=datetime.now(UTC))
    outbox_queue.settle_abandoned_sends(now=datetime.now(UTC))
    return under_way
