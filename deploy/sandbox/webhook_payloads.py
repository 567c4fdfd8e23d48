"""JSON of Meta's webhooks in the format of 2026, its encoding and its signature.

Source: developers.facebook.com/documentation/business-messaging/whatsapp, pages
webhooks/reference/messages, webhooks/reference/messages/status and, for the signature,
webhooks/create-webhook-endpoint.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

from deploy.sandbox.chat import ChatEntry, OutgoingMessage, SandboxBuyer
from deploy.sandbox.graph_errors import build_status_error
from deploy.sandbox.options import SandboxOptions

JsonObject = dict[str, Any]


def encode_json(payload: Any) -> bytes:
    r"""Encode JSON as Meta does: ASCII only, with `\/` and `\u003c` escaped."""
    plain = json.dumps(payload, ensure_ascii=True, separators=(",", ":"))
    return plain.replace("/", "\\/").replace("<", "\\u003c").encode("ascii")


def compute_hub_signature(body: bytes, *, secret: str) -> str:
    """Return the value of `X-Hub-Signature-256` for these bytes."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def build_contact(buyer: SandboxBuyer, *, hide_phone: bool) -> JsonObject:
    """Build the item of `contacts[]`, without `wa_id` if the phone is hidden."""
    profile = {"name": buyer.name}
    if buyer.username:
        profile["username"] = buyer.username
    item: JsonObject = {"profile": profile}
    if not hide_phone:
        item["wa_id"] = buyer.wa_id
    if buyer.user_id:
        item["user_id"] = buyer.user_id
    return item


def build_sender(buyer: SandboxBuyer, *, hide_phone: bool) -> JsonObject:
    """Build the keys of a message that identify its sender."""
    item: JsonObject = {} if hide_phone else {"from": buyer.wa_id}
    if buyer.user_id:
        item["from_user_id"] = buyer.user_id
    return item


def build_messages_change(
    options: SandboxOptions, *, phone_number_id: str, value: Mapping[str, Any]
) -> JsonObject:
    """Build a webhook with one change of the field `messages`."""
    return {
        "object": "whatsapp_business_account",
        "entry": [
            {
                "id": options.waba_id,
                "changes": [
                    {"value": _build_value(options, phone_number_id, value), "field": "messages"}
                ],
            }
        ],
    }


def build_messages_webhook(
    options: SandboxOptions, *, sent: Sequence[tuple[SandboxBuyer, ChatEntry]]
) -> JsonObject:
    """Build one webhook with these messages, with a change for each business number."""
    changes = []
    for phone_number_id in dict.fromkeys(entry.phone_number_id for _, entry in sent):
        pairs = [(b, entry) for b, entry in sent if entry.phone_number_id == phone_number_id]
        contacts = {b.wa_id: build_contact(b, hide_phone=entry.phone_hidden) for b, entry in pairs}
        value: JsonObject = {"contacts": list(contacts.values())}
        if all(entry.raw.get("type") == "system" for _, entry in pairs):
            value = {}
        value["messages"] = [entry.raw for _, entry in pairs]
        changes.append(
            {"value": _build_value(options, phone_number_id, value), "field": "messages"}
        )
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": options.waba_id, "changes": changes}],
    }


def build_status_webhook(
    options: SandboxOptions, *, outgoing: OutgoingMessage, name: str, now: float
) -> JsonObject:
    """Build the webhook with a status of a sent message."""
    buyer = outgoing.buyer
    item: JsonObject = {"id": outgoing.id, "status": name, "timestamp": str(int(now))}
    value: JsonObject = {}
    if buyer is not None:
        if buyer.wa_id and not buyer.hide_phone:
            item["recipient_id"] = buyer.wa_id
        if buyer.user_id and name != "failed":
            item["recipient_user_id"] = buyer.user_id
        if name in {"delivered", "read"}:
            value["contacts"] = [build_contact(buyer, hide_phone=buyer.hide_phone)]
    if "biz_opaque_callback_data" in outgoing.body:
        item["biz_opaque_callback_data"] = outgoing.body["biz_opaque_callback_data"]
    if name in {"sent", "delivered"}:
        item["pricing"] = {
            "billable": False,
            "pricing_model": "PMP",
            "type": "free_customer_service",
            "category": "service",
        }
    if name == "failed":
        item["errors"] = [build_status_error(outgoing.failure_code or 131000)]
    value["statuses"] = [item]
    return build_messages_change(options, phone_number_id=outgoing.phone_number_id, value=value)


def _build_value(
    options: SandboxOptions, phone_number_id: str, value: Mapping[str, Any]
) -> JsonObject:
    return {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": options.get_display_number(phone_number_id),
            "phone_number_id": phone_number_id,
        },
        **value,
    }
