"""Tests of outages: Meta is unreachable, slow, refuses or does not answer."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, transaction

from deploy.sandbox.client import BuyerClient
from shared.core.enums import OutboxStatus
from shared.raffles.models import Order
from shared.use_cases import payments
from shared.whatsapp.models import Alarm, BusinessNumber, OutboundMessage, WhatsAppContact
from tests.acceptance.buyer_steps import hold_numbers, place_order, send_receipt, wait_for_message
from tests.acceptance.stack import (
    Stack,
    count_sends,
    is_everything_sent,
    load_messages_to,
    wait_while_messages_move,
)
from tests.acceptance.tcp_proxy import TcpProxy, run_tcp_proxy
from tests.builders import build_staff_actor

CROWD = 5
LONGEST_WAIT = 60
"""Seconds that the sandbox waits for a webhook to be accepted; normally that is immediate."""
ORDINARY = {"statuses": ["sent", "delivered", "read"], "window": "sync"}


@pytest.fixture(scope="module")
def tcp_proxy(stack: Stack) -> Iterator[TcpProxy]:
    """Run a proxy to Meta, with a gateway that uses it."""
    with run_tcp_proxy(to=stack.sandbox.url) as proxy:
        stack.start_gateway_and_wait(META_GRAPH_URL=proxy.address)
        yield proxy


@pytest.fixture(autouse=True)
def clear_faults_after(stack: Stack, tcp_proxy: TcpProxy) -> Iterator[None]:
    """Remove all faults and pauses after each test."""
    yield
    stack.sandbox.clear_faults()
    stack.sandbox.settings(**ORDINARY)
    end_pauses()


def end_pauses() -> None:
    """End every pause that Meta asked for, as if its time had passed."""
    now = datetime.now(UTC)
    waiting = OutboundMessage.objects.filter(status=OutboxStatus.QUEUED)
    waiting.filter(next_attempt_at__isnull=False).update(next_attempt_at=now)
    WhatsAppContact.objects.filter(send_after__isnull=False).update(send_after=now)
    BusinessNumber.objects.filter(send_after__isnull=False).update(send_after=now)
    BusinessNumber.objects.filter(probe_at__isnull=False).update(probe_at=now)


def wait_without_pauses(condition: Callable[[], Any]) -> Any:
    """Wait for a condition, ending pauses again and again: running sends may begin new ones."""

    def is_met() -> Any:
        end_pauses()
        return condition()

    return wait_while_messages_move(is_met)


def wait_for_delivery(buyer: BuyerClient, piece: str) -> None:
    """End pauses until a buyer has received a message that contains `piece`."""
    wait_without_pauses(lambda: any(piece in seen.text for seen in buyer.replies()))


def has_newest_status(buyer: BuyerClient, status: OutboxStatus = OutboxStatus.QUEUED) -> bool:
    """Return whether the newest message to a buyer has this status."""
    messages = load_messages_to(buyer)
    return bool(messages) and messages[-1].status == status


def find_refused_message(buyer: BuyerClient, *, code: int) -> OutboundMessage | None:
    """Return the newest message to a buyer if Meta has refused it with this code."""
    messages = load_messages_to(buyer)
    return messages[-1] if messages and messages[-1].error_code == code else None


class TestWhileMetaIsAway:
    @pytest.mark.parametrize("trouble", ["the line is cut", "every request is refused"])
    def test_what_buyers_write_is_answered_once_and_in_order_when_it_is_back(
        self, stack: Stack, tcp_proxy: TcpProxy, trouble: str
    ) -> None:
        crowd = [stack.buyer() for _ in range(CROWD)]
        if trouble == "the line is cut":
            tcp_proxy.disconnect()
        else:
            stack.sandbox.plan_fault("down", operation="send")

        for word in ("hi", "HELP", "3 random"):
            for buyer in crowd:
                buyer.says(word, wait=LONGEST_WAIT)
        wait_while_messages_move(lambda: all(len(load_messages_to(buyer)) == 3 for buyer in crowd))
        assert not any(stack.sandbox.outgoing(to=buyer.wa_id) for buyer in crowd)

        if trouble == "the line is cut":
            tcp_proxy.reconnect()
        stack.sandbox.clear_faults()
        wait_without_pauses(lambda: all(map(is_everything_sent, crowd)))
        for buyer in crowd:
            wait_for_message(buyer, "Held for you")
            assert list(count_sends(stack, buyer)) == [
                str(m.callback_data) for m in load_messages_to(buyer)
            ]
            assert set(count_sends(stack, buyer).values()) == {1}


class TestADatabase:
    def test_that_hangs_up_or_lets_wait_in_the_middle_loses_and_doubles_nothing(
        self, stack: Stack
    ) -> None:
        crowd = [stack.buyer() for _ in range(CROWD)]
        stack.sandbox.plan_fault("delay", seconds=0.3, times=CROWD)

        for buyer in crowd:
            buyer.says("hi")
            trouble_database(stack)
        wait_while_messages_move(
            lambda: OutboundMessage.objects.filter(status=OutboxStatus.SENDING).exists()
        )
        trouble_database(stack)  # before the sends can be recorded

        for buyer in crowd:
            wait_for_message(buyer, "Summer Raffle")
        stack.wait_until_settled()
        wait_while_messages_move(stack.is_quiet)
        assert [list(count_sends(stack, buyer).values()) for buyer in crowd] == [[1]] * CROWD


def trouble_database(stack: Stack) -> None:
    """Close all other connections; on SQLite, which has none, block all other writers."""
    if stack.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
    else:
        with transaction.atomic():
            time.sleep(0.1)


class TestASend:
    def test_that_is_asked_to_slow_down_goes_out_later(self, stack: Stack) -> None:
        buyer = stack.buyer()
        stack.sandbox.plan_fault("429", retry_after=60)

        buyer.says("hi")
        wait_while_messages_move(lambda: find_refused_message(buyer, code=4))
        assert BusinessNumber.objects.filter(send_after__gt=datetime.now(UTC)).exists()

        wait_for_delivery(buyer, "Summer Raffle")
        wait_while_messages_move(lambda: is_everything_sent(buyer))
        wait_while_messages_move(
            BusinessNumber.objects.filter(send_after=None, throttle_hits=0).exists
        )
        assert list(count_sends(stack, buyer).values()) == [1]

    @pytest.mark.parametrize(
        "fault",
        [
            {"kind": "500_after_accepting"},
            {"kind": "garbled"},
            {"kind": "drop", "delivers": True},
        ],
        ids=lambda fault: str(fault["kind"]),
    )
    def test_that_arrived_without_an_answer_is_settled_by_its_status(
        self, stack: Stack, fault: dict[str, Any]
    ) -> None:
        buyer = stack.buyer()
        stack.sandbox.settings(statuses=[])
        stack.sandbox.plan_fault(**fault)

        buyer.says("hi")
        buyer.waits_for("Summer Raffle", read=False)
        wait_while_messages_move(lambda: has_newest_status(buyer, OutboxStatus.UNKNOWN))
        stack.sandbox.settings(**ORDINARY)
        buyer.sees()  # the message is read only now; this is the first status that Meta sends

        wait_while_messages_move(lambda: is_everything_sent(buyer))
        assert list(count_sends(stack, buyer).values()) == [1]

    @pytest.mark.parametrize("fault", ["500", "drop"])
    def test_that_never_arrived_is_sent_again_when_no_status_comes(
        self, stack: Stack, fault: str
    ) -> None:
        buyer = stack.buyer()
        stack.sandbox.plan_fault(fault)

        buyer.says("hi")
        wait_while_messages_move(lambda: has_newest_status(buyer, OutboxStatus.UNKNOWN))
        assert not stack.sandbox.outgoing(to=buyer.wa_id)
        stack.expire_leases()

        wait_for_message(buyer, "Summer Raffle")
        wait_while_messages_move(lambda: is_everything_sent(buyer))
        assert list(count_sends(stack, buyer).values()) == [1]

    def test_to_a_buyer_who_gets_too_many_waits_and_no_other_buyer_does(self, stack: Stack) -> None:
        often, seldom = stack.buyer(), stack.buyer()
        stack.sandbox.plan_fault("error", code=131056, to=often.wa_id)

        often.says("hi")
        wait_while_messages_move(lambda: find_refused_message(often, code=131056))
        contact = WhatsAppContact.objects.get(wa_id=often.wa_id)
        assert contact.send_after is not None
        seldom.says("hi")
        wait_for_message(seldom, "Summer Raffle")

        wait_for_delivery(often, "Summer Raffle")
        assert list(count_sends(stack, often).values()) == [1]

    def test_of_news_outside_the_window_waits_for_the_buyer_and_goes_first(
        self, stack: Stack
    ) -> None:
        buyer = stack.buyer()
        hold_numbers(buyer)
        code = place_order(buyer)
        send_receipt(buyer)
        stack.sandbox.plan_fault("error", code=131047, to=buyer.wa_id)

        order = Order.objects.get(code=code)
        payments.confirm_payment(order.pk, by=build_staff_actor(), now=datetime.now(UTC))
        wait_while_messages_move(lambda: has_newest_status(buyer, OutboxStatus.WITHHELD))
        buyer.says("MENU")

        first, second = buyer.waits_for(2)
        assert "Paid" in first.text
        assert "Summer Raffle" in second.text


class TestATokenThatExpired:
    def test_pauses_the_number_sounds_an_alarm_and_ends_with_the_probe_that_gets_through(
        self, stack: Stack
    ) -> None:
        buyer, another = stack.buyer(), stack.buyer()
        stack.sandbox.plan_fault("error", code=190, http=401, times=None)

        buyer.says("hi")
        wait_while_messages_move(lambda: find_refused_message(buyer, code=190))
        wait_while_messages_move(lambda: BusinessNumber.objects.filter(pause_code=190).exists())
        another.says("hi", wait=LONGEST_WAIT)
        wait_while_messages_move(lambda: has_newest_status(another))
        [alarm] = Alarm.objects.filter(resolved_at=None, key__startswith="paused:")
        assert "token" in alarm.detail
        tries = len(stack.sandbox.list_refused_requests())
        stack.sandbox.clear_faults()

        wait_for_delivery(buyer, "Summer Raffle")
        wait_for_delivery(another, "Summer Raffle")
        assert len(stack.sandbox.list_refused_requests()) == tries
        wait_while_messages_move(
            lambda: not BusinessNumber.objects.exclude(paused_at=None).exists()
        )
        wait_while_messages_move(
            lambda: not Alarm.objects.filter(resolved_at=None, pk=alarm.pk).exists()
        )
