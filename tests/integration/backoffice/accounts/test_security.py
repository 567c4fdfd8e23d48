"""Tests of a user's own security page and of the security headers of every answer."""

import re
from base64 import b32decode
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from backoffice.accounts import second_factor
from shared.staff_mail import deliveries

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]

PASSWORD = "correct-horse-battery"


@pytest.fixture
def rita(client: Client) -> User:
    """Log a member of staff in."""
    person = User.objects.create_user("rita", password=PASSWORD, is_staff=True)
    client.force_login(person)
    return person


def press_button(browser: Client, name: str, **form: str) -> str:
    """Press a button of the page and return the page that follows."""
    TOTPDevice.objects.update(last_t=-1, throttling_failure_timestamp=None)
    return browser.post(reverse(f"admin:desk_security_{name}"), form, follow=True).content.decode()


def compute_code(key: bytes) -> str:
    return f"{totp(key):06d}"


def turn_on_second_factor(browser: Client) -> tuple[bytes, list[str]]:
    """Turn the second factor on and return the phone's key and the recovery codes."""
    page = press_button(browser, "start")
    letters = re.search(r'class="secret">([A-Z2-7 ]+)<', page)
    assert letters is not None
    key = b32decode(letters[1].replace(" ", ""))
    done = press_button(browser, "confirm", code=compute_code(key))
    return key, re.findall(r"<li><code>([a-z2-7 ]+)</code>", done)


class TestTurningOn:
    def test_shows_a_picture_to_scan_and_counts_once_the_phone_is_right(
        self, client: Client, rita: User
    ) -> None:
        page = press_button(client, "start")
        assert "<svg" in page
        assert not second_factor.has_second_factor(rita)

        wrong = press_button(client, "confirm", code="000000")

        assert "does not fit" in wrong
        assert not second_factor.has_second_factor(rita)

    def test_gives_ten_codes_for_paper_that_are_shown_once(
        self, client: Client, rita: User
    ) -> None:
        _, codes = turn_on_second_factor(client)
        again = client.get(reverse("admin:desk_security")).content.decode()

        assert len(set(codes)) == 10
        assert codes[0] not in again
        assert "10 unused recovery codes" in again

    def test_keeps_this_session_in_and_is_written_down(self, client: Client, rita: User) -> None:
        turn_on_second_factor(client)

        assert client.get("/admin/security/").status_code == 200
        assert LogEntry.objects.get().get_change_message() == "Turned the second factor on"

    def test_can_be_left_alone(self, client: Client, rita: User) -> None:
        press_button(client, "start")

        assert "Turn on" in press_button(client, "stop")
        assert not TOTPDevice.objects.exists()


class TestTurningOff:
    def test_takes_the_password_and_a_code(self, client: Client, rita: User) -> None:
        key, codes = turn_on_second_factor(client)

        no_password = press_button(client, "off", password="guess", code=compute_code(key))
        no_code = press_button(client, "off", password=PASSWORD, code="000000")
        assert second_factor.has_second_factor(rita)
        off = press_button(client, "off", password=PASSWORD, code=codes[0])

        assert "not your password" in no_password
        assert "does not fit" in no_code
        assert "is off" in off
        assert not second_factor.has_second_factor(rita)

    def test_does_not_let_one_guess_the_password(self, client: Client, rita: User) -> None:
        turn_on_second_factor(client)
        for _ in range(3):
            press_button(client, "off", password="guess", code="000000")
        address = reverse("admin:desk_security_off")

        page = client.post(address, {"password": PASSWORD, "code": "000000"}, follow=True)

        assert "Please wait" in page.content.decode()

    def test_new_codes_for_paper_make_the_old_ones_void(self, client: Client, rita: User) -> None:
        key, codes = turn_on_second_factor(client)

        press_button(client, "codes", code=compute_code(key))

        now = timezone.now()
        assert isinstance(
            second_factor.check_code(rita, codes[0], now=now), second_factor.CodeWrong
        )
        assert second_factor.count_recovery_codes(rita) == 10


class TestMail:
    def test_says_what_is_missing_before_it_can_be_switched(
        self, client: Client, rita: User, settings: Settings
    ) -> None:
        page = client.get(reverse("admin:desk_security")).content.decode()
        settings.EMAIL_HOST = "mail.example.com"
        without_address = client.get(reverse("admin:desk_security")).content.decode()

        assert "This installation sends none" in page
        assert "Your account has no e-mail address" in without_address

    def test_is_switched_off_and_on_and_written_down(
        self, client: Client, rita: User, settings: Settings
    ) -> None:
        settings.EMAIL_HOST = "mail.example.com"
        User.objects.update(email="rita@example.com")
        assert "rita@example.com" in client.get(reverse("admin:desk_security")).content.decode()

        off = press_button(client, "mail", mail="off")
        wanted = [deliveries.wants_mail(rita.pk)]
        again = press_button(client, "mail", mail="off")
        on = press_button(client, "mail", mail="on")
        wanted.append(deliveries.wants_mail(rita.pk))

        assert wanted == [False, True]
        assert "E-mails to you are off." in off
        assert "E-mails to you are off." in again
        assert "E-mails to you are on." in on
        assert [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")] == [
            "Switched e-mails off",
            "Switched e-mails on",
        ]


class TestSessions:
    def test_last_from_the_last_use_and_are_not_written_at_every_request(
        self, client: Client, rita: User, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(2):  # the session and its user
            client.get("/admin/jsi18n/")
        session = client.session
        session["last_used"] -= 11 * 60
        session.save()

        client.get("/admin/jsi18n/")

        assert client.session["last_used"] > session["last_used"]
        assert client.session[SESSION_KEY] == str(rita.pk)

    def test_is_not_extended_by_a_page_that_polls_by_itself(self, client: Client) -> None:
        client.force_login(User.objects.create_superuser("olga"))
        session = client.session
        session["last_used"] -= 11 * 60
        session.save()

        client.get("/admin/queue/state/", headers={"X-Background-Request": "yes"})

        assert client.session["last_used"] == session["last_used"]

    def test_end_everywhere_else_when_the_password_changes(
        self, client: Client, rita: User
    ) -> None:
        elsewhere = Client()
        elsewhere.force_login(rita)
        new = {"new_password1": "brand-new-words-9", "new_password2": "brand-new-words-9"}

        client.post("/admin/password_change/", {"old_password": PASSWORD, **new})

        assert client.get("/admin/security/").status_code == 200
        assert elsewhere.get("/admin/security/").status_code == 302
