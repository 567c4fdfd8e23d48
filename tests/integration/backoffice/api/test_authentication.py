"""Tests of access to the API: tokens with scopes, sessions and rate limits."""

import hashlib
import importlib
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from backoffice.api import tokens
from backoffice.api.models import ApiToken
from shared.core.enums import ActorKind, OrderAction, OrderStatus, Scope
from tests.builders import MINUTE, NOON
from tests.integration.backoffice import sample_data

pytestmark = pytest.mark.django_db

ORDERS: Final = "/api/orders"
DAY: Final = timedelta(days=1)
LONG_AGO: Final = datetime(2025, 1, 2, 3, 4, tzinfo=UTC)


def get_with_headers(headers: dict[str, str], path: str = ORDERS) -> Any:
    return Client(headers=headers).get(path)


def build_client(text: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {text}"})


@pytest.mark.same_everywhere
class TestTokens:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Authorization": "Bearer KEY"},
            {"Authorization": "bearer  KEY "},
            {"Authorization": "Token KEY"},
            {"X-API-Key": "KEY"},
            {"X-API-Key": "KEY", "Authorization": "Basic dXNlcjpwYXNz"},
        ],
    )
    def test_are_taken_in_the_three_ways_n8n_sends_them(self, headers: dict[str, str]) -> None:
        key = sample_data.create_api_token()

        answer = get_with_headers(
            {name: value.replace("KEY", key) for name, value in headers.items()}
        )

        assert answer.status_code == 200

    @pytest.mark.parametrize(
        ("headers", "code"),
        [
            ({}, "not_authenticated"),
            ({"Authorization": "Basic dXNlcjpwYXNz"}, "not_authenticated"),
            ({"Authorization": "Bearer"}, "authentication_failed"),
            ({"Authorization": "Bearer nonsense"}, "authentication_failed"),
            ({"Authorization": "Bearer KEYx"}, "authentication_failed"),
            ({"Authorization": "Bearer nonsense", "X-API-Key": "KEY"}, "authentication_failed"),
            ({"X-API-Key": "ñ"}, "authentication_failed"),
            ({"X-API-Key": ""}, "authentication_failed"),
        ],
    )
    def test_that_are_missing_or_wrong_are_401_and_say_what_is_wanted(
        self, headers: dict[str, str], code: str
    ) -> None:
        key = sample_data.create_api_token()

        answer = get_with_headers(
            {name: value.replace("KEY", key) for name, value in headers.items()}
        )

        assert (answer.status_code, answer.json()["code"]) == (401, code)
        assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
        assert answer.json()["message"]

    def test_in_the_address_are_not_taken(self) -> None:
        key = sample_data.create_api_token()

        for parameter in ("token", "api_key", "access_token", "authorization"):
            assert get_with_headers({}, f"{ORDERS}?{parameter}={key}").status_code == 401

    def test_end_when_they_expire_or_are_revoked_and_each_says_so(self) -> None:
        now = timezone.now()
        over, soon, back = (
            tokens.issue_token(name=name, scope=Scope.READ, by="olga", expires_at=at, now=NOON)
            for name, at in (("over", now), ("soon", now + DAY), ("back", None))
        )
        assert build_client(back.text).get(ORDERS).status_code == 200
        tokens.revoke_token(back.token, by="olga", now=now)

        answers = [build_client(issued.text).get(ORDERS) for issued in (over, soon, back)]

        assert [answer.status_code for answer in answers] == [401, 200, 401]
        assert answers[0].json()["code"] == "token_expired"
        assert answers[2].json()["code"] == "token_revoked"
        assert all("WWW-Authenticate" in answers[n] for n in (0, 2))

    def test_are_kept_as_a_hash_and_their_beginning(self) -> None:
        issued = tokens.issue_token(name="n8n", scope=Scope.READ, by="olga", now=NOON)

        row = ApiToken.objects.filter(pk=issued.token.pk).values().get()
        assert issued.text.startswith("rtb_")
        assert row["prefix"] == issued.text[:10]
        assert issued.text not in str(row)
        assert row["digest"] == hashlib.sha256(issued.text.encode()).hexdigest()

    def test_that_work_never_share_a_name(self) -> None:
        first = tokens.issue_token(name="n8n", scope=Scope.READ, by="olga", now=NOON)
        with pytest.raises(tokens.TokenNameTaken):
            tokens.issue_token(name="n8n", scope=Scope.READ, by="olga", now=NOON)
        tokens.revoke_token(first.token, by="olga", now=NOON)
        tokens.revoke_token(first.token, by="rita", now=NOON + MINUTE)  # changes nothing

        tokens.issue_token(name="n8n", scope=Scope.READ, by="olga", now=NOON)

        assert (first.token.revoked_by, first.token.revoked_at) == ("olga", NOON)

    def test_tell_when_they_were_used_last_to_the_minute(self) -> None:
        token = tokens.issue_token(name="n8n", scope=Scope.READ, by="olga", now=NOON).token

        noted = []
        for seconds in (0, 59, 60, 61, 120):
            tokens.record_token_use(token, now=NOON + timedelta(seconds=seconds))
            token.refresh_from_db()
            noted.append((token.last_used_at or NOON) - NOON)

        assert [int(past.total_seconds()) for past in noted] == [0, 0, 60, 60, 120]

    def test_are_who_an_orders_history_names(self) -> None:
        order, key = sample_data.place_order(), sample_data.create_api_token("bank script")

        build_client(key).post(f"{ORDERS}/{order.pk}/confirm-payment")

        event = order.events.get(action=OrderAction.PAID)
        token = ApiToken.objects.get()
        assert (event.actor_kind, event.actor_label) == (ActorKind.TOKEN, "bank script")
        assert event.actor_id == str(token.pk)


