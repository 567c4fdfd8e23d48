"""Values for the items of a webhook."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class MessageItem:
    """A message that was sent to a business number.

    Attributes:
        dedupe_key: the key by which a repeat of the message is recognised.
        user_id: the sender's business-scoped user id; after a change, the new one.
        wa_id: the sender's phone number without `+`; after a change, still the old one.
        text: the readable text of the message.
        sent_at: the timestamp of the message; None if it cannot be read.
        payload: the message as Meta sent it, without what a database refuses.
        answerable: whether a conversation may answer it.
        previous_user_id: the sender's user id before a change.
        new_wa_id: the sender's phone number after a change.
        waba_id: the WhatsApp Business Account of the business number.

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
    waba_id: str = ""


@dataclass(frozen=True, slots=True)
class StatusItem:
    """A delivery status of an outgoing message.

    Attributes:
        status: sent, delivered, read, failed, played, or one that Meta adds later.
        participant: the member of a group it is about; empty for a single buyer.
        callback_data: the `biz_opaque_callback_data` of the message.
        occurred_at: the timestamp of the status; None if it cannot be read.
        error_code: the Graph error code, if the message failed.
        error: Meta's explanation of the error.
        waba_id: the WhatsApp Business Account of the business number.

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
    waba_id: str = ""


@dataclass(frozen=True, slots=True)
class EchoItem:
    """A message that the seller wrote to a buyer in the WhatsApp Business app.

    Attributes:
        user_id: the buyer's business-scoped user id.
        wa_id: the buyer's phone number without `+`.
        sent_at: the timestamp of the message; None if it cannot be read.
        payload: the message as Meta sent it, without its ids and its addressee.
        waba_id: the WhatsApp Business Account of the business number.

    """

    phone_number_id: str
    display_phone_number: str
    wa_message_id: str
    user_id: str | None
    parent_user_id: str
    wa_id: str | None
    profile_name: str
    sent_at: datetime | None
    payload: dict[str, Any]
    waba_id: str = ""


@dataclass(frozen=True, slots=True)
class IdentityChange:
    """A change of a buyer's user id (the field `user_id_update`, March to August 2026)."""

    phone_number_id: str
    previous_user_id: str
    user_id: str
    parent_user_id: str
    wa_id: str | None


@dataclass(frozen=True, slots=True)
class NoticeItem:
    """Any other change: about the account, its numbers and templates, errors.

    Attributes:
        dedupe_key: SHA-256 of the change and its time, in hex.
        needs_attention: whether somebody should look at it.
        title: the subject in a few words.
        identity_changes: the buyers whose user id changed.

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
    """An unreadable part, as a webhook of its own that can be parsed again, or the whole body."""

    body: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """The items of one request from Meta."""

    messages: tuple[MessageItem, ...] = ()
    statuses: tuple[StatusItem, ...] = ()
    notices: tuple[NoticeItem, ...] = ()
    unreadable: tuple[UnreadablePart, ...] = ()
    echoes: tuple[EchoItem, ...] = ()
