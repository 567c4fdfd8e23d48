"""The JSON of Meta's webhooks, in the shape of 2026, and how it is written and signed.

Source: developers.facebook.com/documentation/business-messaging/whatsapp, pages
webhooks/reference/messages, webhooks/reference/messages/status and, for the signature,
webhooks/create-webhook-endpoint.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

from deploy.sandbox.chat import Buyer, Entry, Outgoing
from deploy.sandbox.graph_errors import status_error
from deploy.sandbox.options import Options

Json = dict[str, Any]


def encoded(payload: Any) -> bytes:
    r"""Write JSON as Meta does: ASCII only, with `\/` and `\u003c` escaped."""
    plain = json.dumps(payload, ensure_ascii=True, separators=(",", ":"))
    return plain.replace("/", "\\/").replace("<", "\\u003c").encode("ascii")


def signature(body: bytes, *, secret: str) -> str:
    """Give the value of `X-Hub-Signature-256` for exactly these bytes."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def contact(buyer: Buyer, *, hide_phone: bool) -> Json:
    """Give the item of `contacts[]`; without `wa_id` when the phone is hidden."""
    profile = {"name": buyer.name}
    if buyer.username:
        profile["username"] = buyer.username
    item: Json = {"profile": profile}
    if not hide_phone:
        item["wa_id"] = buyer.wa_id
    if buyer.user_id:
        item["user_id"] = buyer.user_id
    return item


def sender(buyer: Buyer, *, hide_phone: bool) -> Json:
    """Give the keys of a message that say who sent it."""
    item: Json = {} if hide_phone else {"from": buyer.wa_id}
    if buyer.user_id:
        item["from_user_id"] = buyer.user_id
    return item


def webhook(options: Options, *, phone_number_id: str, value: Mapping[str, Any]) -> Json:
    """Wrap one change of the field `messages`."""
    return {
        "object": "whatsapp_business_account",
        "entry": [
            {
                "id": options.waba_id,
                "changes": [
                    {"value": _value(options, phone_number_id, value), "field": "messages"}
                ],
            }
        ],
    }


def messages(options: Options, *, sent: Sequence[tuple[Buyer, Entry]]) -> Json:
    """Build one webhook with these buyers' messages, a change for each business number."""
    changes = []
    for phone_number_id in dict.fromkeys(entry.phone_number_id for _, entry in sent):
        pairs = [(b, entry) for b, entry in sent if entry.phone_number_id == phone_number_id]
        contacts = {b.wa_id: contact(b, hide_phone=entry.hidden_phone) for b, entry in pairs}
        value: Json = {"contacts": list(contacts.values())}
        if all(entry.raw.get("type") == "system" for _, entry in pairs):
            value = {}
        value["messages"] = [entry.raw for _, entry in pairs]
        changes.append({"value": _value(options, phone_number_id, value), "field": "messages"})
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": options.waba_id, "changes": changes}],
    }


def status(options: Options, *, outgoing: Outgoing, name: str, now: float) -> Json:
    """Build the webhook that tells what became of a message that was sent."""
    buyer = outgoing.buyer
    item: Json = {"id": outgoing.id, "status": name, "timestamp": str(int(now))}
    value: Json = {}
    if buyer is not None:
        if buyer.wa_id and not buyer.hide_phone:
            item["recipient_id"] = buyer.wa_id
        if buyer.user_id and name != "failed":
            item["recipient_user_id"] = buyer.user_id
        if name in {"delivered", "read"}:
            value["contacts"] = [contact(buyer, hide_phone=buyer.hide_phone)]
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
        item["errors"] = [status_error(outgoing.fails or 131000)]
    value["statuses"] = [item]
    return webhook(options, phone_number_id=outgoing.phone_number_id, value=value)


def _value(options: Options, phone_number_id: str, value: Mapping[str, Any]) -> Json:
    return {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": options.display_phone_number(phone_number_id),
            "phone_number_id": phone_number_id,
        },
        **value,
    }
