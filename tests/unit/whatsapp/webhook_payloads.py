"""Sample webhooks in Meta's format; people and numbers are fictional."""

import json
from typing import Any

from tests.builders import PHONE_NUMBER_ID

SENT_AT = "1795348800"  # 2026-11-22 12:00 UTC
WABA_ID = "102290129340398"
PHONE = "15550100001"
USER_ID = "US.13491208655302741918"


def build_message(**fields: Any) -> dict[str, Any]:
    """Build a text message of a buyer with phone and user id; None removes a key."""
    made = {
        "from": PHONE,
        "from_user_id": USER_ID,
        "id": "wamid.A1",
        "timestamp": SENT_AT,
        "type": "text",
        "text": {"body": "5 random"},
        **fields,
    }
    return {key: value for key, value in made.items() if value is not None}


def build_status(**fields: Any) -> dict[str, Any]:
    """Build the status of one of our messages; None removes a key."""
    made = {
        "id": "wamid.O1",
        "status": "delivered",
        "timestamp": SENT_AT,
        "recipient_id": PHONE,
        **fields,
    }
    return {key: value for key, value in made.items() if value is not None}


def build_value(**fields: Any) -> dict[str, Any]:
    """Build the value of a change with its metadata."""
    return {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550109999", "phone_number_id": PHONE_NUMBER_ID},
        **fields,
    }


def build_change(field: str | None = "messages", **fields: Any) -> dict[str, Any]:
    """Build a change of a business number."""
    made = {"value": build_value(**fields), "field": field}
    return {key: part for key, part in made.items() if part is not None}


def encode_webhook(*changes: Any, **entry: Any) -> bytes:
    """Encode a webhook with one entry."""
    document = {
        "object": "whatsapp_business_account",
        "entry": [{"id": WABA_ID, "changes": list(changes), **entry}],
    }
    return json.dumps(document).encode()
