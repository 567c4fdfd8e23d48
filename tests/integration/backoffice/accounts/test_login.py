"""Tests of logging in: password, login lockout and second factor."""

from datetime import timedelta
from typing import Any, Final

import pytest
from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from backoffice.accounts import second_factor
from tests.integration.backoffice import sample_data

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]

PASSWORD: Final = "correct-horse-battery"
LOGIN: Final = "/admin/login/"


@pytest.fixture
def rita() -> User:
    return User.objects.create_user("rita", password=PASSWORD, is_staff=True)


def log_in(browser: Client, name: str = "rita", *, password: str = PASSWORD, **more: Any) -> Any:
    return browser.post(LOGIN, {"username": name, "password": password}, **more)


def add_second_factor(person: User) -> TOTPDevice:
    """Create a confirmed second factor for a user."""
    return TOTPDevice.objects.create(user=person, name="phone", confirmed=True)


def compute_code(phone: TOTPDevice) -> str:
    """Return the phone's current code and allow it to be used again."""
    TOTPDevice.objects.update(last_t=-1, throttling_failure_timestamp=None)
    return f"{totp(phone.bin_key):06d}"


class TestPassword:
    def test_leads_to_the_first_page_or_where_one_wanted_to_go(
        self, client: Client, rita: User
    ) -> None:
        plain = log_in(client)
        there = log_in(Client(), QUERY_STRING="next=/admin/raffles/order/")
        elsewhere = log_in(Client(), QUERY_STRING="next=https://evil.example/")

        assert plain["Location"] == "/admin/"
        assert there["Location"] == "/admin/raffles/order/"
        assert elsewhere["Location"] == "/admin/"

    def test_is_refused_kindly_and_says_nothing_about_the_name(
        self, client: Client, rita: User
    ) -> None:
        wrong = log_in(client, password="guess").content.decode()
        nobody = log_in(client, "nobody").content.decode()

        assert "do not belong together" in wrong
        assert "do not belong together" in nobody

    def test_makes_a_session_that_scripts_and_other_sites_cannot_use(
        self, client: Client, rita: User
    ) -> None:
        cookie = log_in(client).cookies["sessionid"]

        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
        assert cookie["max-age"] == 12 * 60 * 60


class TestPause:
    def fail_logins(self, browser: Client, times: int, **more: Any) -> Any:
        answers = [log_in(browser, password="guess", **more) for _ in range(times)]
        return answers[-1]

    def test_comes_after_five_wrong_passwords_and_says_how_long(
        self, client: Client, rita: User
    ) -> None:
        assert self.fail_logins(client, 4).status_code == 200

        locked = self.fail_logins(client, 1)
        right = log_in(client)

        assert (locked.status_code, right.status_code) == (429, 429)
        assert "15 minutes" in locked.content.decode()
        assert locked["Retry-After"] == "900"

    def test_is_for_one_name_from_one_place(self, client: Client, rita: User) -> None:
        User.objects.create_user("ida", password=PASSWORD, is_staff=True)
        self.fail_logins(client, 5)

        assert log_in(Client(), "ida").status_code == 302
        assert log_in(Client(), REMOTE_ADDR="192.0.2.7").status_code == 302

    def test_cannot_be_got_round_by_a_header_that_nobody_asked_for(
        self, client: Client, rita: User
    ) -> None:
        self.fail_logins(client, 5)

        assert log_in(Client(), HTTP_X_FORWARDED_FOR="198.51.100.9").status_code == 429

    def test_ends_by_itself(self, client: Client, rita: User) -> None:
        self.fail_logins(client, 5)
        attempt = AccessAttempt.objects.get()
        attempt.attempt_time -= timedelta(minutes=15, seconds=1)
        attempt.save()

        assert log_in(client).status_code == 302
        assert not AccessAttempt.objects.exists()


class TestSecondFactor:
    def test_is_asked_for_after_the_password_and_lets_in(self, client: Client, rita: User) -> None:
        phone = add_second_factor(rita)

        log_in(client)
        asked = client.get(LOGIN).content.decode()
        outside = client.get("/admin/")
        inside = client.post(LOGIN, {"code": compute_code(phone)})

        assert "Code from your app" in asked
        assert PASSWORD not in asked
        assert outside["Location"].startswith(LOGIN)
        assert inside["Location"] == "/admin/"
        assert client.get("/admin/security/").status_code == 200

    def test_is_not_asked_of_who_uses_none(self, client: Client, rita: User) -> None:
        assert log_in(client)["Location"] == "/admin/"

    def test_that_is_wrong_must_wait_before_the_next(self, client: Client, rita: User) -> None:
        phone = add_second_factor(rita)
        log_in(client)

        wrong = client.post(LOGIN, {"code": "000000"}).content.decode()
        at_once = client.post(LOGIN, {"code": f"{totp(phone.bin_key):06d}"}).content.decode()

        assert "does not fit" in wrong
        assert "Please wait 1 second" in at_once
        assert client.get("/admin/").status_code == 302

    def test_works_once_a_code(self, rita: User) -> None:
        code = compute_code(add_second_factor(rita))
        answers = []
        for _ in range(2):
            browser = Client()
            log_in(browser)
            answers.append(browser.post(LOGIN, {"code": code}).status_code)

        assert answers == [302, 200]

    def test_may_be_one_from_paper_once(self, rita: User) -> None:
        add_second_factor(rita)
        code = second_factor.create_recovery_codes(rita)[0].upper()
        answers = []
        for _ in range(2):
            browser = Client()
            log_in(browser)
            answers.append(browser.post(LOGIN, {"code": code}).status_code)

        assert answers == [302, 200]

    def test_may_be_left_for_another_name(self, client: Client, rita: User) -> None:
        add_second_factor(rita)
        log_in(client)

        client.post(LOGIN, {"again": "1"})

        assert "Password" in client.get(LOGIN).content.decode()

    def test_is_owed_only_a_while_and_not_after_the_password_changed(
        self, client: Client, rita: User
    ) -> None:
        phone = add_second_factor(rita)
        log_in(client)
        rita.set_password("another-one-entirely")
        rita.save()

        client.post(LOGIN, {"code": compute_code(phone)})

        assert client.get("/admin/").status_code == 302

    def test_keeps_out_sessions_that_never_gave_one_from_pages_and_the_api(
        self, owner: Client
    ) -> None:
        before = (owner.get("/admin/security/").status_code, owner.get("/api/orders").status_code)
        add_second_factor(User.objects.get(username="olga"))
        after = (owner.get("/admin/security/").status_code, owner.get("/api/orders").status_code)

        assert (before, after) == ((200, 200), (302, 401))

    def test_is_taken_away_by_a_superuser_alone_who_is_named(
        self, owner: Client, rita: User
    ) -> None:
        add_second_factor(rita)
        second_factor.create_recovery_codes(rita)
        address = reverse("admin:auth_user_reset_second_factor", args=[rita.pk])
        clerk = Client()
        clerk.force_login(sample_data.create_user("clerk", "change_user", "view_user"))

        refused = clerk.post(address)
        assert second_factor.has_second_factor(User.objects.get(pk=rita.pk))
        owner.post(address)

        assert refused.status_code == 403
        assert not second_factor.has_second_factor(User.objects.get(pk=rita.pk))
        entry = LogEntry.objects.get(object_id=str(rita.pk))
        assert (entry.user.username, entry.get_change_message()) == (
            "olga",
            "Reset the second factor",
        )
