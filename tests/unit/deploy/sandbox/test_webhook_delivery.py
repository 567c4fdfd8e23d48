"""Tests of webhook delivery: content, signature and retries."""

import hashlib
import hmac
import json
import threading

import pytest

from deploy.sandbox import webhook_payloads
from deploy.sandbox.client import BuyerClient, NothingSeen, SandboxClient, SandboxRefused
from deploy.sandbox.options import SandboxOptions
from tests.unit.deploy.sandbox.conftest import ANA, PHONE_NUMBER_IDS, GraphClient
from tests.unit.deploy.sandbox.fake_gateway import VERIFY_TOKEN, FakeGateway
from tests.waiting import PATIENCE

SECRET = SandboxOptions().app_secret.encode()


class TestSignature:
    @pytest.mark.parametrize(
        ("secret", "body", "digest"),
        [
            (
                "test_app_secret",
                rb'{"object":"whatsapp_business_account","entry":[]}',
                "dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756",
            ),
            (
                "otro_secreto",
                rb'{"object":"whatsapp_business_account","entry":[]}',
                "769b03d8c2ae6498f2d1e1f7299c0ba55448c69d741e7b0bb243d852d8a8d8c7",
            ),
        ],
    )
    def test_is_the_hmac_of_the_bytes(self, secret: str, body: bytes, digest: str) -> None:
        assert webhook_payloads.compute_hub_signature(body, secret=secret) == f"sha256={digest}"

    def test_covers_the_escaped_body_that_is_sent(self) -> None:
        value = {"t": "äöå a/b < 🚀"}
        change = {"field": "messages", "value": value}
        payload = {
            "object": "whatsapp_business_account",
            "entry": [{"id": "1", "changes": [change]}],
        }

        body = webhook_payloads.encode_json(payload)

        assert rb'"\u00e4\u00f6\u00e5 a\/b \u003c \ud83d\ude80"' in body
        assert webhook_payloads.compute_hub_signature(body, secret="test_app_secret") == (
            "sha256=13bf369e2d9e2aeae84f7206294ed95bd6f566a5565ab910ac9fd93528ca858e"
        )

    def test_stands_in_the_header_of_what_is_posted(
        self, ana: BuyerClient, gateway: FakeGateway
    ) -> None:
        ana.says("ticket 07 / ñ", wait=5)

        (posted,) = gateway.posted
        digest = hmac.new(SECRET, posted.body, hashlib.sha256).hexdigest()
        assert posted.headers["x-hub-signature-256"] == f"sha256={digest}"
        assert posted.headers["content-type"] == "application/json"
        assert posted.body.isascii()


class TestMessage:
    def test_has_the_shape_of_2026(self, sandbox: SandboxClient, gateway: FakeGateway) -> None:
        ana = sandbox.buyer(ANA, name="Ana", username="ana.r", user_id="US.1")

        ana.says("hello", timestamp=1_749_416_383, id="wamid.A1", wait=5)

        assert json.loads(gateway.posted[0].body) == {
            "object": "whatsapp_business_account",
            "entry": [
                {
                    "id": SandboxOptions().waba_id,
                    "changes": [
                        {
                            "field": "messages",
                            "value": {
                                "messaging_product": "whatsapp",
                                "metadata": {
                                    "display_phone_number": "15550109900",
                                    "phone_number_id": PHONE_NUMBER_IDS[0],
                                },
                                "contacts": [
                                    {
                                        "profile": {"name": "Ana", "username": "ana.r"},
                                        "wa_id": ANA,
                                        "user_id": "US.1",
                                    }
                                ],
                                "messages": [
                                    {
                                        "from": ANA,
                                        "from_user_id": "US.1",
                                        "id": "wamid.A1",
                                        "timestamp": "1749416383",
                                        "type": "text",
                                        "text": {"body": "hello"},
                                    }
                                ],
                            },
                        }
                    ],
                }
            ],
        }

    def test_can_hide_the_phone(
        self, sandbox: SandboxClient, gateway: FakeGateway, graph: GraphClient
    ) -> None:
        ana = sandbox.buyer(ANA, hide_phone=True, user_id="US.1")

        ana.says("hello", wait=5)
        graph.send_text(to="", recipient="US.1")
        sandbox.wait_until_idle()

        assert ANA not in gateway.posted[0].body.decode()
        assert gateway.messages()[0]["from_user_id"] == "US.1"
        assert {status.get("recipient_id") for status in gateway.statuses()} == {None}
        assert {status["recipient_user_id"] for status in gateway.statuses()} == {"US.1"}

    def test_can_have_the_shape_before_2026(
        self, sandbox: SandboxClient, gateway: FakeGateway
    ) -> None:
        sandbox.buyer(ANA, user_id="").says("hello", wait=5)

        assert "user_id" not in gateway.posted[0].body.decode()

    def test_can_come_with_others_in_one_webhook(
        self, sandbox: SandboxClient, gateway: FakeGateway
    ) -> None:
        sandbox.send_batch(
            [
                {"wa_id": ANA, "type": "text", "text": "one"},
                {"wa_id": "15550101002", "type": "text", "text": "two"},
                {"wa_id": ANA, "type": "text", "text": "3", "phone_number_id": PHONE_NUMBER_IDS[1]},
            ],
            wait=5,
        )

        (posted,) = gateway.posted
        first, second = json.loads(posted.body)["entry"][0]["changes"]
        assert [message["text"]["body"] for message in first["value"]["messages"]] == ["one", "two"]
        assert len(first["value"]["contacts"]) == 2
        assert second["value"]["metadata"]["phone_number_id"] == PHONE_NUMBER_IDS[1]

    def test_of_the_system_has_no_contacts(self, ana: BuyerClient, gateway: FakeGateway) -> None:
        moved = {"type": "user_changed_number", "body": "moved", "wa_id": "15550101002"}
        ana.sends("system", system=moved, wait=5)

        assert "contacts" not in gateway.posted[0].value
        assert gateway.messages()[0]["system"] == moved


