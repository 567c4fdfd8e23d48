"""Meta is away, slow to answer, refuses or says nothing: every message still arrives once."""

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
from tests.acceptance import tcp_proxy as lines
from tests.acceptance.buyer_steps import hold_numbers, place_order, send_receipt, wait_for_message
from tests.acceptance.stack import (
    Stack,
    count_sends,
    is_everything_sent,
    load_messages_to,
    wait_while_messages_move,
)
from tests.acceptance.tcp_proxy import TcpProxy
from tests.builders import build_staff_actor

CROWD = 5
LONGEST_WAIT = 60
"""Seconds the stand-in waits for a webhook to be accepted, which takes no time."""
ORDINARY = {"statuses": ["sent", "delivered", "read"], "window": "sync"}


@pytest.fixture(scope="module")
def line(house: Stack) -> Iterator[TcpProxy]:
    """Give the line to Meta, with a gateway at its end."""
    with lines.run_tcp_proxy(to=house.meta.url) as made:
        house.opens(META_GRAPH_URL=made.address)
        yield made


@pytest.fixture(autouse=True)
def fair_weather(house: Stack, line: TcpProxy) -> Iterator[None]:
    """Leave no trouble behind."""
    yield
    house.meta.clear_faults()
    house.meta.settings(**ORDINARY)
    waits_end()


def waits_end() -> None:
    """Let every pause that Meta asked for be over, as if its time had gone by."""
    now = datetime.now(UTC)
    waiting = OutboundMessage.objects.filter(status=OutboxStatus.QUEUED)
    waiting.filter(next_attempt_at__isnull=False).update(next_attempt_at=now)
    WhatsAppContact.objects.filter(send_after__isnull=False).update(send_after=now)
    BusinessNumber.objects.filter(send_after__isnull=False).update(send_after=now)
    BusinessNumber.objects.filter(probe_at__isnull=False).update(probe_at=now)


def until_without_waits(condition: Callable[[], Any]) -> Any:
    """Wait for a condition while no pause lasts: what is under way may still begin another one."""

    def is_met() -> Any:
        waits_end()
        return condition()

    return wait_while_messages_move(is_met)


def hears_at_last(buyer: BuyerClient, piece: str) -> None:
    """Let every pause be over until a buyer has a message that contains `piece`."""
    until_without_waits(lambda: any(piece in seen.text for seen in buyer.replies()))


def is_unsent(buyer: BuyerClient, status: OutboxStatus = OutboxStatus.QUEUED) -> bool:
    """Whether the newest message to a buyer has this status."""
    messages = load_messages_to(buyer)
    return bool(messages) and messages[-1].status == status


def refused(buyer: BuyerClient, *, code: int) -> OutboundMessage | None:
    """Give the newest message to a buyer once Meta has refused it with this code."""
    messages = load_messages_to(buyer)
    return messages[-1] if messages and messages[-1].error_code == code else None


class TestWhileMetaIsAway:
    @pytest.mark.parametrize("trouble", ["the line is cut", "every request is refused"])
    def test_what_buyers_write_is_answered_once_and_in_order_when_it_is_back(
        self, house: Stack, line: TcpProxy, trouble: str
    ) -> None:
        crowd = [house.buyer() for _ in range(CROWD)]
        if trouble == "the line is cut":
            line.cut()
        else:
            house.meta.plan_fault("down", operation="send")

        for word in ("hi", "HELP", "3 random"):
            for buyer in crowd:
                buyer.says(word, wait=LONGEST_WAIT)
        wait_while_messages_move(lambda: all(len(load_messages_to(buyer)) == 3 for buyer in crowd))
        assert not any(house.meta.outgoing(to=buyer.wa_id) for buyer in crowd)

        if trouble == "the line is cut":
            line.mend()
        house.meta.clear_faults()
        until_without_waits(lambda: all(map(is_everything_sent, crowd)))
        for buyer in crowd:
            wait_for_message(buyer, "Held for you")
            assert list(count_sends(house, buyer)) == [
                str(m.callback_data) for m in load_messages_to(buyer)
            ]
            assert set(count_sends(house, buyer).values()) == {1}


class TestADatabase:
    def test_that_hangs_up_or_lets_wait_in_the_middle_loses_and_doubles_nothing(
        self, house: Stack
    ) -> None:
        crowd = [house.buyer() for _ in range(CROWD)]
        house.meta.plan_fault("delay", seconds=0.3, times=CROWD)

        for buyer in crowd:
            buyer.says("hi")
            trouble_database(house)
        wait_while_messages_move(
            lambda: OutboundMessage.objects.filter(status=OutboxStatus.SENDING).exists()
        )
        trouble_database(house)  # before what is being sent can be recorded

        for buyer in crowd:
            wait_for_message(buyer, "Summer Raffle")
        house.settles()
        wait_while_messages_move(house.is_quiet)
        assert [list(count_sends(house, buyer).values()) for buyer in crowd] == [[1]] * CROWD


