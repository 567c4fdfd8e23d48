"""Two gateways on one database: what Meta posts, however often, is answered once and in order."""

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from deploy.sandbox.client import BuyerClient
from shared.core.enums import OutboxStatus
from shared.whatsapp.models import AccountNotice, InboundMessage, OutboundMessage, UnreadableItem
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

COPIES = 25
CROWD = 20


@pytest.fixture
def pair(house: Stack) -> tuple[GatewayProcess, GatewayProcess]:
    """Give two gateways that run; Meta knocks at the second one."""
    running = [gateway for gateway in house.gateways if gateway.child.is_running]
    started = [house.starts() for _ in range(2 - len(running))]
    for gateway in started:
        house.awaits(gateway)
    first, second = [*running, *started]
    house.meta.settings(webhook_url=second.webhook, window="off")
    return first, second


def knock_at(house: Stack, gateway: GatewayProcess) -> None:
    """Let Meta knock at this one from now on."""
    house.meta.settings(webhook_url=gateway.webhook)


def texts(house: Stack, buyer: BuyerClient) -> list[str]:
    """Give what we sent to a buyer, in the order in which Meta took it."""
    bodies = [message["body"] for message in house.meta.outgoing(to=buyer.wa_id)]
    return [
        body["text"]["body"] if body["type"] == "text" else body["interactive"]["body"]["text"]
        for body in bodies
    ]


@pytest.mark.usefixtures("pair")
class TestTheDoor:
    def test_opens_to_metas_handshake_and_to_nobody_else(self, house: Stack) -> None:
        assert house.meta.verify(VERIFY_TOKEN)["verified"]
        assert house.meta.verify("another word")["status"] == 403

    @pytest.mark.parametrize("header", ["", "sha256=", "sha256=" + "0" * 64, "sha1=" + "0" * 40])
    def test_stays_shut_for_a_wrong_signature(self, house: Stack, header: str) -> None:
        body = webhook_payloads.encode_webhook(
            webhook_payloads.build_change(
                messages=[webhook_payloads.build_message(id="wamid.FORGED")]
            )
        )

        assert house.knocks(body, header=header) == 401
        assert not InboundMessage.objects.filter(wa_message_id="wamid.FORGED").exists()

    def test_stays_shut_for_more_than_meta_ever_sends(self, house: Stack) -> None:
        assert house.knocks(b"x" * 4 * 1024 * 1024) == 413

    def test_keeps_what_is_signed_and_broken_byte_for_byte(self, house: Stack) -> None:
        body = b'{"object": "whatsapp_business_account", "entry": [{\xff'

        assert house.knocks(body) == 200
        assert body in [bytes(item.body) for item in UnreadableItem.objects.all()]

    def test_keeps_a_field_nobody_has_heard_of(self, house: Stack) -> None:
        body = webhook_payloads.encode_webhook({"field": "moon_phase", "value": {"phase": "full"}})

        assert house.knocks(body) == 200
        notice = AccountNotice.objects.get(field="moon_phase")
        assert notice.payload["value"] == {"phase": "full"}


