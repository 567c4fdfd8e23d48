"""Tests of sending messages: recipients, permissions and limits."""

import time
from typing import Any

import pytest

from deploy.sandbox.client import BuyerClient, SandboxClient
from tests.unit.deploy.sandbox.conftest import ANA, PHONE_NUMBER_IDS, GraphClient, parse_error
from tests.unit.deploy.sandbox.fake_gateway import FakeGateway

DAY = 24 * 3600


class TestToken:
    @pytest.mark.parametrize("header", ["Bearer wrong", "Basic sandbox-access-token", ""])
    def test_that_is_not_ours_is_refused_as_meta_words_it(
        self, graph: GraphClient, header: str
    ) -> None:
        answer = graph.post({}, headers={"Authorization": header})

        assert answer.status_code == 401
        assert parse_error(answer)["code"] == 190
        assert parse_error(answer)["type"] == "OAuthException"
        assert "invalid_token" in answer.headers["www-authenticate"]


class TestAddress:
    def test_with_a_business_number_of_others_is_refused(self, graph: GraphClient) -> None:
        answer = graph.post({}, number="999")

        assert answer.status_code == 400
        assert (parse_error(answer)["code"], parse_error(answer)["error_subcode"]) == (100, 33)
        assert parse_error(answer)["type"] == "GraphMethodException"

    @pytest.mark.parametrize("path", ["/nowhere", "/v26.0/1/2/3", "/messages", "/26/1/messages"])
    def test_that_nobody_knows_is_refused(self, graph: GraphClient, path: str) -> None:
        answer = graph.http.post(path, json={})

        assert parse_error(answer)["code"] == 2500

    def test_takes_what_is_not_json_for_nothing(self, graph: GraphClient) -> None:
        answer = graph.http.post(f"/v26.0/{PHONE_NUMBER_IDS[0]}/messages", content=b"{not json")

        assert answer.status_code == 400
        assert (
            parse_error(answer)["message"] == "(#100) The parameter messaging_product is required."
        )

    def test_refuses_a_body_without_end(self, graph: GraphClient) -> None:
        answer = graph.http.post(f"/v26.0/{PHONE_NUMBER_IDS[0]}/messages", content=b"x" * 2_000_000)

        assert answer.status_code == 413


class TestAnswer:
    def test_to_a_phone_names_its_wa_id(self, graph: GraphClient, ana: BuyerClient) -> None:
        answer = graph.send_text(to="+1 (555) 010-1001")

        assert answer.status_code == 200
        found = answer.json()
        assert found["messages"][0]["id"].startswith("wamid.HBgL")
        assert found == {
            "messaging_product": "whatsapp",
            "contacts": [{"input": "+1 (555) 010-1001", "wa_id": ANA}],
            "messages": found["messages"],
        }

    def test_to_a_user_id_names_the_user_id(
        self, graph: GraphClient, ana: BuyerClient, sandbox: SandboxClient
    ) -> None:
        user_id = sandbox.request_json("GET", f"/sandbox/buyers/{ANA}")["user_id"]

        answer = graph.send_text(to="", recipient=user_id)

        assert answer.json()["contacts"] == [{"input": user_id, "user_id": user_id}]
        assert ana.waits_for("hello").sender == "business"


