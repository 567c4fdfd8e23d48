"""Tests of parsing real webhooks, from a folder beside the checkout if it exists."""

import json
from typing import Any

from shared.whatsapp import payloads
from tests.cases import walk_cases
from tests.conftest import skip_or_fail
from tests.real_payloads import REAL_PAYLOADS


def list_elements(value: Any) -> list[Any]:
    """Return the elements of an array, also of one written as `{"0": …}`."""
    return list(value.values()) if isinstance(value, dict) else list(value or [])


def list_changes(body: bytes) -> list[dict[str, Any]]:
    """Return all changes of a webhook."""
    entries = list_elements(json.loads(body).get("entry"))
    return [change for entry in entries for change in list_elements(entry.get("changes"))]


def test_the_folder_of_real_payloads_is_there() -> None:
    if not REAL_PAYLOADS:
        skip_or_fail("no folder shared/payloads beside the checkout")


@walk_cases(("name", "body"), REAL_PAYLOADS)
def test_a_real_webhook_is_read_without_loss(name: str, body: bytes) -> None:
    read = payloads.parse_webhook(body)

    ids = [
        item["id"]
        for change in list_changes(body)
        if change.get("field") in {"messages", "smb_message_echoes"}
        for name in ("messages", "statuses", "message_echoes")
        for item in list_elements(change["value"].get(name))
    ]
    kept = [item.wa_message_id for item in read.messages]
    kept += [item.wa_message_id for item in read.statuses]
    kept += [item.wa_message_id for item in read.echoes]
    assert kept == ids
    assert len(read.notices) >= sum(
        change.get("field") not in {"messages", "smb_message_echoes"} or "errors" in change["value"]
        for change in list_changes(body)
    )
    assert bool(read.unreadable) == (not list_changes(body))
    assert kept or read.notices or read.unreadable


@walk_cases(("name", "body"), REAL_PAYLOADS)
def test_a_real_webhook_that_comes_again_has_the_same_keys(name: str, body: bytes) -> None:
    once, again = (
        payloads.parse_webhook(body),
        payloads.parse_webhook(json.dumps(json.loads(body)).encode()),
    )

    assert once.messages == again.messages
    assert [notice.dedupe_key for notice in once.notices] == [
        notice.dedupe_key for notice in again.notices
    ]


@walk_cases(("name", "body"), REAL_PAYLOADS)
def test_a_real_webhook_never_makes_us_answer_ourselves(name: str, body: bytes) -> None:
    for item in payloads.parse_webhook(body).messages:
        if item.answerable:
            assert item.wa_id or item.user_id
            assert item.wa_id != item.display_phone_number