class TestDelivery:
    def test_is_repeated_until_the_gateway_says_200(
        self, ana: BuyerClient, gateway: FakeGateway
    ) -> None:
        gateway.answers += [503, 500, 202, 401]

        ana.says("hello?", wait=5)

        assert [posted.answered for posted in gateway.posted] == [503, 500, 202, 401, 200]
        assert len({posted.body for posted in gateway.posted}) == 1
        assert ana.sees()[-1].status == "delivered"

    def test_goes_on_when_the_gateway_comes_back(
        self, sandbox: SandboxClient, gateway: FakeGateway
    ) -> None:
        sandbox.settings(webhook_url="http://127.0.0.1:9/webhook")
        ana = sandbox.buyer(ANA)
        ana.says("is anybody there")
        with pytest.raises(NothingSeen, match="1 webhooks"):
            sandbox.wait_until_idle(timeout=0.2)

        sandbox.settings(webhook_url=gateway.url)
        sandbox.wait_until_idle()

        assert len(gateway.messages()) == 1
        assert sandbox.deliveries()[0]["statuses"][0] == 0

    def test_is_given_up_in_the_end(self, sandbox: SandboxClient, gateway: FakeGateway) -> None:
        sandbox.settings(webhook_url="http://127.0.0.1:9/webhook", give_up_after=0.1)
        sandbox.buyer(ANA).says("is anybody there")

        sandbox.wait_until_idle()

        (delivery,) = sandbox.deliveries()
        assert delivery["delivered"] is False
        assert delivery["attempts"] >= 2

    def test_keeps_the_order_of_what_one_buyer_sends(
        self, ana: BuyerClient, gateway: FakeGateway
    ) -> None:
        texts = [str(number) for number in range(30)]
        for text in texts:
            ana.says(text)
        ana.sandbox.wait_until_idle()

        assert [message["text"]["body"] for message in gateway.messages()] == texts

    def test_can_be_doubled_at_the_same_time(self, ana: BuyerClient, gateway: FakeGateway) -> None:
        ana.says("twice", times=3, wait=5)

        assert len(gateway.posted) == 3
        assert len({message["id"] for message in gateway.messages()}) == 1
        assert len(ana.sees()) == 2

    def test_can_be_doubled_always(
        self, ana: BuyerClient, sandbox: SandboxClient, gateway: FakeGateway
    ) -> None:
        sandbox.settings(duplicates=1)
        ana.says("twice")
        sandbox.wait_until_idle()

        assert len(gateway.messages()) == 2

    def test_can_be_repeated_later(self, ana: BuyerClient, gateway: FakeGateway) -> None:
        number = ana.says("once", wait=5)
        ana.sends("again", of=number, wait=5)

        first, again = gateway.posted
        assert first.body == again.body

    def test_is_refused_when_too_many_wait(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient, gateway: FakeGateway
    ) -> None:
        sandbox.settings(webhook_url="http://127.0.0.1:9/webhook", max_pending=2)
        ana.says("one")
        ana.says("two")

        with pytest.raises(SandboxRefused, match="too many"):
            ana.says("three")
        assert graph.send_text().status_code == 200
        assert sandbox.state()["dropped"] == 3

    def test_ends_when_the_app_is_not_subscribed(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient, gateway: FakeGateway
    ) -> None:
        path = f"/v26.0/{SandboxOptions().waba_id}/subscribed_apps"
        graph.http.delete(path)
        ana.says("nobody hears")
        sandbox.wait_until_idle()
        unheard = list(gateway.posted)
        graph.http.post(path)
        ana.says("somebody hears", wait=5)

        assert unheard == []
        assert [message["text"]["body"] for message in gateway.messages()] == ["somebody hears"]