class TestRecipient:
    def test_in_to_is_accepted_and_never_delivered(
        self, graph: GraphClient, ana: BuyerClient, sandbox: SandboxClient, gateway: FakeGateway
    ) -> None:
        user_id = sandbox.request_json("GET", f"/sandbox/buyers/{ANA}")["user_id"]

        answer = graph.send_text(to=user_id)
        sandbox.wait_until_idle()

        assert answer.status_code == 200
        assert answer.json()["messages"][0]["id"]
        assert ana.replies() == []
        assert gateway.posted == []

    def test_loses_against_to(
        self, graph: GraphClient, ana: BuyerClient, sandbox: SandboxClient
    ) -> None:
        bea = sandbox.buyer("15550101002", user_id="US.2")
        bea.says("hello")

        graph.send_text(recipient="US.2")

        assert len(ana.replies()) == 1
        assert bea.replies() == []

    def test_that_nobody_has_fails_later(
        self, graph: GraphClient, sandbox: SandboxClient, gateway: FakeGateway
    ) -> None:
        answer = graph.send_text(to="", recipient="US.404")
        sandbox.wait_until_idle()

        assert answer.status_code == 200
        (status,) = gateway.statuses()
        assert (status["status"], status["errors"][0]["code"]) == ("failed", 131026)

    @pytest.mark.parametrize(
        "recipient", ["15550101001", "US.", "us.1", "US.1-2", "US." + "1" * 129]
    )
    def test_that_is_no_user_id_is_refused(self, graph: GraphClient, recipient: str) -> None:
        assert parse_error(graph.send_text(to="", recipient=recipient))["code"] == 131009

    def test_must_be_named(self, graph: GraphClient) -> None:
        assert (
            parse_error(graph.send_text(to=""))["message"] == "(#100) The parameter to is required."
        )


class TestPhoneNumber:
    @pytest.mark.parametrize("to", ["+0155501010", "+123456", "+1234567890123456", "Ana", "+1555x"])
    def test_that_cannot_be_one_is_refused(self, graph: GraphClient, to: str) -> None:
        answer = graph.send_text(to=to)

        assert parse_error(answer)["code"] == 131009
        assert "malformed" in parse_error(answer)["error_data"]["details"]

    def test_without_plus_gets_the_country_code_and_goes_astray(
        self, graph: GraphClient, ana: BuyerClient
    ) -> None:
        assert parse_error(graph.send_text(to=ANA))["code"] == 131047
        assert graph.send_text(to=ANA.removeprefix("1")).status_code == 200
        assert len(ana.replies()) == 1

    def test_of_the_sender_is_refused(self, graph: GraphClient) -> None:
        assert parse_error(graph.send_text(to="+15550109900"))["code"] == 131021


class TestReach:
    def test_of_a_number_not_allowed_is_refused(
        self, graph: GraphClient, sandbox: SandboxClient
    ) -> None:
        sandbox.settings(unknown_recipients="not_allowed")

        assert parse_error(graph.send_text(to="+15550101009"))["code"] == 131030

    def test_of_a_number_not_on_whatsapp_fails_later(
        self, graph: GraphClient, sandbox: SandboxClient, gateway: FakeGateway
    ) -> None:
        sandbox.settings(unknown_recipients="undeliverable")

        answer = graph.send_text(to="+15550101009", biz_opaque_callback_data="outbox-7")
        sandbox.wait_until_idle()

        assert answer.status_code == 200
        (status,) = gateway.statuses(answer.json()["messages"][0]["id"])
        assert status["status"] == "failed"
        assert status["recipient_id"] == "15550101009"
        assert status["biz_opaque_callback_data"] == "outbox-7"
        assert status["errors"][0]["code"] == 131026

    def test_can_be_set_for_one_buyer(
        self, graph: GraphClient, ana: BuyerClient, sandbox: SandboxClient
    ) -> None:
        sandbox.buyer(ANA, reach="not_allowed")

        assert parse_error(graph.send_text())["code"] == 131030

    def test_makes_no_buyer_of_a_number_that_never_wrote(
        self, graph: GraphClient, sandbox: SandboxClient
    ) -> None:
        graph.send_text(to="+15550101009")

        assert sandbox.state()["buyers"] == 0


