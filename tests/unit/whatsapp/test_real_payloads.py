"""Real webhooks, replayed from the folder that stands beside the checkout where there is one."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shared.core.config import PROJECT_ROOT
from shared.whatsapp import payloads
from tests.conftest import skip_or_fail

FOLDER = next(
    (
        folder
        for parent in PROJECT_ROOT.parents
        if (folder := parent / "shared" / "payloads").is_dir()
    ),
    None,
)


def real_payloads() -> Iterator[Any]:
    """Give every payload by name: each file of `pywa` holds several, each other file is one."""
    for file in sorted(FOLDER.glob("*/*.json")) if FOLDER else []:
        document = json.loads(file.read_bytes())
        if file.parent.name == "pywa":
            for name, payload in document.items():
                yield pytest.param(json.dumps(payload).encode(), id=f"{file.stem}-{name}")
        else:
            yield pytest.param(file.read_bytes(), id=file.stem)


PAYLOADS = list(real_payloads())


def listed(value: Any) -> list[Any]:
    """Give the elements of an array, also of one written as `{"0": …}`."""
    return list(value.values()) if isinstance(value, dict) else list(value or [])


def changes(body: bytes) -> list[dict[str, Any]]:
    """Give all changes of a webhook."""
    entries = listed(json.loads(body).get("entry"))
    return [change for entry in entries for change in listed(entry.get("changes"))]


def test_the_folder_of_real_payloads_is_there() -> None:
    if not PAYLOADS:
        skip_or_fail("no folder shared/payloads beside the checkout")


@pytest.mark.parametrize("body", PAYLOADS)
def test_a_real_webhook_is_read_without_loss(body: bytes) -> None:
    read = payloads.parse_webhook(body)

    ids = [
        item["id"]
        for change in changes(body)
        if change.get("field") == "messages"
        for name in ("messages", "statuses")
        for item in listed(change["value"].get(name))
    ]
    kept = [item.wa_message_id for item in read.messages]
    kept += [item.wa_message_id for item in read.statuses]
    assert kept == ids
    assert len(read.notices) >= sum(
        change.get("field") != "messages" or "errors" in change["value"] for change in changes(body)
    )
    assert bool(read.unreadable) == (not changes(body))
    assert kept or read.notices or read.unreadable


@pytest.mark.parametrize("body", PAYLOADS)
def test_a_real_webhook_that_comes_again_has_the_same_keys(body: bytes) -> None:
    once, again = (
        payloads.parse_webhook(body),
        payloads.parse_webhook(json.dumps(json.loads(body)).encode()),
    )

    assert once.messages == again.messages
    assert [notice.dedupe_key for notice in once.notices] == [
        notice.dedupe_key for notice in again.notices
    ]


@pytest.mark.parametrize("body", PAYLOADS)
def test_a_real_webhook_never_makes_us_answer_ourselves(body: bytes) -> None:
    for item in payloads.parse_webhook(body).messages:
        if item.answerable:
            assert item.wa_id or item.user_id
            assert item.wa_id != item.display_phone_number
