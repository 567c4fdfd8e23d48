"""What the doctor sees in the database."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from deploy import installation
from gateway.doctor import CheckResult, CheckStatus
from shared.core.config import Settings
from shared.core.enums import RaffleStatus
from shared.whatsapp.models import BusinessNumber
from tests import builders
from tests.builders import NOON, PHONE_NUMBER_ID

pytestmark = pytest.mark.django_db


def settings(**changes: str) -> Settings:
    return Settings(
        **{
            "django_secret_key": "x" * 50,
            "public_url": "https://raffles.example",
            "meta_phone_number_id": PHONE_NUMBER_ID,
            "meta_graph_url": "https://graph.facebook.com",
            **changes,
        }  # type: ignore[arg-type]
    )


def examined(**changes: str) -> dict[str, CheckResult]:
    found = installation.check_installation(settings(**changes), now=NOON)
    return {finding.title: finding for finding in found}


class TestExamine:
    def test_finds_nothing_wrong_where_nothing_is(self) -> None:
        User.objects.create_superuser("rita")
        builders.create_raffle(numbers=1, title="Winter Raffle")

        found = examined()

        assert {finding.outcome for finding in found.values()} == {CheckStatus.PASSED}
        assert "Winter Raffle" in found["Raffle"].words

    def test_an_empty_database_lacks_a_login_and_a_raffle(self) -> None:
        found = examined()

        assert "createsuperuser" in found["Staff login"].remedy
        assert found["Raffle"].outcome is CheckStatus.FAILED
        assert found["Migrations"].has_passed

    @pytest.mark.same_everywhere
    def test_a_login_that_may_not_enter_does_not_count(self) -> None:
        User.objects.create_user("rita", is_staff=True, is_active=False)
        User.objects.create_user("otto", is_staff=False)

        assert not examined()["Staff login"].has_passed

    @pytest.mark.same_everywhere
    def test_an_open_raffle_that_sells_nothing_now_is_told_apart(self) -> None:
        builders.create_raffle(numbers=1, sales_open_at=NOON + timedelta(days=1))

        assert "sells nothing now" in examined()["Raffle"].words

    def test_a_raffle_of_another_business_number_does_not_count(self) -> None:
        builders.create_raffle(numbers=1, phone_number_id="999")

        assert not examined()["Raffle"].has_passed
        assert examined(meta_phone_number_id="999")["Raffle"].has_passed

    def test_a_paused_raffle_does_not_count(self) -> None:
        builders.create_raffle(numbers=1, status=RaffleStatus.PAUSED)

        assert "none is open" in examined()["Raffle"].words

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
    def test_only_a_demo_on_this_machine_does_without_https(
        self, public: str, graph: str, outcome: CheckStatus
    ) -> None:
        found = examined(public_url=public, meta_graph_url=graph)

        assert found["PUBLIC_URL"].outcome is outcome


class TestLastWebhook:
    def test_says_when_meta_was_heard_last(self) -> None:
        BusinessNumber.objects.create(phone_number_id=PHONE_NUMBER_ID, last_webhook_at=NOON)

        found = installation.check_last_webhook(settings())

        assert found.has_passed
        assert "2026-11-22 12:00:00 UTC" in found.words

    def test_before_the_first_one_it_names_the_causes_of_silence(self) -> None:
        BusinessNumber.objects.create(phone_number_id="999", last_webhook_at=NOON)

        found = installation.check_last_webhook(settings())

        assert found.outcome is CheckStatus.OPEN
        for cause in ("`messages`", "Live", "override", "proxy"):
            assert cause in found.remedy