class TestStatuses:
    def test_are_sent_then_delivered_then_read(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient, gateway: FakeGateway
    ) -> None:
        message_id = graph.send_text(biz_opaque_callback_data="outbox-7").json()["messages"][0][
            "id"
        ]
        sandbox.wait_until_idle()
        before_looking = [status["status"] for status in gateway.statuses()]
        ana.sees()
        sandbox.wait_until_idle()

        statuses = gateway.statuses(message_id)
        assert before_looking == ["sent", "delivered"]
        assert [status["status"] for status in statuses] == ["sent", "delivered", "read"]
        assert {status["recipient_id"] for status in statuses} == {ANA}
        assert {status["biz_opaque_callback_data"] for status in statuses} == {"outbox-7"}
        assert statuses[0]["pricing"]["type"] == "free_customer_service"
        assert sandbox.outgoing()[0]["status"] == "read"

    def test_wait_until_the_phone_is_on(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient, gateway: FakeGateway
    ) -> None:
        sandbox.buyer(ANA, online=False)
        graph.send_text("one")
        graph.send_text("two")
        sandbox.wait_until_idle()
        while_off = [status["status"] for status in gateway.statuses()]
        unseen = ana.replies()
        sandbox.buyer(ANA, online=True)
        sandbox.wait_until_idle()

        assert while_off == ["sent", "sent"]
        assert unseen == []
        assert [seen.text for seen in ana.replies()] == ["one", "two"]

    def test_come_after_the_delay(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient
    ) -> None:
        sandbox.settings(delivery_delay=0.3)
        graph.send_text("one")
        graph.send_text("two")
        at_once = ana.replies()
        sandbox.wait_until_idle()

        assert at_once == []
        assert [seen.text for seen in ana.replies()] == ["one", "two"]

    def test_can_be_left_out(
        self, ana: BuyerClient, graph: GraphClient, sandbox: SandboxClient, gateway: FakeGateway
    ) -> None:
        sandbox.settings(statuses=["delivered"])
        graph.send_text()
        ana.sees()
        sandbox.wait_until_idle()

        assert [status["status"] for status in gateway.statuses()] == ["delivered"]


class TestAsTold:
    def test_posts_json_signed(self, sandbox: SandboxClient, gateway: FakeGateway) -> None:
        statuses = sandbox.post_webhook({"object": "x/y"})

        assert statuses == [200]
        (posted,) = gateway.posted
        assert posted.body == rb'{"object":"x\/y"}'
        good = webhook_payloads.compute_hub_signature(
            posted.body, secret=SandboxOptions().app_secret
        )
        assert posted.headers["x-hub-signature-256"] == good

    @pytest.mark.parametrize(
        ("more", "body"), [({"text": "not json"}, b"not json"), ({"base64": "AP8="}, b"\x00\xff")]
    )
    def test_posts_any_bytes(
        self, sandbox: SandboxClient, gateway: FakeGateway, more: dict[str, str], body: bytes
    ) -> None:
        sandbox.post_webhook(**more)

        assert gateway.posted[0].body == body

    def test_signs_badly_or_not_at_all(self, sandbox: SandboxClient, gateway: FakeGateway) -> None:
        for signature in ("bad", "missing", "sha1=77"):
            sandbox.post_webhook({}, signature=signature)

        bad, missing, literal = (
            posted.headers.get("x-hub-signature-256", "") for posted in gateway.posted
        )
        assert bad.startswith("sha256=")
        assert bad != webhook_payloads.compute_hub_signature(
            b"{}", secret=SandboxOptions().app_secret
        )
        assert missing == ""
        assert literal == "sha1=77"

    def test_posts_at_the_same_time(self, sandbox: SandboxClient, gateway: FakeGateway) -> None:
        gateway.barrier = threading.Barrier(5, timeout=PATIENCE)

        assert sandbox.post_webhook({}, times=5, together=True) == [200] * 5

    def test_tells_what_the_gateway_said(
        self, sandbox: SandboxClient, gateway: FakeGateway
    ) -> None:
        gateway.answers.append(401)

        assert sandbox.post_webhook({}) == [401]
        assert len(gateway.posted) == 1

    def test_repeats_if_asked(self, sandbox: SandboxClient, gateway: FakeGateway) -> None:
        gateway.answers += [500, 500]

        assert sandbox.post_webhook({}, retry=True) == [500]
        sandbox.wait_until_idle()
        assert [posted.answered for posted in gateway.posted] == [500, 500, 200]


class TestVerification:
    def test_succeeds_with_the_right_word(
        self, sandbox: SandboxClient, gateway: FakeGateway
    ) -> None:
        answer = sandbox.verify(VERIFY_TOKEN, challenge="1158201444")

        assert answer == {"status": 200, "body": "1158201444", "verified": True}

    def test_fails_with_the_wrong_word(self, sandbox: SandboxClient, gateway: FakeGateway) -> None:
        assert sandbox.verify("wrong")["verified"] is False

    def test_fails_when_nobody_is_there(self, sandbox: SandboxClient) -> None:
        sandbox.settings(webhook_url="http://127.0.0.1:9/webhook")

        assert sandbox.verify(VERIFY_TOKEN)["status"] == 0
