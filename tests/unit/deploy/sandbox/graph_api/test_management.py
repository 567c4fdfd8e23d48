"""Tests of the management endpoints: numbers, account, token and subscriptions."""

import pytest

from deploy.sandbox.client import BuyerClient, SandboxClient
from deploy.sandbox.options import SandboxOptions
from tests.unit.deploy.sandbox.conftest import PHONE_NUMBER_IDS, GraphClient, parse_error
from tests.unit.deploy.sandbox.fake_gateway import VERIFY_TOKEN, FakeGateway

WABA = SandboxOptions().waba_id
APP = SandboxOptions().app_id


class TestNumber:
    def test_is_described(self, graph: GraphClient) -> None:
        number = graph.http.get(f"/v26.0/{PHONE_NUMBER_IDS[0]}").json()

        assert number["id"] == PHONE_NUMBER_IDS[0]
        assert number["display_phone_number"] == "+1 555-010-9900"
        assert number["verified_name"]
        assert number["quality_rating"] == "GREEN"
        assert number["code_verification_status"] == "VERIFIED"
        assert number["platform_type"] == "CLOUD_API"
        assert number["throughput"] == {"level": "STANDARD"}

    def test_is_described_by_the_fields_asked_for(
        self, graph: GraphClient, sandbox: SandboxClient
    ) -> None:
        sandbox.settings(phone_number_status="PENDING")

        answer = graph.http.get(f"/v26.0/{PHONE_NUMBER_IDS[0]}", params={"fields": "status"})

        assert answer.json() == {"status": "PENDING", "id": PHONE_NUMBER_IDS[0]}

    def test_has_no_other_fields(self, graph: GraphClient) -> None:
        answer = graph.http.get(f"/v26.0/{PHONE_NUMBER_IDS[0]}", params={"fields": "id,colour"})

        assert "nonexisting field (colour)" in parse_error(answer)["message"]

    def test_of_others_is_not_seen(self, graph: GraphClient) -> None:
        assert parse_error(graph.http.get("/v26.0/999"))["error_subcode"] == 33


class TestAccount:
    def test_is_described(self, graph: GraphClient) -> None:
        query = {"fields": "id,name,account_review_status"}

        account = graph.http.get(f"/v26.0/{WABA}", params=query).json()

        assert account["account_review_status"] == "APPROVED"

    def test_lists_its_numbers(self, graph: GraphClient) -> None:
        numbers = graph.http.get(f"/v26.0/{WABA}/phone_numbers").json()["data"]

        assert [number["id"] for number in numbers] == list(PHONE_NUMBER_IDS)

    def test_lists_our_app_while_it_is_subscribed(self, graph: GraphClient) -> None:
        path = f"/v26.0/{WABA}/subscribed_apps"
        before = graph.http.get(path).json()["data"]
        graph.http.delete(path)
        without = graph.http.get(path).json()["data"]
        answer = graph.http.post(path)

        assert before[0]["whatsapp_business_api_data"]["id"] == APP
        assert without == []
        assert answer.json() == {"success": True}
        assert graph.http.get(path).json()["data"] == before

    def test_sends_its_webhooks_elsewhere_once_that_place_is_verified(
        self, graph: GraphClient, sandbox: SandboxClient, gateway: FakeGateway
    ) -> None:
        path = f"/v26.0/{WABA}/subscribed_apps"
        elsewhere = {"override_callback_uri": gateway.url, "verify_token": "wrong"}
        sandbox.settings(webhook_url="http://127.0.0.1:9/webhook")

        wrong = graph.http.post(path, json=elsewhere)
        unchanged = sandbox.settings()["webhook_url"]
        right = graph.http.post(path, json={**elsewhere, "verify_token": VERIFY_TOKEN})

        assert parse_error(wrong)["code"] == 2200
        assert unchanged == "http://127.0.0.1:9/webhook"
        assert right.json() == {"success": True}
        assert sandbox.settings()["webhook_url"] == gateway.url

    def test_of_others_is_not_seen(self, graph: GraphClient) -> None:
        assert parse_error(graph.http.get("/v26.0/999/subscribed_apps"))["error_subcode"] == 33


class TestToken:
    def test_is_told_good_from_bad(self, graph: GraphClient) -> None:
        good, bad = (
            graph.http.get("/v26.0/debug_token", params={"input_token": token}).json()["data"]
            for token in (SandboxOptions().access_token, "other")
        )

        assert good["is_valid"] is True
        assert "whatsapp_business_messaging" in good["scopes"]
        assert good["granular_scopes"][0]["target_ids"] == [WABA]
        assert bad["is_valid"] is False
        assert bad["error"]["code"] == 190

    def test_has_an_owner_and_an_app(self, graph: GraphClient) -> None:
        assert graph.http.get("/v26.0/me").json()["name"]
        assert graph.http.get("/v26.0/app").json()["id"] == APP

    @pytest.mark.parametrize(
        "path",
        [PHONE_NUMBER_IDS[0], WABA, "me", "app", "debug_token", f"{WABA}/phone_numbers", "1234"],
    )
    def test_is_wanted_everywhere(self, graph: GraphClient, path: str) -> None:
        answer = graph.http.get(f"/v26.0/{path}", headers={"Authorization": "Bearer wrong"})

        assert (answer.status_code, parse_error(answer)["code"]) == (401, 190)


class TestSubscriptions:
    def test_are_told_to_the_app_alone(self, graph: GraphClient) -> None:
        path = f"/v26.0/{APP}/subscriptions"
        app_token = {"Authorization": f"Bearer {APP}|{SandboxOptions().app_secret}"}

        (subscription,) = graph.http.get(path, headers=app_token).json()["data"]

        assert subscription["object"] == "whatsapp_business_account"
        assert [field["name"] for field in subscription["fields"]] == ["messages"]
        assert parse_error(graph.http.get(path))["code"] == 15

    def test_decide_whether_webhooks_come(
        self, ana: BuyerClient, sandbox: SandboxClient, gateway: FakeGateway
    ) -> None:
        sandbox.settings(subscribed_fields=["account_update"])

        ana.says("nobody hears")
        sandbox.wait_until_idle()

        assert gateway.posted == []
