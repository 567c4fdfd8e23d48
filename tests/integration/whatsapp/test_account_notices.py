"""Tests of Meta's account notices: stored, with alarms and pauses where needed."""

from typing import Any

import pytest

from shared.whatsapp.models import AccountNotice, Alarm, BusinessNumber
from shared.whatsapp.services import business_numbers
from tests.builders import NOON, PHONE_NUMBER_ID
from tests.integration.whatsapp.webhook_builders import build_change_webhook, store_webhooks

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def two_numbers() -> None:
    business_numbers.record_webhook({PHONE_NUMBER_ID: "15550100000", "2": "15550100009"}, now=NOON)
    Alarm.objects.all().delete()


def list_paused_numbers() -> list[str]:
    pauses = BusinessNumber.objects.exclude(paused_at=None).order_by("phone_number_id")
    return [number.phone_number_id for number in pauses]


class TestAccountUpdate:
    @pytest.mark.parametrize(
        "value",
        [
            {"event": "ACCOUNT_DELETED"},
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}},
            {"event": "ACCOUNT_RESTRICTION"},
            {
                "event": "ACCOUNT_RESTRICTION",
                "restriction_info": [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING"}],
            },
        ],
    )
    def test_pauses_sending_when_messages_are_refused(self, value: dict[str, Any]) -> None:
        store_webhooks(build_change_webhook("account_update", value))

        assert list_paused_numbers() == [PHONE_NUMBER_ID, "2"]
        number = BusinessNumber.objects.get(phone_number_id=PHONE_NUMBER_ID)
        assert number.pause_reason == f"Meta reports {value['event']}."
        assert number.probe_at == NOON + business_numbers.PROBE_INTERVAL
        assert Alarm.objects.filter(key__startswith="notice:account_update").count() == 1

    @pytest.mark.parametrize(
        "value",
        [
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}},
            {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "ADULT"}},
            {
                "event": "ACCOUNT_RESTRICTION",
                "restriction_info": [{"restriction_type": "RESTRICTED_BUSINESS_INITIATED_CALLING"}],
            },
        ],
    )
    def test_sends_on_when_they_are_not(self, value: dict[str, Any]) -> None:
        store_webhooks(build_change_webhook("account_update", value))

        assert list_paused_numbers() == []
        assert Alarm.objects.count() == 1

    def test_pauses_only_the_number_it_names(self) -> None:
        store_webhooks(
            build_change_webhook(
                "account_update", {"event": "ACCOUNT_RESTRICTION", "phone_number": "15550100009"}
            )
        )

        assert list_paused_numbers() == ["2"]

    def test_acts_once_however_often_it_comes(self) -> None:
        hook = build_change_webhook("account_update", {"event": "ACCOUNT_DELETED"})
        store_webhooks(hook)
        BusinessNumber.objects.update(paused_at=None)

        store_webhooks(hook)

        assert list_paused_numbers() == []
        assert {alarm.count for alarm in Alarm.objects.all()} == {1}


class TestOtherNotices:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("account_alerts", {"alert_info": {"alert_severity": "WARNING"}}),
            ("security", {"event": "PIN_RESET_REQUEST"}),
            ("phone_number_quality_update", {"event": "FLAGGED"}),
        ],
    )
    def test_sounds_an_alarm_for_what_a_person_should_see(
        self, field: str, value: dict[str, Any]
    ) -> None:
        store_webhooks(build_change_webhook(field, value))

        assert AccountNotice.objects.get().needs_attention
        assert Alarm.objects.get().key.startswith(f"notice:{field}")

    def test_keeps_the_rest_quietly(self) -> None:
        stored = store_webhooks(
            build_change_webhook("message_template_status_update", {"event": "APPROVED"})
        )

        assert stored.notices == AccountNotice.objects.count() == 1
        assert Alarm.objects.count() == 0