class TestWindow:
    def test_is_open_until_a_day_after_the_message(
        self, graph: GraphClient, sandbox: SandboxClient
    ) -> None:
        sandbox.buyer(ANA).says("hello", timestamp=int(time.time()) - DAY + 30)

        assert graph.send_text().status_code == 200

    def test_is_closed_a_day_after_the_message(
        self, graph: GraphClient, sandbox: SandboxClient
    ) -> None:
        sandbox.buyer(ANA).says("hello", timestamp=int(time.time()) - DAY)

        answer = graph.send_text()

        assert answer.status_code == 400
        assert parse_error(answer)["code"] == 131047
        assert "24 hours" in parse_error(answer)["error_data"]["details"]
        assert sandbox.outgoing() == []

    def test_counts_from_the_newest_message(self, graph: GraphClient, ana: BuyerClient) -> None:
        ana.says("late", timestamp=int(time.time()) - 2 * DAY)

        assert graph.send_text().status_code == 200

    def test_is_that_of_one_business_number(self, graph: GraphClient, ana: BuyerClient) -> None:
        body: dict[str, Any] = {"messaging_product": "whatsapp", "to": f"+{ANA}"}
        body |= {"type": "text", "text": {"body": "hi"}}

        assert parse_error(graph.post(body, number=PHONE_NUMBER_IDS[1]))["code"] == 131047
        ana.says("hello", phone_number_id=PHONE_NUMBER_IDS[1])
        assert graph.post(body, number=PHONE_NUMBER_IDS[1]).status_code == 200

    def test_is_not_opened_by_a_reaction(self, graph: GraphClient, ana: BuyerClient) -> None:
        hello = ana.says("long ago", phone_number_id=PHONE_NUMBER_IDS[1], timestamp=1)
        ana.sends("reaction", of=hello, emoji="👍", phone_number_id=PHONE_NUMBER_IDS[1])
        body = {"messaging_product": "whatsapp", "to": f"+{ANA}", "text": {"body": "hi"}}

        assert parse_error(graph.post(body, number=PHONE_NUMBER_IDS[1]))["code"] == 131047

    def test_can_close_after_accepting(
        self, graph: GraphClient, sandbox: SandboxClient, gateway: FakeGateway
    ) -> None:
        sandbox.settings(window="async")

        answer = graph.send_text()
        sandbox.wait_until_idle()

        assert answer.status_code == 200
        (status,) = gateway.statuses()
        assert (status["status"], status["errors"][0]["code"]) == ("failed", 131047)

    def test_can_be_switched_off(self, graph: GraphClient, sandbox: SandboxClient) -> None:
        sandbox.settings(window="off")

        assert graph.send_text().status_code == 200
        assert len(sandbox.buyer(ANA).replies()) == 1


class TestPairLimit:
    def test_stops_the_forty_sixth_message_in_a_burst(
        self, graph: GraphClient, ana: BuyerClient, sandbox: SandboxClient
    ) -> None:
        sandbox.settings(pair_limit=True)

        answers = [graph.send_text(str(number)) for number in range(46)]

        assert [answer.status_code for answer in answers] == [200] * 45 + [400]
        assert parse_error(answers[-1])["code"] == 131056


class TestMarkAsRead:
    def read(self, graph: GraphClient, message_id: str, **more: Any) -> Any:
        body = {"messaging_product": "whatsapp", "status": "read", "message_id": message_id}
        return graph.post({**body, **more})

    def test_marks_the_message_and_those_before(self, graph: GraphClient, ana: BuyerClient) -> None:
        ana.says("second")
        ana.says("third")
        second = ana.sees()[1]

        answer = self.read(graph, second.id)

        assert answer.json() == {"success": True}
        assert [each.status == "read" for each in ana.sees()] == [True, True, False]

    def test_shows_that_somebody_types_until_the_reply(
        self, graph: GraphClient, ana: BuyerClient, sandbox: SandboxClient
    ) -> None:
        chat = f"/sandbox/buyers/{ANA}/messages"
        self.read(graph, ana.sees()[0].id, typing_indicator={"type": "text"})
        typing = sandbox.request_json("GET", chat)["typing"]
        graph.send_text()

        assert typing is True
        assert sandbox.request_json("GET", chat)["typing"] is False

    def test_of_what_no_buyer_wrote_is_refused(self, graph: GraphClient, ana: BuyerClient) -> None:
        ours = graph.send_text().json()["messages"][0]["id"]

        assert parse_error(self.read(graph, "wamid.unknown"))["code"] == 131009
        assert parse_error(self.read(graph, ours))["code"] == 131009

    def test_wants_a_known_indicator(self, graph: GraphClient, ana: BuyerClient) -> None:
        answer = self.read(graph, ana.sees()[0].id, typing_indicator={"type": "dots"})

        assert parse_error(answer)["code"] == 100
