"""Tests of the checks of the installation at Meta, with every known answer of Meta."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from gateway import doctor
from gateway.doctor import CheckResult, CheckStatus
from shared.core.config import Settings
from tests.graph_transports import MockGraphTransport

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NUMBER, WABA, APP = "106540352242922", "102290129340398", "1234567890"
SECRET, TOKEN = "the-app-secret", "the-access-token"

type Answer = Callable[[httpx.Request], httpx.Response]


class FakeMeta:
    """A fake Graph API without problems; `changes` replace the answers of paths."""

    def __init__(self, **changes: Any) -> None:
        self.answers: dict[str, Any] = {
            "/v26.0/": (400, {}),
            f"/v26.0/{NUMBER}": {
                "display_phone_number": "+1 555-010-9900",
                "verified_name": "Club",
                "status": "CONNECTED",
                "webhook_configuration": {"application": "https://raffles.example/webhook"},
            },
            f"/v26.0/{WABA}/subscribed_apps": {
                "data": [{"whatsapp_business_api_data": {"id": APP, "name": "Raffles"}}]
            },
            f"/v26.0/{WABA}/phone_numbers": {"data": [{"id": NUMBER}]},
            f"/v26.0/{APP}/subscriptions": {
                "data": [{"object": "whatsapp_business_account", "fields": [{"name": "messages"}]}]
            },
        }
        self.answers |= changes
        self.date = NOW
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        status, body = 200, self.answers[request.url.path]
        if isinstance(body, tuple):
            status, body = body
        token = request.headers.get("authorization", "")
        if request.url.path.endswith("/subscriptions") and token != f"Bearer {APP}|{SECRET}":
            status, body = build_refusal(190, "Error validating application")
        headers = {"date": format_datetime(self.date, usegmt=True)}
        return httpx.Response(status, headers=headers, content=json.dumps(body))


def build_refusal(code: int, message: str) -> tuple[int, dict[str, Any]]:
    return 401, {"error": {"code": code, "message": message}}


def build_settings(**changes: str) -> Settings:
    return Settings(
        **{
            "django_secret_key": "x" * 50,
            "meta_app_secret": SECRET,
            "meta_access_token": TOKEN,
            "meta_phone_number_id": NUMBER,
            "meta_waba_id": WABA,
            "meta_graph_url": "https://graph.facebook.com",
            **changes,
        }  # type: ignore[arg-type]
    )


async def check_setup(meta: Answer, **changes: str) -> dict[str, CheckResult]:
    found = await doctor.check_meta_setup(
        build_settings(**changes),
        now=NOW,
        transport=httpx.MockTransport(meta),
        graph_transport=MockGraphTransport(meta),
    )
    return {finding.title: finding for finding in found}


class TestExamine:
    async def test_finds_nothing_wrong_where_nothing_is(self) -> None:
        found = await check_setup(FakeMeta())

        assert {finding.outcome for finding in found.values()} == {CheckStatus.PASSED}
        assert list(found) == [
            "Clock",
            f"Number {NUMBER}",
            f"Callback {NUMBER}",
            "WhatsApp account",
            "App secret and field",
        ]
        assert "https://raffles.example/webhook" in found[f"Callback {NUMBER}"].words

    async def test_an_old_app_secret_beside_the_new_one_is_fine(self) -> None:
        found = await check_setup(FakeMeta(), meta_app_secret=f"old,{SECRET}")

        assert found["App secret and field"].has_passed

    @pytest.mark.parametrize("seconds", [31, -31, 3600])
    async def test_names_a_clock_that_is_off(self, seconds: int) -> None:
        meta = FakeMeta()
        meta.date = NOW + timedelta(seconds=seconds)

        found = await check_setup(meta)

        assert found["Clock"].outcome is CheckStatus.FAILED
        assert f"{abs(seconds)} s" in found["Clock"].words

    async def test_a_clock_a_few_seconds_off_is_fine(self) -> None:
        meta = FakeMeta()
        meta.date = NOW - timedelta(seconds=29)

        assert (await check_setup(meta))["Clock"].has_passed

    @pytest.mark.parametrize("code", [0, 190])
    async def test_a_token_that_is_not_good_is_named_once(self, code: int) -> None:
        meta = FakeMeta(**{f"/v26.0/{NUMBER}": build_refusal(code, "Session has expired")})

        found = await check_setup(meta)

        assert list(found) == ["Clock", "Access token"]
        assert found["Access token"].outcome is CheckStatus.FAILED
        assert "Session has expired" in found["Access token"].words
        assert "token" in found["Access token"].remedy.lower()

    async def test_a_number_that_is_not_ours_is_named_and_the_rest_is_asked(self) -> None:
        other = "999"
        meta = FakeMeta(
            **{"/v26.0/999": (400, {"error": {"code": 100, "message": "No such object"}})}
        )

        found = await check_setup(meta, meta_phone_number_id=f"{NUMBER},{other}")

        assert found[f"Number {NUMBER}"].has_passed
        assert found["Number 999"].outcome is CheckStatus.FAILED
        assert "999" in found["WhatsApp account"].words

    @pytest.mark.parametrize("status", ["PENDING", "OFFLINE", "BANNED"])
    async def test_a_number_that_is_not_registered_is_named(self, status: str) -> None:
        found = await check_setup(FakeMeta(**{f"/v26.0/{NUMBER}": {"status": status}}))

        assert found[f"Number {NUMBER}"].outcome is CheckStatus.FAILED
        assert status in found[f"Number {NUMBER}"].words

    @pytest.mark.parametrize(
        ("configuration", "outcome", "shown"),
        [
            ({"application": "https://a.example/webhook"}, CheckStatus.PASSED, "a.example"),
            ({"application": "https://a.example/webhook/"}, CheckStatus.PASSED, "a.example"),
            (
                {
                    "application": "https://a.example/webhook",
                    "phone_number": "https://b.example/hook",
                },
                CheckStatus.FAILED,
                "b.example",
            ),
            (
                {
                    "application": "https://a.example/x",
                    "whatsapp_business_account": "https://c.example/webhook",
                },
                CheckStatus.PASSED,
                "c.example",
            ),
            ({}, CheckStatus.OPEN, "no callback"),
            (None, CheckStatus.OPEN, "no callback"),
        ],
    )
    async def test_shows_the_callback_that_goes_first(
        self, configuration: dict[str, str] | None, outcome: CheckStatus, shown: str
    ) -> None:
        found = await check_setup(
            FakeMeta(**{f"/v26.0/{NUMBER}": {"webhook_configuration": configuration}})
        )

        assert found[f"Callback {NUMBER}"].outcome is outcome
        assert shown in found[f"Callback {NUMBER}"].words

    async def test_an_account_without_a_subscribed_app_is_named(self) -> None:
        found = await check_setup(FakeMeta(**{f"/v26.0/{WABA}/subscribed_apps": {"data": []}}))

        assert found["WhatsApp account"].outcome is CheckStatus.FAILED
        assert f"/{WABA}/subscribed_apps" in found["WhatsApp account"].remedy

    async def test_without_the_account_s_id_it_is_not_asked(self) -> None:
        meta = FakeMeta()

        found = await check_setup(meta, meta_waba_id="")

        assert found["WhatsApp account"].outcome is CheckStatus.OPEN
        assert "META_WABA_ID" in found["WhatsApp account"].remedy

    async def test_a_field_that_is_not_subscribed_is_named(self) -> None:
        only = {"data": [{"object": "whatsapp_business_account", "fields": [{"name": "calls"}]}]}

        found = await check_setup(FakeMeta(**{f"/v26.0/{APP}/subscriptions": only}))

        assert found["App secret and field"].outcome is CheckStatus.FAILED
        assert "messages" in found["App secret and field"].words

    async def test_an_app_secret_that_meta_does_not_know_is_named_but_never_shown(self) -> None:
        found = await check_setup(FakeMeta(), meta_app_secret="wrong-secret")

        assert found["App secret and field"].outcome is CheckStatus.FAILED
        assert "META_APP_SECRET" in found["App secret and field"].words
        assert "wrong-secret" not in str(found)

    async def test_a_meta_that_is_out_of_reach_is_the_one_thing_named(self) -> None:
        def unreachable(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("no route", request=request)

        found = await check_setup(unreachable)

        assert found["Graph API"].outcome is CheckStatus.FAILED
        assert found["Meta"].outcome is CheckStatus.OPEN

    async def test_without_a_token_meta_is_asked_for_the_time_alone(self) -> None:
        meta = FakeMeta()

        found = await check_setup(meta, meta_access_token="")

        assert found["Clock"].has_passed
        assert found["Meta"].outcome is CheckStatus.OPEN
        assert len(meta.asked) == 1

    async def test_the_time_is_asked_for_without_the_token(self) -> None:
        meta = FakeMeta()

        await check_setup(meta)

        assert "authorization" not in meta.asked[0].headers

    @pytest.mark.parametrize("path", [f"/v26.0/{NUMBER}", f"/v26.0/{APP}/subscriptions"])
    async def test_a_line_that_breaks_is_told_as_such(self, path: str) -> None:
        meta = FakeMeta()

        def breaking(request: httpx.Request) -> httpx.Response:
            if request.url.path == path:
                raise httpx.ReadError("cut", request=request)
            return meta(request)

        found = await check_setup(breaking)

        assert any("did not answer" in finding.words for finding in found.values())
