"""Buyers who stop or resume messages in WhatsApp itself, below a template or in the chat's info.

It is taken as a STOP or START without a confirmation: they did not write, so nothing answers them.

Source: Meta's page "user_preferences webhook reference".
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q

from shared.whatsapp.json_reader import read_items, read_mapping, read_string, read_timestamp
from shared.whatsapp.models import WhatsAppContact
from shared.whatsapp.sender_ids import parse_person_id, parse_phone_number
from shared.whatsapp.services import handover, opt_out
from shared.whatsapp.services.inbox import contacts


def apply_preferences(phone_number_id: str, value: Mapping[str, Any], *, now: datetime) -> None:
    """Stop or resume messages to the buyers whom a webhook names; strangers are left out.

    What they chose later counts; within a second, what comes later in the webhook.

    Args:
        phone_number_id: the business number, one of ours.
        value: the value of the change.
        now: the current time.

    """
    items = list(map(read_mapping, read_items(value.get("user_preferences"))))
    chosen = [(min(read_timestamp(item.get("timestamp")) or now, now), item) for item in items]
    for at, item in sorted(chosen, key=lambda each: each[0]):
        contact_id = _find_contact(phone_number_id, item)
        if contact_id is not None:
            contact = contacts.lock_contact(contact_id)
            if _apply_preference(contact, read_string(item, "value"), at=at, now=now):
                handover.save_handover(contact)


def _find_contact(phone_number_id: str, item: Mapping[str, Any]) -> int | None:
    user_id = parse_person_id(read_string(item, "user_id"))
    wa_id = parse_phone_number(read_string(item, "wa_id"))
    known = Q(user_id=user_id) if user_id else Q(pk__in=())
    if wa_id:
        known |= Q(wa_id=wa_id)
    found = WhatsAppContact.objects.filter(known, phone_number_id=phone_number_id).order_by("pk")
    ids = {row[0]: row[1] for row in found.values_list("user_id", "pk")}
    return ids.get(user_id) or next(iter(ids.values()), None)


def _apply_preference(
    contact: WhatsAppContact, preference: str, *, at: datetime, now: datetime
) -> bool:
    """Apply a preference; one from before the last STOP or START says nothing new."""
    match preference:
        case "stop" if contact.started_at is None or contact.started_at <= at:
            return opt_out.stop(contact, at=at, now=now)
        case "resume" if contact.stopped_at is not None and contact.stopped_at <= at:
            return opt_out.start(contact, at=at)
        case _:
            return False
