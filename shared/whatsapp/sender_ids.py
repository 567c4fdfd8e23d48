"""Who sent a message: the keys by which a buyer is found again, old and new.

Source: Meta's page "Business-scoped user ids" in its versions of May, June and August 2026.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypedDict

from shared.whatsapp.json_reader import items, mapping, string

PERSON_ID_LIMIT: Final = 160
_NAME_LIMIT: Final = 150

_IDENTITY_CHANGES: Final = frozenset(
    {"user_changed_number", "customer_changed_number", "user_changed_user_id"}
)

_PHONE: Final = re.compile(r"\+?([1-9][0-9]{6,14})")
_USER_ID: Final = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")


class Sender(TypedDict):
    """Who sent a message; each key may be absent, as `MessageItem` explains them."""

    user_id: str | None
    parent_user_id: str
    wa_id: str | None
    profile_name: str
    username: str
    previous_user_id: str | None
    new_wa_id: str | None


@dataclass(frozen=True, slots=True)
class Cards:
    """The `contacts` of a change by either key; their order says nothing."""

    by_user_id: Mapping[str, Mapping[str, Any]]
    by_wa_id: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, contacts: Any) -> "Cards":
        """Sort the cards; the first with a key stands for it."""
        cards = [mapping(card) for card in reversed(items(contacts))]
        return cls(
            by_user_id={string(card, "user_id"): card for card in cards},
            by_wa_id={phone(string(card, "wa_id")) or "": card for card in cards},
        )

    def find(self, *, user_id: str | None, wa_id: str | None) -> Mapping[str, Any]:
        """Find a sender's card, by user id before phone; an empty one if there is none."""
        return (
            (self.by_user_id.get(user_id) if user_id else None)
            or (self.by_wa_id.get(wa_id) if wa_id else None)
            or {}
        )


def read_sender(item: Mapping[str, Any], *, cards: Cards) -> Sender:
    """Find out who sent a message, from itself and the cards that came along."""
    written_by = string(item, "from")
    wa_id = phone(written_by)
    user_id = person_id(string(item, "from_user_id"))
    if user_id is None and _USER_ID.fullmatch(written_by):
        user_id = written_by
    card = cards.find(user_id=user_id, wa_id=wa_id)
    user_id = user_id or person_id(string(card, "user_id"))
    parent = string(item, "from_parent_user_id") or string(card, "parent_user_id")
    sender = Sender(
        user_id=user_id,
        parent_user_id=person_id(parent) or "",
        wa_id=wa_id or phone(string(card, "wa_id")),
        profile_name=string(card, "profile", "name")[:_NAME_LIMIT],
        username=string(card, "profile", "username").lstrip("@")[:_NAME_LIMIT],
        previous_user_id=None,
        new_wa_id=None,
    )
    return _after_a_change(sender, system=mapping(item, "system"))


def _after_a_change(sender: Sender, *, system: Mapping[str, Any]) -> Sender:
    """Tell the old keys from the new; Meta wrote such a message in three ways so far."""
    previous = person_id(string(system, "previous_user_id"))
    if previous is None and string(system, "type") not in _IDENTITY_CHANGES:
        return sender
    current = person_id(string(system, "user_id")) or sender["user_id"]
    previous = previous or sender["user_id"]
    new_wa_id = phone(string(system, "wa_id")) or phone(string(system, "new_wa_id"))
    parent = person_id(string(system, "parent_user_id"))
    return {
        **sender,
        "user_id": current,
        "parent_user_id": parent or sender["parent_user_id"],
        "previous_user_id": previous if previous != current else None,
        "new_wa_id": new_wa_id if new_wa_id != sender["wa_id"] else None,
    }


def phone(value: str) -> str | None:
    """Give a phone number without `+`, or None if it is not one that can be sent to."""
    found = _PHONE.fullmatch(value)
    return found[1] if found else None


def person_id(value: str) -> str | None:
    """Give an opaque id of a person, or None where there is none or it cannot be stored."""
    return value if 0 < len(value) <= PERSON_ID_LIMIT else None
