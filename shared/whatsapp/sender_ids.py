"""Ids of senders, old and new, by which a buyer is recognised.

Source: Meta's page "Business-scoped user ids" in its versions of May, June and August 2026.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypedDict

from shared.whatsapp.json_reader import read_items, read_mapping, read_string

PERSON_ID_LIMIT: Final = 160
_NAME_LIMIT: Final = 150

_IDENTITY_CHANGE_TYPES: Final = frozenset(
    {"user_changed_number", "customer_changed_number", "user_changed_user_id"}
)

_PHONE: Final = re.compile(r"\+?([1-9][0-9]{6,14})")
_USER_ID: Final = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")


class SenderFields(TypedDict):
    """The sender of a message; for the fields, any of which may be absent, see `MessageItem`."""

    user_id: str | None
    parent_user_id: str
    wa_id: str | None
    profile_name: str
    username: str
    previous_user_id: str | None
    new_wa_id: str | None


@dataclass(frozen=True, slots=True)
class ContactCards:
    """The `contacts` of a change by user id and by phone number; their order has no meaning."""

    by_user_id: Mapping[str, Mapping[str, Any]]
    by_wa_id: Mapping[str, Mapping[str, Any]]

    @classmethod
    def from_contacts(cls, contacts: Any) -> "ContactCards":
        """Index the cards; if several have the same key, the first one counts."""
        cards = [read_mapping(card) for card in reversed(read_items(contacts))]
        return cls(
            by_user_id={read_string(card, "user_id"): card for card in cards},
            by_wa_id={parse_phone_number(read_string(card, "wa_id")) or "": card for card in cards},
        )

    def find_card(self, *, user_id: str | None, wa_id: str | None) -> Mapping[str, Any]:
        """Return a sender's card, by user id before phone number; empty if there is none."""
        return (
            (self.by_user_id.get(user_id) if user_id else None)
            or (self.by_wa_id.get(wa_id) if wa_id else None)
            or {}
        )


def read_sender(item: Mapping[str, Any], *, cards: ContactCards) -> SenderFields:
    """Return the sender of a message, from the message and the cards beside it."""
    sender_id = read_string(item, "from")
    wa_id = parse_phone_number(sender_id)
    user_id = parse_person_id(read_string(item, "from_user_id"))
    if user_id is None and _USER_ID.fullmatch(sender_id):
        user_id = sender_id
    card = cards.find_card(user_id=user_id, wa_id=wa_id)
    user_id = user_id or parse_person_id(read_string(card, "user_id"))
    parent = read_string(item, "from_parent_user_id") or read_string(card, "parent_user_id")
    sender = SenderFields(
        user_id=user_id,
        parent_user_id=parse_person_id(parent) or "",
        wa_id=wa_id or parse_phone_number(read_string(card, "wa_id")),
        profile_name=read_string(card, "profile", "name")[:_NAME_LIMIT],
        username=read_string(card, "profile", "username").lstrip("@")[:_NAME_LIMIT],
        previous_user_id=None,
        new_wa_id=None,
    )
    return _apply_identity_change(sender, system=read_mapping(item, "system"))


def _apply_identity_change(sender: SenderFields, *, system: Mapping[str, Any]) -> SenderFields:
    """Set the old and the new ids; Meta has used three formats for such a message."""
    previous = parse_person_id(read_string(system, "previous_user_id"))
    if previous is None and read_string(system, "type") not in _IDENTITY_CHANGE_TYPES:
        return sender
    current = parse_person_id(read_string(system, "user_id")) or sender["user_id"]
    previous = previous or sender["user_id"]
    new_wa_id = parse_phone_number(read_string(system, "wa_id")) or parse_phone_number(
        read_string(system, "new_wa_id")
    )
    parent = parse_person_id(read_string(system, "parent_user_id"))
    return {
        **sender,
        "user_id": current,
        "parent_user_id": parent or sender["parent_user_id"],
        "previous_user_id": previous if previous != current else None,
        "new_wa_id": new_wa_id if new_wa_id != sender["wa_id"] else None,
    }


def parse_phone_number(value: str) -> str | None:
    """Return a phone number without `+`, or None if it is not valid."""
    match = _PHONE.fullmatch(value)
    return match[1] if match else None


def parse_person_id(value: str) -> str | None:
    """Return the opaque id of a person, or None if it is empty or too long to be stored."""
    return value if 0 < len(value) <= PERSON_ID_LIMIT else None