@pytest.mark.usefixtures("pair")
class TestABuyer:
    def test_whose_text_holds_a_nul_is_answered(self, house: Stack) -> None:
        buyer = house.buyer()

        buyer.says("h\0i")

        wait_for_message(buyer, "Summer Raffle")

    def test_who_hides_their_phone_is_answered_by_their_user_id(self, house: Stack) -> None:
        buyer = house.buyer(user_id="US.13491208655302741918", hide_phone=True)

        request_card(buyer)
        held = hold_numbers(buyer)
        place_order(buyer)

        bodies = [message["body"] for message in house.meta.outgoing(to=buyer.wa_id)]
        assert len(held) == len(bodies) == 3
        assert {body["recipient"] for body in bodies} == {"US.13491208655302741918"}
        assert not any("to" in body for body in bodies)

    def test_whose_webhook_comes_fifty_times_is_answered_once(
        self, house: Stack, pair: tuple[GatewayProcess, GatewayProcess]
    ) -> None:
        buyer = house.buyer()
        body = written(buyer, "hi")

        with ThreadPoolExecutor(max_workers=COPIES) as posting:
            together = list(
                posting.map(lambda n: house.knocks(body, at=pair[n % 2]), range(COPIES))
            )
        one_after_another = [house.knocks(body, at=pair[n % 2]) for n in range(COPIES)]

        assert {*together, *one_after_another} == {200}
        wait_for_message(buyer, "Summer Raffle")
        house.settles()
        assert InboundMessage.objects.filter(contact__wa_id=buyer.wa_id).count() == 1
        assert list(count_sends(house, buyer).values()) == [1]

    def test_who_writes_twice_in_one_webhook_is_answered_in_order(self, house: Stack) -> None:
        buyer, now = house.buyer(), datetime.now(UTC)
        later, earlier = now.timestamp(), (now - timedelta(seconds=2)).timestamp()

        house.meta.send_batch(
            [
                {"wa_id": buyer.wa_id, "text": "3 random", "timestamp": int(later)},
                {"wa_id": buyer.wa_id, "text": "hi", "timestamp": int(earlier)},
            ]
        )
        wait_for_message(buyer, "Held for you")

        first, second = texts(house, buyer)
        assert "Summer Raffle" in first
        assert "Held for you" in second

    def test_who_writes_to_two_gateways_at_once_is_answered_in_one_order(
        self, house: Stack, pair: tuple[GatewayProcess, GatewayProcess]
    ) -> None:
        buyer = house.buyer()
        request_card(buyer)

        bodies = [written(buyer, "HELP"), written(buyer, "MENU")]
        with ThreadPoolExecutor(max_workers=2) as posting:
            statuses = posting.map(lambda n: house.knocks(bodies[n], at=pair[n]), range(2))

        assert list(statuses) == [200, 200]
        wait_while_messages_move(
            lambda: len(load_messages_to(buyer)) == 3 and is_everything_sent(buyer)
        )
        queued = [str(message.callback_data) for message in load_messages_to(buyer)]
        assert list(count_sends(house, buyer)) == queued
        assert set(count_sends(house, buyer).values()) == {1}


class TestTwoGateways:
    def test_answer_a_crowd_once_each_though_one_of_them_stops_in_the_middle(
        self, house: Stack, pair: tuple[GatewayProcess, GatewayProcess]
    ) -> None:
        leaving, staying = pair
        crowd = [house.buyer() for _ in range(CROWD)]
        house.meta.plan_fault("delay", seconds=0.2, times=CROWD)

        for place, buyer in enumerate(crowd):
            knock_at(house, pair[place % 2])
            buyer.says("hi")
            if place == CROWD // 2:
                leaving.child.popen.terminate()
        knock_at(house, staying)
        assert leaving.ends()

        for buyer in crowd:
            wait_for_message(buyer, "Summer Raffle")
        house.settles()
        assert [list(count_sends(house, buyer).values()) for buyer in crowd] == [[1]] * CROWD
        assert house.is_quiet()

    def test_are_not_needed_to_finish_what_one_began(
        self, house: Stack, pair: tuple[GatewayProcess, GatewayProcess]
    ) -> None:
        other, stopping = pair
        other.ends()
        crowd = [house.buyer() for _ in range(5)]
        house.meta.plan_fault("delay", seconds=1.5, times=len(crowd))
        for buyer in crowd:
            buyer.says("hi")
        sending = OutboundMessage.objects.filter(status=OutboxStatus.SENDING)
        wait_while_messages_move(lambda: sending.count() == len(crowd))

        assert stopping.ends()

        assert all(is_everything_sent(buyer) for buyer in crowd)
        assert [list(count_sends(house, buyer).values()) for buyer in crowd] == [[1]] * len(crowd)


def written(buyer: BuyerClient, text: str) -> bytes:
    """Write the webhook of somebody's text, sent just now."""
    name = base64.b64encode(f"{buyer.wa_id} {text}".encode()).decode()
    message = {
        "from": buyer.wa_id,
        "id": f"wamid.{name}",
        "timestamp": str(int(datetime.now(UTC).timestamp())),
        "type": "text",
        "text": {"body": text},
    }
    return webhook_payloads.encode_webhook(webhook_payloads.build_change(messages=[message]))
