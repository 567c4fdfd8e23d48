"""Tests of the insertion of many rows: what they hold, their order, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, IntegrityError, transaction

from shared.core.statements.bulk_insert import insert_new_rows
from shared.whatsapp.models import DeliveryStatus, UnreadableItem
from tests.builders import NOON

pytestmark = pytest.mark.django_db

STATUS_KEY = ["phone_number_id", "wa_message_id", "status", "participant"]


def build_row(wamid: str, **fields: Any) -> dict[str, Any]:
    return {
        "phone_number_id": "1",
        "wa_message_id": wamid,
        "status": "sent",
        "participant": "",
        "callback_data": "",
        "occurred_at": NOON + timedelta(microseconds=7),
        "error_code": None,
        "error": "",
        "payload": {},
        "received_at": NOON,
        "next_attempt_at": NOON,
        "applied_at": None,
        **fields,
    }


def test_values_return_as_they_were_and_in_their_order() -> None:
    payload = {"text": "é ✓ 'quoted' \\ %s 👍", "list": [1, None, {"deep": 0.5}], "huge": 2**70}
    rows = [
        build_row(wamid, payload=payload, error="it's 5 %", error_code=-3, applied_at=NOON)
        for wamid in ("w3", "w1", "w2")
    ]

    insert_new_rows(DeliveryStatus, rows, unique=STATUS_KEY)

    stored = list(DeliveryStatus.objects.order_by("id").values(*rows[0]))
    assert stored == rows


def test_bytes_and_rows_of_many_statements() -> None:
    rows = [
        {"sha256": str(n), "body": b"\x00\xff\\" * n, "reason": "", "received_at": NOON}
        for n in range(1_001)
    ]

    insert_new_rows(UnreadableItem, rows, unique=["sha256"])

    assert UnreadableItem.objects.count() == 1_001
    assert bytes(UnreadableItem.objects.get(sha256="2").body) == b"\x00\xff\\" * 2


def test_a_row_that_exists_stays_as_it_is() -> None:
    insert_new_rows(DeliveryStatus, [build_row("w1", error="first")], unique=STATUS_KEY)

    insert_new_rows(
        DeliveryStatus, [build_row("w1", error="second"), build_row("w2")], unique=STATUS_KEY
    )

    assert DeliveryStatus.objects.get(wa_message_id="w1").error == "first"
    assert DeliveryStatus.objects.count() == 2


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"error": None}, IntegrityError),
        ({"error_code": 2**70}, (DataError, OverflowError)),
        ({"received_at": None}, IntegrityError),
    ],
    ids=str,
)
def test_any_other_violation_is_raised(fields: dict[str, Any], errors: Any) -> None:
    with pytest.raises(errors), transaction.atomic():
        insert_new_rows(DeliveryStatus, [build_row("w1", **fields)], unique=STATUS_KEY)

    assert not DeliveryStatus.objects.exists()