def trouble_database(house: Stack) -> None:
    """End every connection but ours; on SQLite, which has none, keep all others from writing."""
    if house.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
    else:
        with transaction.atomic():
            time.sleep(0.1)


class TestASend:
    def test_that_is_asked_to_slow_down_goes_out_later(self, house: Stack) -> None:
        buyer = house.buyer()
        house.meta.plan_fault("429", retry_after=60)

        buyer.says("hi")
        wait_while_messages_move(lambda: refused(buyer, code=4))
        assert BusinessNumber.objects.filter(send_after__gt=datetime.now(UTC)).exists()

        hears_at_last(buyer, "Summer Raffle")
        wait_while_messages_move(lambda: is_everything_sent(buyer))
        wait_while_messages_move(
            BusinessNumber.objects.filter(send_after=None, throttle_hits=0).exists
        )
        assert list(count_sends(house, buyer).values()) == [1]

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
        self, house: Stack, fault: dict[str, Any]
    ) -> None:
        buyer = house.buyer()
        house.meta.settings(statuses=[])
        house.meta.plan_fault(**fault)

        buyer.says("hi")
        buyer.waits_for("Summer Raffle", read=False)
        wait_while_messages_move(lambda: is_unsent(buyer, OutboxStatus.UNKNOWN))
        house.meta.settings(**ORDINARY)
        buyer.sees()  # read only now, which is the first that Meta tells of it

        wait_while_messages_move(lambda: is_everything_sent(buyer))
        assert list(count_sends(house, buyer).values()) == [1]

    @pytest.mark.parametrize("fault", ["500", "drop"])
    def test_that_never_arrived_is_sent_again_when_no_status_comes(
        self, house: Stack, fault: str
    ) -> None:
        buyer = house.buyer()
        house.meta.plan_fault(fault)

        buyer.says("hi")
        wait_while_messages_move(lambda: is_unsent(buyer, OutboxStatus.UNKNOWN))
        assert not house.meta.outgoing(to=buyer.wa_id)
        house.lets_time_pass()

        wait_for_message(buyer, "Summer Raffle")
        wait_while_messages_move(lambda: is_everything_sent(buyer))
        assert list(count_sends(house, buyer).values()) == [1]

    def test_to_a_buyer_who_gets_too_many_waits_and_no_other_buyer_does(self, house: Stack) -> None:
        often, seldom = house.buyer(), house.buyer()
        house.meta.plan_fault("error", code=131056, to=often.wa_id)

        often.says("hi")
        wait_while_messages_move(lambda: refused(often, code=131056))
        contact = WhatsAppContact.objects.get(wa_id=often.wa_id)
        assert contact.send_after is not None
        seldom.says("hi")
        wait_for_message(seldom, "Summer Raffle")

        hears_at_last(often, "Summer Raffle")
        assert list(count_sends(house, often).values()) == [1]

    def test_of_news_outside_the_window_waits_for_the_buyer_and_goes_first(
        self, house: Stack
    ) -> None:
        buyer = house.buyer()
        hold_numbers(buyer)
        code = place_order(buyer)
        send_receipt(buyer)
        house.meta.plan_fault("error", code=131047, to=buyer.wa_id)

        order = Order.objects.get(code=code)
        payments.confirm_payment(order.pk, by=build_staff_actor(), now=datetime.now(UTC))
        wait_while_messages_move(lambda: is_unsent(buyer, OutboxStatus.WITHHELD))
        buyer.says("MENU")

        first, second = buyer.waits_for(2)
        assert "Paid" in first.text
        assert "Summer Raffle" in second.text


class TestATokenThatExpired:
    def test_pauses_the_number_sounds_an_alarm_and_ends_with_the_probe_that_gets_through(
        self, house: Stack
    ) -> None:
        buyer, another = house.buyer(), house.buyer()
        house.meta.plan_fault("error", code=190, http=401, times=None)

        buyer.says("hi")
        wait_while_messages_move(lambda: refused(buyer, code=190))
        wait_while_messages_move(lambda: BusinessNumber.objects.filter(pause_code=190).exists())
        another.says("hi", wait=LONGEST_WAIT)
        wait_while_messages_move(lambda: is_unsent(another))
        [alarm] = Alarm.objects.filter(resolved_at=None, key__startswith="paused:")
        assert "token" in alarm.detail
        tries = len(house.meta.list_refused_requests())
        house.meta.clear_faults()

        hears_at_last(buyer, "Summer Raffle")
        hears_at_last(another, "Summer Raffle")
        assert len(house.meta.list_refused_requests()) == tries
        wait_while_messages_move(
            lambda: not BusinessNumber.objects.exclude(paused_at=None).exists()
        )
        wait_while_messages_move(
            lambda: not Alarm.objects.filter(resolved_at=None, pk=alarm.pk).exists()
        )
