"""Tests of Meta's account notices: stored, with alarms and pauses where needed."""

from datetime import datetime
from typing import Any

import pytest

from shared.whatsapp import payloads
from shared.whatsapp.models import AccountNotice, Alarm, BusinessNumber
from shared.whatsapp.services import business_numbers
from tests.builders import MINUTE, NOON, PHONE_NUMBER_ID
from tests.cases import roll_back, walk_cases
from tests.integration.whatsapp.webhook_builders import build_change_webhook, store_webhooks
from tests.real_payloads import REAL_PAYLOADS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def two_numbers() -> None:
    business_numbers.record_webhook({PHONE_NUMBER_ID: "15550100000", "2": "15550100009"}, now=NOON)
    Alarm.objects.all().delete()


def restrict(*kinds: str, ends: datetime | None = None) -> dict[str, Any]:
    """Return an account update that restricts the account."""
    end = {"expiration": int(ends.timestamp())} if ends else {}
    info = [{"restriction_type": kind, **end} for kind in kinds]
    return {"event": "ACCOUNT_RESTRICTION", "restriction_info": info}


def list_paused_numbers() -> list[str]:
    pauses = BusinessNumber.objects.exclude(paused_at=None).order_by("phone_number_id")
    return [number.phone_number_id for number in pauses]


class TestAccountUpdate:
    @pytest.mark.parametrize(
        "value",
        [
            {"event": "ACCOUNT_DELETED"},
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}},
            restrict("RESTRICTED_CUSTOMER_INITIATED_MESSAGING"),
            restrict("RESTRICTED_CUSTOMER_INITIATED_MESSAGING", ends=NOON + MINUTE),
            restrict(
                "RESTRICTED_BIZ_INITIATED_MESSAGING", "RESTRICTED_CUSTOMER_INITIATED_MESSAGING"
            ),
        ],
    )
    def test_pauses_sending_when_replies_are_refused(self, value: dict[str, Any]) -> None:
        store_webhooks(build_change_webhook("account_update", value))

        assert list_paused_numbers() == [PHONE_NUMBER_ID, "2"]
        number = BusinessNumber.objects.get(phone_number_id=PHONE_NUMBER_ID)
        assert number.pause_reason == f"Meta reports {value['event']}."
        assert number.probe_at == NOON + business_numbers.PROBE_INTERVAL
        assert Alarm.objects.filter(key__startswith="notice:account_update").count() == 1

    @walk_cases(
        "value",
        [
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}},
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "SCHEDULE_FOR_DISABLE"}},
            {"event": "ACCOUNT_RESTRICTION"},
            restrict("RESTRICTED_BIZ_INITIATED_MESSAGING"),
            restrict("RESTRICTED_BIZ_INITIATED_MESSAGING", "RESTRICTED_ADD_PHONE_NUMBER_ACTION"),
            restrict("RESTRICTED_USER_INITIATED_CALLING"),
            restrict("RESTRICTED_USER_INITIATED_CALLING_CALL_BUTTON_HIDDEN"),
            restrict("RESTRICTED_CUSTOMER_INITIATED_MESSAGING", ends=NOON - MINUTE),
            {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "ADULT"}},
            restrict("RESTRICTED_BUSINESS_INITIATED_CALLING"),
        ],
    )
    @roll_back
    def test_sends_on_when_they_are_not(self, value: dict[str, Any]) -> None:
        store_webhooks(build_change_webhook("account_update", value))

        assert list_paused_numbers() == []
        assert Alarm.objects.count() == 1

    @pytest.mark.parametrize("shown", ["15550100009", "+1 555-010-0009"])
    def test_pauses_only_the_number_it_names(self, shown: str) -> None:
        value = restrict("RESTRICTED_CUSTOMER_INITIATED_MESSAGING")
        store_webhooks(build_change_webhook("account_update", {**value, "phone_number": shown}))

        assert list_paused_numbers() == ["2"]

    def test_pauses_nothing_when_it_names_a_number_that_is_not_ours(self) -> None:
        value = restrict("RESTRICTED_CUSTOMER_INITIATED_MESSAGING")
        named = {**value, "phone_number": "15550100077"}
        store_webhooks(build_change_webhook("account_update", named))

        assert list_paused_numbers() == []

    def test_of_another_account_pauses_nothing_and_sounds_its_alarm(self) -> None:
        notice = build_change_webhook("account_update", {"event": "ACCOUNT_DELETED"}, waba_id="999")
        store_webhooks(notice)

        assert list_paused_numbers() == []
        assert AccountNotice.objects.get().waba_id == "999"
        assert "another WhatsApp account" in Alarm.objects.get().detail

    def test_pauses_only_numbers_whose_own_webhooks_name_the_account(self) -> None:
        business_numbers.record_webhook({"2": ""}, now=NOON + MINUTE, waba_ids={"2": "999"})
        store_webhooks(
            build_change_webhook("account_update", {"event": "ACCOUNT_DELETED"}, waba_id="999")
        )

        assert list_paused_numbers() == ["2"]

    def test_pauses_no_number_that_is_not_ours(self) -> None:
        business_numbers.record_webhook({"999": ""}, now=NOON)

        store_webhooks(build_change_webhook("account_update", {"event": "ACCOUNT_DELETED"}))

        assert list_paused_numbers() == [PHONE_NUMBER_ID, "2"]

    def test_acts_once_however_often_it_comes(self) -> None:
        hook = build_change_webhook("account_update", {"event": "ACCOUNT_DELETED"})
        store_webhooks(hook)
        BusinessNumber.objects.update(paused_at=None)

        store_webhooks(hook)

        assert list_paused_numbers() == []
        assert {alarm.count for alarm in Alarm.objects.all()} == {1}


@pytest.mark.skipif(not REAL_PAYLOADS, reason="no folder shared/payloads")
@walk_cases(("name", "body"), [each for each in REAL_PAYLOADS if "account_update" in each[0]])
@roll_back
def test_of_metas_own_samples_only_a_deleted_account_pauses(name: str, body: bytes) -> None:
    store_webhooks(payloads.parse_webhook(body))

    deleted = name.endswith(("ACCOUNT_DELETED", "account_deleted"))
    assert list_paused_numbers() == ([PHONE_NUMBER_ID, "2"] if deleted else [])
    assert AccountNotice.objects.count() == 1


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
