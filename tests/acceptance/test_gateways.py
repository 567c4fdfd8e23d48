"""Tests of two gateways on one database: every message is answered once and in order."""

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.contrib.auth.models import User

from deploy.child_processes import LOOPBACK_HOST, find_free_ports
from deploy.sandbox.client import BuyerClient
from shared.core.enums import OutboxStatus
from shared.staff_mail.models import StaffMailbox
from shared.whatsapp.models import AccountNotice, InboundMessage, OutboundMessage, UnreadableItem
from shared.whatsapp.services import alarms
from tests.acceptance.buyer_steps import hold_numbers, place_order, request_card, wait_for_message
from tests.acceptance.stack import (
    VERIFY_TOKEN,
    GatewayProcess,
    Stack,
    count_sends,
    is_everything_sent,
    load_messages_to,
    wait_while_messages_move,
)
from tests.unit.whatsapp import webhook_payloads
from tests.waiting import wait_until

COPIES = 25
CROWD = 20


class MailServer:
    """A mail server that keeps the addresses it is given."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.addresses.extend(envelope.rcpt_tos)
        return "250 OK"


@pytest.fixture(scope="module")
def mail_server(stack: Stack) -> Iterator[tuple[MailServer, int]]:
    """Run a mail server for this stack, which no other stack writes to; return it and its port."""
    received, [port] = MailServer(), find_free_ports(0)
    server = Controller(received, hostname=LOOPBACK_HOST, port=port)
    server.start()
    yield received, port
    server.stop()


@pytest.fixture
def two_gateways(
    stack: Stack, mail_server: tuple[MailServer, int]
) -> tuple[GatewayProcess, GatewayProcess]:
    """Return two running gateways; Meta's webhooks go to the second one.

    They start together when an alarm waits to be told to staff.
    """
    if not stack.gateways:
        User.objects.create_superuser("olga", "olga@example.com")
        alarms.sound_alarm("paused:1", title="Sending is paused", now=datetime.now(UTC))
    running = list_running_gateways(stack)
    started = [
        stack.start_gateway(
            EMAIL_HOST=LOOPBACK_HOST,
            EMAIL_PORT=str(mail_server[1]),
            EMAIL_USE_TLS="false",
            DEFAULT_FROM_EMAIL="Raffles <raffles@example.com>",
        )
        for _ in range(2 - len(running))
    ]
    for gateway in started:
        stack.wait_until_ready(gateway)
    first, second = [*running, *started]
    stack.sandbox.settings(webhook_url=second.webhook, window="off")
    return first, second


@pytest.fixture
def left_gateways(stack: Stack, request: pytest.FixtureRequest) -> list[GatewayProcess]:
    """Return the gateways that the tests above left running; start two if there never was one."""
    if not stack.gateways:
        request.getfixturevalue("two_gateways")
    return list_running_gateways(stack)


def list_running_gateways(stack: Stack) -> list[GatewayProcess]:
    return [gateway for gateway in stack.gateways if gateway.child.is_running]


def send_webhooks_to(stack: Stack, gateway: GatewayProcess) -> None:
    """Send Meta's webhooks to this gateway from now on."""
    stack.sandbox.settings(webhook_url=gateway.webhook)


def list_sent_texts(stack: Stack, buyer: BuyerClient) -> list[str]:
    """Return the texts sent to a buyer, in the order in which Meta accepted them."""
    bodies = [message["body"] for message in stack.sandbox.outgoing(to=buyer.wa_id)]
    return [
        body["text"]["body"] if body["type"] == "text" else body["interactive"]["body"]["text"]
        for body in bodies
    ]