@pytest.mark.same_everywhere
class TestScopes:
    @pytest.mark.parametrize(
        ("scope", "listed", "confirmed"),
        [(Scope.READ, 200, 403), (Scope.REVIEW, 200, 200), (Scope.ADMIN, 200, 200)],
    )
    def test_each_includes_the_one_before(self, scope: Scope, listed: int, confirmed: int) -> None:
        order, program = (
            sample_data.place_order(),
            build_client(sample_data.create_api_token(scope=scope)),
        )

        answers = [program.get(ORDERS), program.post(f"{ORDERS}/{order.pk}/confirm-payment")]

        assert [answer.status_code for answer in answers] == [listed, confirmed]
        order.refresh_from_db()
        assert (order.status == OrderStatus.PAID) == (confirmed == 200)

    def test_one_that_is_missing_is_named(self) -> None:
        looker = build_client(sample_data.create_api_token(scope=Scope.READ))

        answer = looker.post(f"{ORDERS}/{sample_data.place_order().pk}/cancel")

        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
        assert answer.json()["detail"] == {"scope": "READ", "needed": "REVIEW"}
        assert "WWW-Authenticate" not in answer


@pytest.mark.same_everywhere
class TestPeople:
    @pytest.mark.parametrize(
        ("permissions", "listed", "confirmed"),
        [((), 403, 403), (("view_order",), 200, 403), (sample_data.REVIEWER_PERMISSIONS, 200, 200)],
    )
    def test_may_what_they_may_in_the_back_office(
        self, permissions: tuple[str, ...], listed: int, confirmed: int
    ) -> None:
        order, browser = sample_data.place_order(), Client()
        browser.force_login(sample_data.create_user("rita", *permissions))

        answers = [browser.get(ORDERS), browser.post(f"{ORDERS}/{order.pk}/confirm-payment")]

        assert [answer.status_code for answer in answers] == [listed, confirmed]

    @pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
    def test_who_left_are_not_let_in(self, change: dict[str, bool]) -> None:
        person, browser = User.objects.create_superuser("olga"), Client()
        browser.force_login(person)
        assert browser.get(ORDERS).status_code == 200

        User.objects.update(**change)

        assert browser.get(ORDERS).status_code == 401

    def test_need_the_csrf_token_to_change_anything(self) -> None:
        order, browser = sample_data.place_order(), Client(enforce_csrf_checks=True)
        browser.force_login(User.objects.create_superuser("olga"))

        answer = browser.post(f"{ORDERS}/{order.pk}/confirm-payment")

        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
        assert browser.get(ORDERS).status_code == 200


