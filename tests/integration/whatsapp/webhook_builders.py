"""Builders of webhooks as Meta sends them, and helpers for lock tests."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any, Final

from django.db import connection

from shared.whatsapp import payloads
from shared.whatsapp.services.inbox import webhook_store
from shared.whatsapp.services.inbox.webhook_store import StoredBatch
from shared.whatsapp.webhook_items import Webhook
from tests.builders import NOON, PHONE_NUMBER_ID
from tests.waiting import wait_until

PHONE: Final = "15550100001"
USER_ID: Final = "US.13491208655302741918"

_serial = count(1)


def build_message(
    wamid: str | None = None,
    *,
    phone: str | None = PHONE,
    user_id: str | None = None,
    at: datetime = NOON,
    **fields: Any,
) -> dict[str, Any]:
    """Return one element of `messages`, by default a text."""
    item = {
        "id": wamid or f"wamid.in{next(_serial)}",
        "timestamp": str(int(at.timestamp())),
        "type": "text",
        "text": {"body": "hello"},
        **fields,
    }
    if phone is not None:
        item["from"] = phone
    if user_id is not None:
        item["from_user_id"] = user_id
    return item


def build_status(
    name: str, *, wamid: str = "", callback_data: str = "", at: datetime = NOON, code: int = 0
) -> dict[str, Any]:
    """Return one element of `statuses`."""
    item: dict[str, Any] = {
        "id": wamid,
        "status": name,
        "timestamp": str(int(at.timestamp())),
        "recipient_id": PHONE,
    }
    if callback_data:
        item["biz_opaque_callback_data"] = callback_data
    if code:
        item["errors"] = [{"code": code, "title": "Refused", "message": "Refused"}]
    return item


def build_webhook(
    *messages: Mapping[str, Any],
    statuses: Sequence[Mapping[str, Any]] = (),
    contacts: Sequence[Mapping[str, Any]] = (),
    number: str = PHONE_NUMBER_ID,
) -> Webhook:
    """Return a parsed webhook with these messages and statuses."""
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550100000", "phone_number_id": number},
    }
    if contacts:
        value["contacts"] = list(contacts)
    if messages:
        value["messages"] = list(messages)
    if statuses:
        value["statuses"] = list(statuses)
    return build_change_webhook("messages", value)


def build_change_webhook(
    field: str,
    value: Mapping[str, Any],
    *,
    time: int = 1_743_451_903,
    waba_id: str = "102290129340398",
) -> Webhook:
    """Return a parsed webhook with one change of any field."""
    entry = {"id": waba_id, "time": time, "changes": [{"field": field, "value": value}]}
    document = {"object": "whatsapp_business_account", "entry": [entry]}
    return payloads.parse_webhook(json.dumps(document).encode())


def build_contact(
    name: str, *, phone: str | None = PHONE, user_id: str | None = None, username: str = ""
) -> dict[str, Any]:
    """Return one element of `contacts`."""
    profile = {"name": name} | ({"username": username} if username else {})
    keys = {"wa_id": phone, "user_id": user_id}
    return {"profile": profile} | {key: value for key, value in keys.items() if value}


def store_webhooks(*webhooks: Webhook, now: datetime = NOON) -> StoredBatch:
    """Store webhooks as the gateway does."""
    return webhook_store.store_webhooks_safely(
        webhooks, now=now, correlation_ids=["c0ffee"] * len(webhooks)
    )


def wait_for_blocked_lock() -> None:
    """Wait until another connection to this PostgreSQL is blocked."""
    with connection.cursor() as cursor:

        def count_blocked() -> int:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return int(cursor.fetchone()[0])

        wait_until(count_blocked)


def store_within_two_seconds(hook: Webhook) -> StoredBatch:
    """Store a webhook, but fail after two seconds of waiting for a PostgreSQL lock."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")
    return store_webhooks(hook)