@pytest.mark.usefixtures("two_gateways")
class TestTheDoor:
    def test_opens_to_metas_handshake_and_to_nobody_else(self, stack: Stack) -> None:
        assert stack.sandbox.verify(VERIFY_TOKEN)["verified"]
        assert stack.sandbox.verify("another word")["status"] == 403

    @pytest.mark.parametrize("header", ["", "sha256=", "sha256=" + "0" * 64, "sha1=" + "0" * 40])
    def test_stays_shut_for_a_wrong_signature(self, stack: Stack, header: str) -> None:
        body = webhook_payloads.encode_webhook(
            webhook_payloads.build_change(
                messages=[webhook_payloads.build_message(id="wamid.FORGED")]
            )
        )

        assert stack.post_webhook(body, header=header) == 401
        stack.wait_until_read()
        assert not InboundMessage.objects.filter(wa_message_id="wamid.FORGED").exists()

    def test_stays_shut_for_more_than_meta_ever_sends(self, stack: Stack) -> None:
        assert stack.post_webhook(b"x" * 4 * 1024 * 1024) == 413

    def test_keeps_what_is_signed_and_broken_byte_for_byte(self, stack: Stack) -> None:
        body = b'{"object": "whatsapp_business_account", "entry": [{\xff'

        assert stack.post_webhook(body) == 200
        stack.wait_until_read()
        assert body in [bytes(item.body) for item in UnreadableItem.objects.all()]

    def test_keeps_a_field_nobody_has_heard_of(self, stack: Stack) -> None:
        body = webhook_payloads.encode_webhook({"field": "moon_phase", "value": {"phase": "full"}})

        assert stack.post_webhook(body) == 200
        stack.wait_until_read()
        notice = AccountNotice.objects.get(field="moon_phase")
        assert notice.payload["value"] == {"phase": "full"}


@pytest.mark.usefixtures("two_gateways")
class TestABuyer:
    def test_whose_text_holds_a_nul_is_answered(self, stack: Stack) -> None:
        buyer = stack.buyer()

        buyer.says("h\0i")

        wait_for_message(buyer, "Summer Raffle")

    def test_who_hides_their_phone_is_answered_by_their_user_id(self, stack: Stack) -> None:
        buyer = stack.buyer(user_id="US.13491208655302741918", hide_phone=True)

        request_card(buyer)
        held = hold_numbers(buyer)
        place_order(buyer)

        bodies = [message["body"] for message in stack.sandbox.outgoing(to=buyer.wa_id)]
        assert len(held) == len(bodies) == 3
        assert {body["recipient"] for body in bodies} == {"US.13491208655302741918"}
        assert not any("to" in body for body in bodies)

    def test_whose_webhook_comes_fifty_times_is_answered_once(
        self, stack: Stack, two_gateways: tuple[GatewayProcess, GatewayProcess]
    ) -> None:
        buyer = stack.buyer()
        body = encode_text_webhook(buyer, "hi")

        with ThreadPoolExecutor(max_workers=COPIES) as posting:
            together = list(
                posting.map(
                    lambda n: stack.post_webhook(body, at=two_gateways[n % 2]), range(COPIES)
                )
            )
        one_after_another = [
            stack.post_webhook(body, at=two_gateways[n % 2]) for n in range(COPIES)
        ]

        assert {*together, *one_after_another} == {200}
        wait_for_message(buyer, "Summer Raffle")
        stack.wait_until_settled()
        assert InboundMessage.objects.filter(contact__wa_id=buyer.wa_id).count() == 1
        assert list(count_sends(stack, buyer).values()) == [1]

    def test_who_writes_twice_in_one_webhook_is_answered_in_order(self, stack: Stack) -> None:
        buyer, now = stack.buyer(), datetime.now(UTC)
        later, earlier = now.timestamp(), (now - timedelta(seconds=2)).timestamp()

        stack.sandbox.send_batch(
            [
                {"wa_id": buyer.wa_id, "text": "3 random", "timestamp": int(later)},
                {"wa_id": buyer.wa_id, "text": "menu", "timestamp": int(earlier)},
            ]
        )
        wait_for_message(buyer, "Held for you")

        first, second = list_sent_texts(stack, buyer)
        assert "Summer Raffle" in first
        assert "Held for you" in second

    def test_who_writes_in_pieces_gets_one_answer(self, stack: Stack) -> None:
        buyer = stack.buyer()

        stack.sandbox.send_batch(
            [
                {"wa_id": buyer.wa_id, "text": text}
                for text in ("hi", "i want tickets", "3", "random", "pls")
            ]
        )
        wait_for_message(buyer, "Held for you")

        stack.wait_until_settled()
        assert len(list_sent_texts(stack, buyer)) == 1

    def test_who_writes_to_two_gateways_at_once_is_answered_in_one_order(
        self, stack: Stack, two_gateways: tuple[GatewayProcess, GatewayProcess]
    ) -> None:
        buyer = stack.buyer()
        request_card(buyer)

        bodies = [encode_text_webhook(buyer, "HELP"), encode_text_webhook(buyer, "MENU")]
        with ThreadPoolExecutor(max_workers=2) as posting:
            statuses = posting.map(
                lambda n: stack.post_webhook(bodies[n], at=two_gateways[n]), range(2)
            )

        assert list(statuses) == [200, 200]
        wait_while_messages_move(
            lambda: len(load_messages_to(buyer)) == 3 and is_everything_sent(buyer)
        )
        queued = [str(message.callback_data) for message in load_messages_to(buyer)]
        assert list(count_sends(stack, buyer)) == queued
        assert set(count_sends(stack, buyer).values()) == {1}