@pytest.mark.same_everywhere
class TestHowOften:
    def test_a_caller_may_ask_is_limited_for_each_alone(self, settings: Settings) -> None:
        settings.API_REQUESTS_PER_MINUTE = 3
        caches["throttle"].clear()
        busy, other = (
            build_client(sample_data.create_api_token(name)) for name in ("busy", "other")
        )
        browser = Client()
        browser.force_login(User.objects.create_superuser("olga"))

        answers = [busy.get(ORDERS) for _ in range(4)]

        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        refused = answers[-1]
        assert (refused.json()["code"], refused.json()["retryable"]) == ("throttled", True)
        assert 1 <= int(refused["Retry-After"]) <= 60
        assert [asks.get(ORDERS).status_code for asks in (other, browser)] == [200, 200]

    def test_is_not_limited_where_nothing_can_be_counted(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        (tmp_path / "a file").touch()
        settings.API_REQUESTS_PER_MINUTE = 1
        throttle = {**settings.CACHES["throttle"], "LOCATION": tmp_path / "a file" / "throttle"}
        settings.CACHES = {**settings.CACHES, "throttle": throttle}
        program = build_client(sample_data.create_api_token())

        assert [program.get(ORDERS).status_code for _ in range(2)] == [200] * 2


@pytest.mark.same_everywhere
class TestCommand:
    def test_makes_lists_and_takes_back(self) -> None:
        def said(*words: str) -> str:
            out = StringIO()
            call_command("api_token", *words, stdout=out, stderr=StringIO())
            return out.getvalue()

        text = said("create", "n8n", "--scope", "review", "--expires", "30").strip()
        assert build_client(text).get(ORDERS).status_code == 200
        listed = said("list")
        assert "n8n" in listed
        assert text[:10] in listed
        assert text not in listed
        token = ApiToken.objects.get()
        assert token.scope == Scope.REVIEW
        assert token.expires_at is not None
        assert token.expires_at - token.created_at == 30 * DAY

        said("revoke", "n8n")

        assert build_client(text).get(ORDERS).status_code == 401
        assert "revoked" in said("list")

    @pytest.mark.parametrize(
        "words",
        [
            ("create", "taken"),
            ("create", ""),
            ("create", "x" * 61),
            ("create", "new", "--expires", "0"),
            ("create", "new", "--scope", "everything"),
            ("revoke", "nobody"),
        ],
    )
    def test_says_what_it_cannot_do(self, words: tuple[str, ...]) -> None:
        sample_data.create_api_token("taken")

        with pytest.raises(CommandError):
            call_command("api_token", *words)

        assert ApiToken.objects.count() == 1


class TestTokensOfAnOlderVersion:
    """`rest_framework.authtoken` stored its tokens as plain text, one per user."""

    KEYS: Final = {name: f"{name:0<40}" for name in ("boss", "rita", "ida", "gone", "nobody")}

    def old_tokens(self) -> None:
        people = {
            "boss": User.objects.create_superuser("boss"),
            "rita": sample_data.create_user("rita", *sample_data.REVIEWER_PERMISSIONS),
            "ida": sample_data.create_user("ida", "view_order"),
            "gone": User.objects.create_superuser("gone", is_active=False),
            "nobody": sample_data.create_user("nobody", "view_logentry"),
        }
        moment = "timestamp with time zone" if connection.vendor == "postgresql" else "datetime"
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY,"
                f" created {moment} NOT NULL, user_id integer NOT NULL REFERENCES auth_user(id))"
            )
            for name, key in self.KEYS.items():
                row = (key, LONG_AGO, people[name].pk)
                cursor.execute("INSERT INTO authtoken_token VALUES (%s, %s, %s)", row)

    def test_go_on_working_with_what_their_people_may(self) -> None:
        self.old_tokens()
        migration = importlib.import_module("backoffice.api.migrations.0002_old_tokens")

        migration.forwards(apps, SimpleNamespace(connection=connection))

        tables = connection.introspection.table_names()
        assert "authtoken_token" not in tables
        kept = {token.name: (token.scope, token.revoked_at is None) for token in list_tokens()}
        assert kept == {
            "boss": ("ADMIN", True),
            "rita": ("REVIEW", True),
            "ida": ("READ", True),
            "gone": ("ADMIN", False),
            "nobody": ("READ", False),
        }
        assert {token.created_at for token in list_tokens()} == {LONG_AGO}
        assert build_client(self.KEYS["rita"]).get(ORDERS).status_code == 200

    def test_are_looked_for_once(self) -> None:
        migration = importlib.import_module("backoffice.api.migrations.0002_old_tokens")

        migration.forwards(apps, SimpleNamespace(connection=connection))

        assert list_tokens() == []


def list_tokens() -> list[ApiToken]:
    return list(ApiToken.objects.all())
