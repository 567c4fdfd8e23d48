"""Tests of a gateway that is killed between any two steps of handling a message."""

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

LOST = "answer about to be sent"
"""After this crash nobody can know that nothing was sent; the next gateway waits for a status."""

KILLS = 3
BUYERS = 10


@pytest.fixture(scope="module")
def crash_controller(stack: Stack) -> CrashController:
    """Start a gateway that can be made to crash."""
    return CrashController.start(stack)


@pytest.fixture
def gateway(stack: Stack, crash_controller: CrashController) -> Iterator[CrashController]:
    """Return the gateway, and restart it at the end if it does not run."""
    yield crash_controller
    stack.sandbox.settings(statuses=["sent", "delivered", "read"])
    if not crash_controller.is_running:
        crash_controller.restart()


class TestAKill:
    @pytest.mark.parametrize("point", CRASH_POINTS)
    def test_at_any_point_leaves_the_buyer_answered_exactly_once(
        self, stack: Stack, gateway: CrashController, point: str
    ) -> None:
        buyer = stack.buyer()
        request_card(buyer)
        stack.wait_until_settled()

        gateway.crash_at(point)
        buyer.says("3 random")
        assert gateway.wait_for_crash()
        gateway.restart()
        stack.wait_until_settled()
        if point == LOST:
            stack.expire_leases()
        wait_for_message(buyer, "Held for you")

        place_order(buyer)  # the conversation continues
        stack.wait_until_settled()
        assert is_everything_sent(buyer)
        assert list(count_sends(stack, buyer).values()) == [1, 1, 1]
        assert stack.sandbox.list_refused_requests() == []
        assert inventory.find_inventory_problems() == []

    def test_while_sending_without_ever_a_status_sends_that_one_message_again(
        self, stack: Stack, gateway: CrashController
    ) -> None:
        buyer = stack.buyer()
        stack.sandbox.settings(statuses=[])

        gateway.crash_at("answer sent")
        buyer.says("hi")
        assert gateway.wait_for_crash()
        gateway.restart()
        stack.wait_until_settled()
        assert list(count_sends(stack, buyer).values()) == [1]
        stack.expire_leases()
        wait_while_messages_move(lambda: is_everything_sent(buyer))

        assert list(count_sends(stack, buyer).values()) == [2]


class TestKillsAtRandom:
    def test_lose_nothing_and_double_only_what_was_under_way(
        self, stack: Stack, gateway: CrashController
    ) -> None:
        crowd = [stack.buyer() for _ in range(BUYERS)]
        in_progress: set[str] = set()
        with ThreadPoolExecutor(max_workers=8) as phones:
            purchases = [phones.submit(buy_three_numbers, buyer) for buyer in crowd]
            for _ in range(KILLS):
                wait_for_sends(stack, randint(2, 8), unless=purchases)
                in_progress |= kill(gateway)
            codes = [purchase.result() for purchase in purchases]

        stack.wait_until_settled()
        wait_while_messages_move(stack.is_quiet)
        taken = sum((count_sends(stack, buyer) for buyer in crowd), Counter())
        assert {callback for callback, times in taken.items() if times > 1} <= in_progress
        assert len(taken) == 3 * BUYERS  # numbers held, payment due, under review
        assert inventory.find_inventory_problems() == []
        orders = Order.objects.filter(code__in=codes, under_review_since__isnull=False)
        assert orders.count() == len(set(codes)) == BUYERS
        answered = [
            message.in_reply_to_id for buyer in crowd for message in load_messages_to(buyer)
        ]
        assert len(answered) == len(set(answered)) == 3 * BUYERS
        fetching = PaymentProof.objects.filter(status=ProofStatus.FETCHING)
        # The process that fetched them may have been killed.
        fetching.update(fetch_at=datetime.now(UTC))
        wait_while_messages_move(lambda: not fetching.exists())
        kept = PaymentProof.objects.filter(order__in=orders, status=ProofStatus.KEPT)
        assert kept.count() == BUYERS


def buy_three_numbers(buyer: BuyerClient) -> str:
    """Buy three numbers and return the order's code."""
    hold_numbers(buyer)
    code = place_order(buyer)
    send_receipt(buyer)
    return code


def wait_for_sends(stack: Stack, number: int, *, unless: Sequence[Future[str]]) -> None:
    """Wait until Meta has accepted `number` more messages, or all purchases are done."""
    so_far = max((message["n"] for message in stack.sandbox.outgoing()), default=0)
    wait_while_messages_move(
        lambda: (
            len(stack.sandbox.outgoing(after=so_far, wait=1)) >= number
            or all(purchase.done() for purchase in unless)
        )
    )


def kill(gateway: CrashController) -> set[str]:
    """Kill the gateway and restart it.

    Returns:
        The callback data of the messages that were being sent.

    """
    stack = gateway.stack
    gateway.kill()
    # No gateway runs, so all leases expire.
    outbox_queue.settle_abandoned_sends(now=datetime.now(UTC) + timedelta(minutes=3))
    lost = OutboundMessage.objects.filter(status=OutboxStatus.UNKNOWN)
    in_progress = {str(callback) for callback in lost.values_list("callback_data", flat=True)}
    gateway.restart()
    # No status will arrive for a message that never reached Meta: skip the 90 seconds of waiting.
    arrived = {message["body"]["biz_opaque_callback_data"] for message in stack.sandbox.outgoing()}
    lost.filter(callback_data__in=in_progress - arrived).update(next_attempt_at=datetime.now(UTC))
    outbox_queue.settle_abandoned_sends(now=datetime.now(UTC))
    return in_progress
