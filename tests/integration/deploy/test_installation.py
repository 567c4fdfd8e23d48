"""Tests of the doctor's checks of the database and of the public address."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from deploy import installation
from gateway.doctor import CheckResult, CheckStatus
from shared.core.config import Settings
from shared.core.enums import RaffleStatus
from shared.raffles.models import OrderEvent
from shared.whatsapp.models import BusinessNumber
from tests import builders
from tests.builders import NOON, PHONE_NUMBER_ID

pytestmark = pytest.mark.django_db


def build_settings(**changes: str) -> Settings:
    return Settings(
        **{
            "django_secret_key": "x" * 50,
            "public_url": "https://raffles.example",
            "meta_phone_number_id": PHONE_NUMBER_ID,
            "meta_graph_url": "https://graph.facebook.com",
            **changes,
        }  # type: ignore[arg-type]
    )


def check_by_title(**changes: str) -> dict[str, CheckResult]:
    found = installation.check_installation(build_settings(**changes), now=NOON)
    return {finding.title: finding for finding in found}


class TestInstallation:
    def test_passes_with_a_login_and_an_open_raffle(self) -> None:
        User.objects.create_superuser("rita")
        builders.create_raffle(numbers=1, title="Winter Raffle")

        found = check_by_title()

        assert {finding.outcome for finding in found.values()} == {CheckStatus.PASSED}
        assert "Winter Raffle" in found["Raffle"].words

    def test_fails_on_an_empty_database_without_a_login_and_a_raffle(self) -> None:
        found = check_by_title()

        assert "createsuperuser" in found["Staff login"].remedy
        assert found["Raffle"].outcome is CheckStatus.FAILED
        assert found["Migrations"].has_passed

    def test_fails_on_payments_that_a_former_version_left_out_of_the_sums(self) -> None:
        order = builders.create_order_row(builders.create_raffle(), status="PAID")
        OrderEvent.objects.create(order=order, action="PAID", actor_kind="STAFF", at=NOON)

        found = check_by_title()["Update"]

        assert found.outcome is CheckStatus.FAILED
        assert "1 payments" in found.words
        assert "rafflebot upgrade" in found.remedy

    @pytest.mark.same_everywhere
    def test_ignores_users_who_may_not_log_in(self) -> None:
        User.objects.create_user("rita", is_staff=True, is_active=False)
        User.objects.create_user("otto", is_staff=False)

        assert not check_by_title()["Staff login"].has_passed

    @pytest.mark.same_everywhere
    def test_says_that_an_open_raffle_does_not_sell_yet(self) -> None:
        builders.create_raffle(numbers=1, sales_open_at=NOON + timedelta(days=1))

        assert "sells nothing now" in check_by_title()["Raffle"].words

    def test_ignores_a_raffle_of_another_business_number(self) -> None:
        builders.create_raffle(numbers=1, phone_number_id="999")

        assert not check_by_title()["Raffle"].has_passed
        assert check_by_title(meta_phone_number_id="999")["Raffle"].has_passed

    def test_ignores_a_paused_raffle(self) -> None:
        builders.create_raffle(numbers=1, status=RaffleStatus.PAUSED)

        assert "No raffle is open" in check_by_title()["Raffle"].words

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize(
        ("public", "graph", "outcome"),
        [
            ("https://raffles.example", "https://graph.facebook.com", CheckStatus.PASSED),
            ("http://raffles.example", "https://graph.facebook.com", CheckStatus.FAILED),
            ("http://127.0.0.1:8000", "https://graph.facebook.com", CheckStatus.FAILED),
            ("http://127.0.0.1:8000", "http://127.0.0.1:8090", CheckStatus.OPEN),
            ("http://raffles.example", "http://127.0.0.1:8090", CheckStatus.FAILED),
        ],
    )
    def test_requires_https_except_for_a_demo_on_this_machine(
        self, public: str, graph: str, outcome: CheckStatus
    ) -> None:
        found = check_by_title(public_url=public, meta_graph_url=graph)

        assert found["PUBLIC_URL"].outcome is outcome


@pytest.mark.same_everywhere
def test_says_when_the_disk_is_nearly_full(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_by_title()["Disk"].has_passed
    monkeypatch.setattr(installation, "MIN_FREE_MEGABYTES", 10**9)

    found = check_by_title(media_root="nowhere/media")["Disk"]

    assert found.outcome is CheckStatus.FAILED
    assert "no payment proof can be stored" in found.words
    assert "renditions" in found.remedy


class TestLastWebhook:
    def test_names_the_time_of_the_last_webhook(self) -> None:
        BusinessNumber.objects.create(phone_number_id=PHONE_NUMBER_ID, last_webhook_at=NOON)

        found = installation.check_last_webhook(build_settings(), now=NOON + timedelta(hours=24))

        assert found.has_passed
        assert found.words == "The last one arrived at 2026-11-22 12:00:00 UTC."

        found = installation.check_last_webhook(build_settings(), now=NOON + timedelta(hours=25))

        assert found.outcome is CheckStatus.OPEN
        assert found.words.endswith("UTC. That is more than 24 hours ago.")

    def test_names_possible_causes_before_the_first_webhook(self) -> None:
        BusinessNumber.objects.create(phone_number_id="999", last_webhook_at=NOON)

        found = installation.check_last_webhook(build_settings(), now=NOON)

        assert found.outcome is CheckStatus.OPEN
        for cause in ("`messages`", "Live", "override", "proxy"):
            assert cause in found.remedy


class TestRetention:
    @pytest.mark.same_everywhere
    def test_fails_once_nothing_erases_what_the_period_has_ended_for(self) -> None:
        settings = build_settings(retention_days="30")
        builders.create_contact(last_inbound_at=NOON, created_at=NOON)

        def check(*, days: int, settings: Settings = settings) -> list[CheckResult]:
            return installation.check_retention(settings, now=NOON + timedelta(days=days))

        assert check(days=99, settings=build_settings()) == []
        assert [found.outcome for found in check(days=31)] == [CheckStatus.PASSED]
        [late] = check(days=33)
        assert late.outcome is CheckStatus.FAILED
        assert "1 buyers" in late.words
        assert "raffle-retention.timer" in late.remedy


class TestStaffMail:
    @pytest.mark.same_everywhere
    def test_says_that_no_mail_server_is_set(self) -> None:
        found = installation.check_staff_mail(build_settings())

        assert (found.outcome, found.remedy) == (CheckStatus.OPEN, "")
        assert "EMAIL_HOST" in found.words

    @pytest.mark.same_everywhere
    def test_counts_who_would_get_one(self) -> None:
        settings = build_settings(
            email_host="mail.example.com", default_from_email="raffles@example.com"
        )
        nobody = installation.check_staff_mail(settings)
        User.objects.create_superuser("rita", "rita@example.com")

        found = installation.check_staff_mail(settings)

        assert "nobody" in nobody.words
        assert nobody.remedy
        assert found.has_passed
        assert found.words == "1 person gets them, through mail.example.com"
