"""What one request of Meta says, as values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class MessageItem:
    """A message somebody sent to a business number.

    Attributes:
        dedupe_key: what makes it the same message when it arrives again.
        user_id: the sender's business-scoped user id; after a change of ids the new one.
        wa_id: the sender's phone without `+`; after a change of numbers still the old one.
        text: what a person reads of it.
        sent_at: by its own timestamp; None when that cannot be read.
        payload: the message as Meta sent it, harmless for a database.
        answerable: whether a conversation may answer it.
        previous_user_id: with a change of ids, the sender's id until then.
        new_wa_id: with a change of numbers, the sender's phone from now on.

    """

    phone_number_id: str
    display_phone_number: str
    wa_message_id: str
    dedupe_key: str
    user_id: str | None
    parent_user_id: str
    wa_id: str | None
    profile_name: str
    username: str
    type: str
    text: str
    sent_at: datetime | None
    payload: dict[str, Any]
    answerable: bool
    previous_user_id: str | None = None
    new_wa_id: str | None = None


@dataclass(frozen=True, slots=True)
class StatusItem:
    """What became of a message of ours.

    Attributes:
        status: sent, delivered, read, failed, played, or a word Meta may yet invent.
        participant: who of a group it is about; nothing for a single buyer.
        callback_data: what we gave along when sending.
        occurred_at: by its own timestamp; None when that cannot be read.
        error_code: the Graph code, when it failed.
        error: what Meta says about it.

    """

    phone_number_id: str
    wa_message_id: str
    status: str
    participant: str
    callback_data: str
    occurred_at: datetime | None
    recipient_wa_id: str | None
    recipient_user_id: str | None
    error_code: int | None
    error: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class IdentityChange:
    """A buyer got another user id (the field `user_id_update`, from March to August 2026)."""

    phone_number_id: str
    previous_user_id: str
    user_id: str
    parent_user_id: str
    wa_id: str | None


@dataclass(frozen=True, slots=True)
class NoticeItem:
    """Anything else Meta says: about the account, its numbers and templates, echoes, errors.

    Attributes:
        dedupe_key: SHA-256 of the change and its time, in hex.
        needs_attention: whether a person should look at it.
        title: what it is about, in few words.
        identity_changes: the buyers who got another user id.

    """

    dedupe_key: str
    waba_id: str
    field: str
    phone_number_id: str
    payload: dict[str, Any]
    needs_attention: bool
    title: str
    identity_changes: tuple[IdentityChange, ...] = ()


@dataclass(frozen=True, slots=True)
class UnreadablePart:
    """What could not be read: as a webhook of its own that can be read again, or all the bytes."""

    body: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """All that one request of Meta says."""

    messages: tuple[MessageItem, ...] = ()
    statuses: tuple[StatusItem, ...] = ()
    notices: tuple[NoticeItem, ...] = ()
    unreadable: tuple[UnreadablePart, ...] = ()