class TestTwoGateways:
    def test_answer_a_crowd_once_each_though_one_of_them_stops_in_the_middle(
        self, stack: Stack, two_gateways: tuple[GatewayProcess, GatewayProcess]
    ) -> None:
        leaving, staying = two_gateways
        crowd = [stack.buyer() for _ in range(CROWD)]
        stack.sandbox.plan_fault("delay", seconds=0.2, times=CROWD)

        for place, buyer in enumerate(crowd):
            send_webhooks_to(stack, two_gateways[place % 2])
            buyer.says("hi")
            if place == CROWD // 2:
                leaving.child.popen.terminate()
        send_webhooks_to(stack, staying)
        assert leaving.stop_gracefully()

        for buyer in crowd:
            wait_for_message(buyer, "Summer Raffle")
        stack.wait_until_settled()
        assert [list(count_sends(stack, buyer).values()) for buyer in crowd] == [[1]] * CROWD
        assert stack.is_quiet()

    def test_are_not_needed_to_finish_what_one_began(
        self, stack: Stack, left_gateways: list[GatewayProcess]
    ) -> None:
        *others, stopping = left_gateways
        for other in others:
            other.stop_gracefully()
        crowd = [stack.buyer() for _ in range(5)]
        stack.sandbox.plan_fault("delay", seconds=1.5, times=len(crowd))
        for buyer in crowd:
            buyer.says("hi")
        sending = OutboundMessage.objects.filter(status=OutboxStatus.SENDING)
        wait_while_messages_move(lambda: sending.count() == len(crowd))

        assert stopping.stop_gracefully()

        assert all(is_everything_sent(buyer) for buyer in crowd)
        assert [list(count_sends(stack, buyer).values()) for buyer in crowd] == [[1]] * len(crowd)

    def test_that_start_together_send_staff_one_email(
        self, left_gateways: list[GatewayProcess], mail_server: tuple[MailServer, int]
    ) -> None:
        wait_until(lambda: StaffMailbox.objects.filter(sent_at__isnull=False).exists())
        assert all(gateway.stop_gracefully() for gateway in left_gateways)

        assert mail_server[0].addresses == ["olga@example.com"]


def encode_text_webhook(buyer: BuyerClient, text: str) -> bytes:
    """Return the webhook of a text that a buyer sends now."""
    name = base64.b64encode(f"{buyer.wa_id} {text}".encode()).decode()
    message = {
        "from": buyer.wa_id,
        "id": f"wamid.{name}",
        "timestamp": str(int(datetime.now(UTC).timestamp())),
        "type": "text",
        "text": {"body": text},
    }
    return webhook_payloads.encode_webhook(webhook_payloads.build_change(messages=[message]))
